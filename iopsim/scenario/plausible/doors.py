"""What lies between coming to a level and being admitted: who is lost on the way, and how many appointments it takes.

Taken in means, and at a short lead: an appointment is on the day after it was booked.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from iopsim.scenario.routing import applies

if TYPE_CHECKING:
    from iopsim.scenario.access import Authorization, Intake
    from iopsim.scenario.schema import Scenario

__all__ = ["STRAIGHT_IN", "Door", "Doors", "asked", "most_who_show"]

_LEAD_DAYS = 1
_ENOUGH = 1000  # times to book again, beyond which nothing is left to count


@dataclass(frozen=True, slots=True)
class Door:
    """How those come in who come to a level from one place, with one payer.

    Attributes:
        joined: Share that reaches the waitlist.
        admitted: Share that may be admitted: joined, and not denied.
        appointments: Intake appointments for each of them, missed ones included.
        elsewhere: (destination, share) of those lost or denied; `home` may be one.
    """

    joined: float
    admitted: float
    appointments: float
    elsewhere: tuple[tuple[str, float], ...]


STRAIGHT_IN = Door(1.0, 1.0, 0.0, ())


def asked(scenario: Scenario, level: str, payer: str) -> Authorization | None:
    """What a payer (empty: one that asks for nothing) has to approve at a level."""
    authorization = scenario.payers[payer].authorization if payer else None
    return authorization if authorization and level in authorization.levels else None


class Doors:
    """The doors of every level; two that let everybody through alike are one and the same."""

    def __init__(self, scenario: Scenario, lead_days: int = _LEAD_DAYS) -> None:
        self._scenario = scenario
        self._lead_days = lead_days
        self._of = cache(self._work_out)

    def of(self, name: str, origin: str, payer: str) -> Door:
        """The door to level `name` for those who come from `origin` (a source, a level or `returned`)."""
        scenario, level = self._scenario, self._scenario.levels[name]
        stages = (level.contact, level.eligible, level.intake)
        here = tuple(applies(stage, origin, scenario) for stage in stages)
        return self._of(name, here, payer if asked(scenario, name, payer) else "")

    def _work_out(self, name: str, here: tuple[bool, ...], payer: str) -> Door:
        level = self._scenario.levels[name]
        contact = level.contact if here[0] else None
        eligible = level.eligible if here[1] else None
        intake = level.intake if here[2] else None
        authorization = asked(self._scenario, name, payer)
        inside, elsewhere = 1.0, defaultdict[str, float](float)

        def lose(share: float, destination: str) -> None:
            nonlocal inside
            if share:
                elsewhere[destination] += inside * share
                inside *= 1 - share

        appointments = 0.0
        if contact:
            lose(1 - contact.share, contact.lost_to)
        if eligible and eligible.found_at == "screen":
            lose(1 - eligible.share, eligible.otherwise)
        if intake:
            taken, shown = _intake(intake, self._lead_days)
            appointments = inside * taken
            lose(1 - shown, intake.lost_to)
        if eligible and eligible.found_at == "assessment":
            lose(1 - eligible.share, eligible.otherwise)
        joined = inside
        if authorization:
            lose(authorization.denied, authorization.denied_to)
        if not (elsewhere or appointments):
            return STRAIGHT_IN
        return Door(joined, inside, appointments, tuple(elsewhere.items()))


def most_who_show(intake: Intake | None) -> float:
    """How many more might come through intake than is taken here, if all appointments were on the same day."""
    if intake is None:
        return 1.0
    taken_as, on_the_day = _intake(intake, _LEAD_DAYS)[1], _intake(intake, 0)[1]
    return max(on_the_day / taken_as, 1.0) if taken_as else math.inf


def _intake(intake: Intake, lead_days: int) -> tuple[float, float]:
    """Appointments that one patient takes up, and the share who come to one of them in the end."""
    shows = intake.show_share(lead_days)
    again = (1 - shows) * intake.rebook_taken
    taken = math.fsum(again**number for number in range(min(intake.rebook, _ENOUGH) + 1))
    return taken, min(shows * taken, 1.0)
