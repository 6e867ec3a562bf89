"""Runs that no machine could hold: a slip in a number is told before it eats the memory, or the night."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopsim.scenario.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iopsim.scenario.schema import Scenario
    from iopsim.scenario.tree import Path

__all__ = ["CHECKS"]

_MOST_PATIENTS = (
    1_000_000  # in a replication: about 2 GB, and a hundred times what one program sees in ten years
)
_MOST_SESSIONS = 10_000_000
_MOST_DEPARTURES = 1_000_000


def _too_many(scenario: Scenario) -> Iterator[Finding]:
    """What one replication would be made of, told at what brings most of it."""
    run = scenario.run
    weeks = (run.end - run.opening).days / 7
    patients: dict[Path, float] = {
        ("sources", name, "per_week"): source.in_all(run) for name, source in scenario.sources.items()
    }
    sessions: dict[Path, float] = {
        ("levels", name, "groups"): weeks * sum(len(group.days) for group in level.groups.values())
        for name, level in scenario.levels.items()
    }
    departures: dict[Path, float] = {
        ("staff", name, "turnover_per_year"): role.posts * role.turnover_per_year * weeks / 52
        for name, role in scenario.staff.items()
    }
    for what, numbers, most, less in (
        ("referrals", patients, _MOST_PATIENTS, "a lower rate"),
        ("group sessions", sessions, _MOST_SESSIONS, "fewer groups"),
        ("departures of staff", departures, _MOST_DEPARTURES, "fewer posts"),
    ):
        if (number := sum(numbers.values())) > most:
            message = (
                f"about {_rounded(number)} {what} in {weeks:,.0f} simulated weeks; a replication holds at most "
                f"{most:,}: write {less}, or a shorter run"
            )
            yield Finding("size", max(numbers, key=lambda path: numbers[path]), message)


def _rounded(number: float) -> str:
    """Two digits are enough to see a slip."""
    return f"{float(f'{number:.2g}'):,.0f}" if number < 1e12 else f"{number:.1e}"


CHECKS = (_too_many,)
