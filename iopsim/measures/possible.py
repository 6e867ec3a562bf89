"""What can happen in a scenario: a metric exists only for names where it can be anything at all."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import TYPE_CHECKING

from iopsim.scenario.access import ShowByLead
from iopsim.scenario.parts import HOME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iopsim.scenario.access import Authorization, Contact, Eligible, Intake
    from iopsim.scenario.levels import CarePart, LeaveEarly, Level
    from iopsim.scenario.schema import Scenario

    Names = Mapping[str, str]

__all__ = [
    "always",
    "can_be_authorized",
    "can_be_booked",
    "can_be_cut",
    "can_be_denied",
    "can_be_discharged",
    "can_drop_out",
    "can_hold",
    "can_lack",
    "can_lapse",
    "can_lose_at_contact",
    "can_lose_at_intake",
    "can_lose_ineligible",
    "can_miss_intake",
    "can_refuse",
    "can_renege",
    "can_step_up",
    "can_take_time_to_apply",
    "can_take_time_to_contact",
    "can_wait",
    "gatekeepers",
    "has_caseload",
    "has_groups",
    "has_limited_places",
    "has_source",
    "lacks",
    "missing_sets",
    "places",
    "stages",
    "varies",
]


def always(scenario: Scenario, names: Names) -> bool:
    """Where nothing stands in the way."""
    return True


def _care(scenario: Scenario, names: Names) -> list[Level | CarePart]:
    level = scenario.levels[names["level"]]
    return [level, *level.by.track.values(), *level.by.source.values()]


def _leave_early(scenario: Scenario, names: Names) -> list[LeaveEarly]:
    return [part.leave_early for part in _care(scenario, names) if part.leave_early]


# Capacity


def places(scenario: Scenario, level: str, track: str | None = None) -> int | None:
    """Places of a level, or of a track that has its own in it; None if there is no limit."""
    table = scenario.levels[level].places
    if isinstance(table, Mapping):
        return table.get(track) if track else sum(table.values())
    return table if isinstance(table, int) and not track else None


def has_groups(scenario: Scenario, names: Names) -> bool:
    """Whether the level treats in groups."""
    return bool(scenario.levels[names["level"]].groups)


def has_limited_places(scenario: Scenario, names: Names) -> bool:
    """Whether the level, or the track in it, has a number of places or groups, at least for a time."""
    level, track = names["level"], names.get("track")
    if scenario.levels[level].groups:
        return not track
    return any(places(edition.plan, level, track) is not None for edition in scenario.editions)


def varies(scenario: Scenario, role: str) -> bool:
    """Whether a post of the role can be empty or its holder away, or posts, FTE or caseloads change on a date."""
    plans = [edition.plan.staff[role] for edition in scenario.editions]
    sizes = {(plan.posts, plan.fte, plan.caseload_limit) for plan in plans}
    return len(sizes) > 1 or any(plan.comes_and_goes for plan in plans)


def has_caseload(scenario: Scenario, names: Names) -> bool:
    """Whether the role carries the patients of some level."""
    role = scenario.staff[names["role"]]
    return role.posts * role.caseload_limit > 0 and any(
        level.caseload == names["role"] for level in scenario.levels.values()
    )


# Access


def has_source(scenario: Scenario, names: Names) -> bool:
    """Whether a source refers to the level."""
    return any(source.to == names["level"] for source in scenario.sources.values())


def _origins(stage: Contact | Eligible | Intake | None, scenario: Scenario, level: str) -> set[str]:
    """Where those come from whom a stage of access applies to."""
    if stage is None:
        return set()
    sources = scenario.sources
    return {name for name in stage.for_ or sources if name not in sources or sources[name].to == level}


def _concerns_sources(stage: Contact | Eligible | Intake, scenario: Scenario, names: Names) -> bool:
    return not _origins(stage, scenario, names["level"]).isdisjoint(scenario.sources)


def stages(scenario: Scenario, level: str) -> list[str]:
    """The stages that somebody passes on the way to the level's waitlist: `contact`, `eligible`, `intake`."""
    spec = scenario.levels[level]
    parts = {"contact": spec.contact, "eligible": spec.eligible, "intake": spec.intake}
    return [name for name, stage in parts.items() if _origins(stage, scenario, level)]


def can_lose_at_contact(scenario: Scenario, names: Names) -> bool:
    """Whether somebody referred by a source may not be reached."""
    contact = scenario.levels[names["level"]].contact
    return contact is not None and contact.share < 1 and _concerns_sources(contact, scenario, names)


def can_lose_ineligible(scenario: Scenario, names: Names) -> bool:
    """Whether the level may be the wrong one for somebody referred by a source."""
    eligible = scenario.levels[names["level"]].eligible
    return eligible is not None and eligible.share < 1 and _concerns_sources(eligible, scenario, names)


def can_lose_at_intake(scenario: Scenario, names: Names) -> bool:
    """Whether somebody referred by a source may miss the intake for good."""
    intake = scenario.levels[names["level"]].intake
    return (
        intake is not None and can_miss_intake(scenario, names) and _concerns_sources(intake, scenario, names)
    )


def can_be_booked(scenario: Scenario, names: Names) -> bool:
    """Whether there are intake appointments."""
    return "intake" in stages(scenario, names["level"])


