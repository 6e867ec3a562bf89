"""The language of sweeps: one scenario and the values that its parameters take, to many scenarios."""

from iopsim.scenario.sweeps.axes import Axis, Choice, Label
from iopsim.scenario.sweeps.lay import scenarios
from iopsim.scenario.sweeps.read import Opened, is_sweep, open_sweep
from iopsim.scenario.sweeps.resolved import resolved_sweep

__all__ = ["Axis", "Choice", "Label", "Opened", "is_sweep", "open_sweep", "resolved_sweep", "scenarios"]
