"""A run from today: how long until a waitlist is short, and stays so (model.md §10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopsim.measures.registry import Names, Sample, Value, metric

if TYPE_CHECKING:
    from iopsim.measures.window import Window
    from iopsim.scenario.schema import Scenario

__all__: list[str] = []  # the metrics are reached through the registry

_UNDER = "the list is under the number that `from_today.waitlist_under` gives, at every instant of four weeks"


def _has_number(scenario: Scenario, names: Names) -> bool:
    """Whether the scenario asks when the list is under a number."""
    today = scenario.from_today
    return today is not None and names["level"] in today.waitlist_under


def _first_week(window: Window, level: str) -> int | None:
    from iopsim.measures.lists import first_week_under

    today = window.scenario.from_today
    return first_week_under(window, level, today.waitlist_under[level]) if today else None


@metric(
    "<level>.weeks_until_under",
    statistics=("p50", "p90"),
    unit="weeks",
    better="lower",
    definition=f"Whole weeks from today until {_UNDER}, the run-out included: over the years in which that happens.",
    where=_has_number,
)
def _weeks_until_under(window: Window, level: str) -> Sample:
    import numpy as np

    week = _first_week(window, level)
    return Sample(np.array([] if week is None else [week], dtype=float))


@metric(
    "<level>.stays_under",
    statistics=("share",),
    unit="share",
    better="higher",
    definition=f"Share of the years in which, from some week on, {_UNDER}, the run-out included.",
    where=_has_number,
)
def _stays_under(window: Window, level: str) -> Value:
    return Value(float(_first_week(window, level) is not None))
