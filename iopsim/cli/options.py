"""Arguments and options that several commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from iopsim.scenario.load import Loaded

__all__ = ["load", "scenario_argument", "set_option", "with_run_options"]

scenario_argument = click.argument("scenario", metavar="SCENARIO")
set_option = click.option(
    "--set",
    "sets",
    multiple=True,
    metavar="PATH=VALUE",
    help="Change one value, as in levels.iop.places=14; may be repeated.",
)


def load(path: str, sets: tuple[str, ...]) -> Loaded:
    """Read a scenario and check that every metric it names exists.

    Raises:
        InputError: With all faults.
    """
    from iopsim.errors import InputError
    from iopsim.experiment.names import check_names
    from iopsim.scenario import load_with_marks

    loaded = load_with_marks(path, sets)
    faults = []
    for wrong in check_names(loaded.scenario):
        hint = f' (did you mean "{wrong.suggestion}"?)' if wrong.suggestion else ""
        message = f'no metric "{wrong.name}"{hint}; `iopsim metrics {path}` lists those of this scenario'
        faults.append(loaded.fault("unknown-metric", wrong.path, message))
    if faults:
        raise InputError(*faults)
    return loaded


def with_run_options(sets: tuple[str, ...], replications: int | None, seed: int | None) -> tuple[str, ...]:
    """The --set assignments, with those that --replications and --seed stand for."""
    short = {"run.replications": replications, "run.seed": seed}
    return (*sets, *(f"{path}={value}" for path, value in short.items() if value is not None))
