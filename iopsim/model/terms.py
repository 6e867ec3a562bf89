"""What the plan in force says of a level, as the model asks for it: a field of a scenario costs ten times as much.

Destinations are indexes of levels, −1 is home; beside a law that is asked often stands its quantile function.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, TypeVar

from iopsim.model.people import AT_HOME
from iopsim.model.sources import destination, table
from iopsim.model.timeline import in_days
from iopsim.scenario.levels import care_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from iopsim.scenario.access import Authorization, Contact, Eligible, Intake
    from iopsim.scenario.distributions import Law
    from iopsim.scenario.levels import Level, Returns, StepUp
    from iopsim.scenario.schema import Scenario

__all__ = [
    "Approval", "Assessment", "Reaching", "Returning", "Screening", "Stages", "Treatment", "stages_of",
    "treatments_of",
]  # fmt: skip

Stage = TypeVar("Stage", "Contact", "Eligible", "Intake")


def _quantile(law: Law | None) -> Callable[[float], float] | None:
    return law.quantile_function() if law is not None else None


# ── before the waitlist ──────────────────────────────────────────────────────────────────────────────────────────


class Reaching:
    """The first contact: the share who are reached, and the law and the quantile of the days until then, if any."""

    __slots__ = ("delay", "delay_days", "lost_to", "share")

    def __init__(self, contact: Contact, levels: Sequence[str]) -> None:
        self.share = contact.share
        self.delay_days = contact.delay_days
        self.delay = _quantile(contact.delay_days)
        self.lost_to = destination(contact.lost_to, levels)


class Screening:
    """For whom the level is right, and whether that turns out at the screen or in the assessment."""

    __slots__ = ("found_at", "otherwise", "share")

    def __init__(self, eligible: Eligible, levels: Sequence[str]) -> None:
        self.share = eligible.share
        self.found_at: str = eligible.found_at
        self.otherwise = destination(eligible.otherwise, levels)


class Assessment:
    """An intake appointment, and its length in days."""

    __slots__ = ("_show_share", "_shown", "days", "lost_to", "minutes", "rebook", "rebook_taken", "role")

    def __init__(self, intake: Intake, levels: Sequence[str]) -> None:
        self.role = intake.role
        self.minutes = intake.minutes
        self.days = in_days(intake.minutes / 60)
        self.rebook = intake.rebook
        self.rebook_taken = intake.rebook_taken
        self.lost_to = destination(intake.lost_to, levels)
        self._show_share: Callable[[int], float] = intake.show_share
        self._shown: dict[int, float] = {}

    def show_share(self, lead_days: int) -> float:
        """The share who show to an appointment so many days after it was booked."""
        share = self._shown.get(lead_days)
        if share is None:
            share = self._shown[lead_days] = self._show_share(lead_days)
        return share


class Stages:
    """What lies before the waitlist for those of one origin; None: nothing of the kind."""

    __slots__ = ("assessment", "reaching", "screening")

    def __init__(
        self, reaching: Reaching | None, screening: Screening | None, assessment: Assessment | None
    ) -> None:
        self.reaching = reaching
        self.screening = screening
        self.assessment = assessment


def stages_of(level: Level, origin: str, is_source: bool, levels: Sequence[str]) -> Stages | None:
    """The stages of a level that apply to an origin, if any does."""
    contact = _for(level.contact, origin, is_source)
    eligible = _for(level.eligible, origin, is_source)
    intake = _for(level.intake, origin, is_source)
    if contact is None and eligible is None and intake is None:
        return None
    return Stages(
        None if contact is None else Reaching(contact, levels),
        None if eligible is None else Screening(eligible, levels),
        None if intake is None else Assessment(intake, levels),
    )


def _for(stage: Stage | None, origin: str, is_source: bool) -> Stage | None:
    """The stage if it applies to an origin: it names it, or names nobody and the origin is a source."""
    applies = stage is not None and (origin in stage.for_ if stage.for_ else is_source)
    return stage if applies else None


# ── who pays, and who comes back ─────────────────────────────────────────────────────────────────────────────────


class Approval:
    """What a payer has to approve in a level.

    Attributes:
        delay, review_delay: The quantile of the days until the answer to a request, and to one for more units; None:
            at once.
        denied, cut: Shares of those requests that are denied.
        denied_to: Where those go then.
        units: Approved at a time; None: the whole stay.
        days_of_a_unit: Days of treatment that use up one unit; 0 where units are sessions of a group.
        ask_before: Units left when more are asked for.
    """

    __slots__ = (
        "ask_before", "cut", "days_of_a_unit", "delay", "denied", "denied_to", "review_delay", "units",
    )  # fmt: skip

    def __init__(self, asked: Authorization, level: Level, levels: Sequence[str]) -> None:
        self.delay = _quantile(asked.delay_days)
        self.review_delay = _quantile(asked.review.delay_days)
        self.denied = asked.denied
        self.cut = asked.review.cut
        self.denied_to = destination(asked.denied_to, levels)
        self.units = asked.units
        a_session = 0.0 if level.groups else 7 / (level.days_per_week or 7)
        self.days_of_a_unit = 1.0 if asked.per == "day" else a_session
        self.ask_before = asked.ask_before


class Returning:
    """Who comes back: a share of those who left to one of `out_of`, some days later, to a level."""

    __slots__ = ("after", "out_of", "share", "to")

    def __init__(self, returns: Returns, levels: Sequence[str]) -> None:
        self.share = returns.share
        self.out_of = {destination(name, levels) for name in returns.from_}
        self.after = returns.after_days.quantile_function()
        self.to = destination(returns.to, levels)


# ── in care ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """How a level treats patients of one track and source; made once from `Care`.

    Attributes:
        stay_days: The law of the days of treatment, where it says how long that lasts.
        patience_days, patience: The law of the days that patients wait before they give up, and its quantile function.
        dropout, dropout_time, dropout_per_week: The law of days until dropout and where its hazard reaches a unit
            exponential; None where the weekly share decides.
        dropout_to: Where those go who drop out or are discharged.
        per_week_waited: What multiplies that hazard for each week of wait.
        step_up, step_up_days, step_up_time, step_up_per_week, step_up_to: The same for the need of a higher level, with
            the share table of where to.
        attendance, attendance_sd: Mean and standard deviation of the patients' chances to attend.
        misses: Sessions missed in a row that end a stay; 0: no number does.
        days_per_week: Weekdays taken at the start of the plan; 0: all that the group meets.
        phase_days: Weekdays taken in each phase; empty where no plan counts sessions.
        phase_weeks: Weeks of all phases.
        boundaries: Sessions at which each phase ends, counted from the start of care.
        extension_share: Of those who complete the plan, the share who go on; None: nobody is asked.
        extension_sessions: How many sessions more that is.
        services: Bits of the services that every such patient gets.
        drawn_services: (bit, share, decision) of those that only a share of patients gets.
        limited: Bits of the services that wait for hours once care has begun.
        gates: Services that admission itself waits for.
    """

    stay_days: Law | None
    patience_days: Law | None
    patience: Callable[[float], float] | None
    dropout: Law | None
    dropout_time: Callable[[float], float] | None
    dropout_per_week: float
    dropout_to: int
    per_week_waited: float
    step_up: StepUp | None
    step_up_days: Law | None
    step_up_time: Callable[[float], float] | None
    step_up_per_week: float
    step_up_to: tuple[list[float], list[int]]
    attendance: float
    attendance_sd: float
    misses: int
    days_per_week: int
    phase_days: tuple[int, ...]
    phase_weeks: int
    boundaries: tuple[int, ...]
    extension_share: float | None
    extension_sessions: int
    services: int
    drawn_services: tuple[tuple[int, float, str], ...]
    limited: int
    gates: tuple[int, ...]


def treatments_of(scenario: Scenario, name: str) -> list[Treatment]:
    """How a level treats patients, by source and then by track: all sources alike but those that `by` names."""
    special = scenario.levels[name].by.source
    usual = [_treatment(scenario, name, track, "") for track in scenario.tracks]
    treatments = []
    for source in scenario.sources:
        own = (
            [_treatment(scenario, name, track, source) for track in scenario.tracks]
            if source in special
            else usual
        )
        treatments += own
    return treatments


def _treatment(scenario: Scenario, name: str, track: str, source: str) -> Treatment:
    level, levels = scenario.levels[name], list(scenario.levels)
    care = care_of(level, track, source)
    certain, drawn, limited, gates = _services(scenario, name, track)
    early, step_up, attendance = care.leave_early, care.leave_early.step_up, care.attendance
    phases, extension = care.phases or (), care.extension
    return Treatment(
        stay_days=care.stay_days,
        patience_days=care.patience_days,
        patience=_quantile(care.patience_days),
        dropout=early.dropout,
        dropout_time=early.dropout.hazard_time_function() if early.dropout else None,
        dropout_per_week=early.dropout_per_week or 0.0,
        dropout_to=destination(early.dropout_to, levels),
        per_week_waited=early.per_week_waited,
        step_up=step_up,
        step_up_days=step_up.after_days if step_up else None,
        step_up_time=step_up.after_days.hazard_time_function() if step_up and step_up.after_days else None,
        step_up_per_week=(step_up.per_week or 0.0) if step_up else 0.0,
        step_up_to=table(step_up.to, levels) if step_up else ([1.0], [AT_HOME]),
        attendance=attendance.mean,
        attendance_sd=attendance.sd,
        misses=attendance.discharge_after_missed or 0,
        days_per_week=phases[0].days_per_week if phases else level.days_per_week or 0,
        phase_days=tuple(phase.days_per_week for phase in phases),
        phase_weeks=sum(phase.weeks for phase in phases),
        boundaries=tuple(accumulate(phase.sessions for phase in phases)),
        extension_share=extension.share if extension else None,
        extension_sessions=extension.weeks * phases[-1].days_per_week if extension and phases else 0,
        services=certain,
        drawn_services=drawn,
        limited=limited,
        gates=gates,
    )


def _services(
    scenario: Scenario, name: str, track: str
) -> tuple[int, tuple[tuple[int, float, str], ...], int, tuple[int, ...]]:
    """The services of a level for a track: certain, drawn, limited, and gates of admission (as in `Treatment`)."""
    certain, limited, drawn, gates = 0, 0, [], []
    for bit, (service_name, service) in enumerate(scenario.services.items()):
        if (
            service.per == "session"
            or name not in service.levels
            or (service.tracks and track not in service.tracks)
        ):
            continue
        if service.limits == "admission":
            gates.append(bit)
        elif service.limits:
            limited |= 1 << bit
        if service.share >= 1:
            certain |= 1 << bit
        elif service.share > 0:
            drawn.append((1 << bit, service.share, f"service {service_name}"))
    return certain, tuple(drawn), limited, tuple(gates)