def can_miss_intake(scenario: Scenario, names: Names) -> bool:
    """Whether somebody may not show to an intake appointment."""
    intake = scenario.levels[names["level"]].intake
    if intake is None or not can_be_booked(scenario, names):
        return False
    if isinstance(intake.show, ShowByLead):
        return min(intake.show.by_lead_days.values()) < 1
    return intake.show != 1


def can_take_time_to_contact(scenario: Scenario, names: Names) -> bool:
    """Whether time may pass from referral to contact."""
    contact = scenario.levels[names["level"]].contact
    return (
        contact is not None
        and contact.delay_days is not None
        and "contact" in stages(scenario, names["level"])
    )


def can_take_time_to_apply(scenario: Scenario, names: Names) -> bool:
    """Whether time may pass in a stage of access."""
    return can_take_time_to_contact(scenario, names) or can_be_booked(scenario, names)


def can_refuse(scenario: Scenario, names: Names) -> bool:
    """Whether the waitlist may be full."""
    return scenario.levels[names["level"]].waitlist.at_most is not None


def can_renege(scenario: Scenario, names: Names) -> bool:
    """Whether somebody may give up waiting."""
    return any(part.waitlist and part.waitlist.patience_days is not None for part in _care(scenario, names))


# The payer's word


def _authorizations(scenario: Scenario, level: str) -> Iterator[Authorization]:
    for payer in scenario.payers.values():
        if payer.authorization is not None and level in payer.authorization.levels:
            yield payer.authorization


def can_be_authorized(scenario: Scenario, names: Names) -> bool:
    """Whether some payer has to approve the level."""
    return any(_authorizations(scenario, names["level"]))


def can_be_denied(scenario: Scenario, names: Names) -> bool:
    """Whether some payer may deny it."""
    return any(each.denied for each in _authorizations(scenario, names["level"]))


def can_be_cut(scenario: Scenario, names: Names) -> bool:
    """Whether some payer may approve no more units while treatment goes on."""
    return any(each.units and each.review.cut for each in _authorizations(scenario, names["level"]))


def can_lapse(scenario: Scenario, names: Names) -> bool:
    """Whether approved units may be used up while a review goes on."""
    each = _authorizations(scenario, names["level"])
    return any(one.units is not None and one.review.delay_days is not None for one in each)


# Care


def can_hold(scenario: Scenario, names: Names) -> bool:
    """Whether a place may be kept for somebody who waits for another level."""
    level = scenario.levels[names["level"]]
    steps = [leave.step_up for leave in _leave_early(scenario, names) if leave.step_up]
    return (level.hold_days > 0 and level.next.keys() != {HOME}) or any(step.hold_days > 0 for step in steps)


def can_drop_out(scenario: Scenario, names: Names) -> bool:
    """Whether somebody may drop out."""
    return any(
        leave.dropout is not None or leave.dropout_per_week is not None
        for leave in _leave_early(scenario, names)
    )


def can_be_discharged(scenario: Scenario, names: Names) -> bool:
    """Whether missed sessions or a payer may end a stay."""
    return has_groups(scenario, names) or can_be_cut(scenario, names)


def can_step_up(scenario: Scenario, names: Names) -> bool:
    """Whether somebody may come to need a higher level."""
    return any(leave.step_up is not None for leave in _leave_early(scenario, names))


# What those who wait may lack


def gatekeepers(scenario: Scenario, level: str) -> list[str]:
    """Roles whose appointment admission to the level waits for (`limits: admission`)."""
    gates = (service for service in scenario.services.values() if service.limits == "admission")
    return list(dict.fromkeys(service.role for service in gates if level in service.levels))


def lacks(scenario: Scenario, level: str) -> dict[tuple[str, ...], str]:
    """What may hold somebody back from a level, and how metrics name it.

    Keys are the bits of `Missing` that come together; `("INTAKE",)` is an appointment that is waited for. Roles have
    their own names, so two keys have one name where a role both carries the patients and has to see them first.
    """
    spec = scenario.levels[level]
    roles = {
        "SEAT": ["seat"] if has_limited_places(scenario, {"level": level}) else [],
        "CASELOAD": [spec.caseload] if spec.caseload else [],
        "HOURS": gatekeepers(scenario, level),
        "AUTHORIZATION": ["authorization"] if can_be_authorized(scenario, {"level": level}) else [],
    }
    may = [bit for bit, words in roles.items() if words]
    sets = {
        bits: "_and_".join(dict.fromkeys(word for bit in bits for word in roles[bit]))
        for size in range(1, len(may) + 1)
        for bits in combinations(may, size)
    }
    early = any(other.refer_before_days and level in other.next for other in scenario.levels.values())
    alone = {
        "INTAKE": can_be_booked(scenario, {"level": level}),
        "TREATMENT": early,
        "ORDER": spec.waitlist.discipline == "strict" and (early or bool(may)),
    }
    return sets | {(bit,): bit.lower() for bit, can in alone.items() if can}


def missing_sets(scenario: Scenario) -> list[str]:
    """Names of what may hold people back from any level (metrics.md, held_back_by)."""
    return list(dict.fromkeys(name for level in scenario.levels for name in lacks(scenario, level).values()))


def can_lack(scenario: Scenario, names: Names) -> bool:
    """Whether just this may hold somebody back from the level."""
    return names["missing"] in lacks(scenario, names["level"]).values()


def can_wait(scenario: Scenario, names: Names) -> bool:
    """Whether somebody may be on the waitlist for any time."""
    return bool(lacks(scenario, names["level"]).keys() - {("INTAKE",)})
