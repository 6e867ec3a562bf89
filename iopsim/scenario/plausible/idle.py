"""Words of a scenario that change nothing as the rest of it stands."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from iopsim.scenario.findings import words
from iopsim.scenario.names import EITHER
from iopsim.scenario.plausible.finding import Finding, note
from iopsim.scenario.routing import origins, reached

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from iopsim.scenario.access import Authorization
    from iopsim.scenario.levels import Level
    from iopsim.scenario.schema import Scenario
    from iopsim.scenario.staff import Role

__all__ = ["idle"]


def idle(scenario: Scenario) -> Iterator[Finding]:
    """Words without effect in levels, payers, staff and services."""
    whence, comers = origins(scenario), reached(scenario)
    for name, level in scenario.levels.items():
        if whence[name]:  # of a level to which nobody comes nothing else is worth telling
            yield from _stages(level, f"levels.{name}", whence[name])
            yield from _waitlist(scenario, level, f"levels.{name}.waitlist", whence[name], comers[name])
            yield from _mergers(level, f"levels.{name}.groups")
    for name, payer in scenario.payers.items():
        if payer.authorization:
            place = f"payers.{name}.authorization"
            yield from _authorization(payer.authorization, place, _levels_of(scenario, name, comers))
    for name, role in scenario.staff.items():
        yield from _role(scenario, name, role)
    for name, service in scenario.services.items():
        if service.due_days is not None and not service.limits:
            text = "it is given when it falls due, so that it is never late; say `limits`, or drop `due_days`"
            yield note(f"services.{name}.due_days", text)


# The way in


def _stages(level: Level, place: str, whence: Collection[str]) -> Iterator[Finding]:
    for key, stage in (("contact", level.contact), ("eligible", level.eligible), ("intake", level.intake)):
        strangers = [origin for origin in (stage.for_ or () if stage else ()) if origin not in whence]
        if strangers:
            yield note(f"{place}.{key}.for", f"nobody comes here from {words(strangers, 'or')}")
    if level.intake and level.intake.rebook_taken < 1 and not level.intake.rebook:
        yield note(f"{place}.intake.rebook_taken", "nobody may book again; say how often in `rebook`")


def _waitlist(
    scenario: Scenario,
    level: Level,
    place: str,
    whence: Collection[str],
    comers: Mapping[str, Collection[str]],
) -> Iterator[Finding]:
    strangers = [origin for origin in level.waitlist.priority if origin not in whence]
    if strangers:
        yield note(f"{place}.priority", f"nobody comes here from {words(strangers, 'or')}")
    if level.waitlist.accept_other_time_after_days is not None:
        sources = [scenario.sources[source] for those in comers.values() for source in those]
        times = {time for source in sources for time, share in scenario.time_shares(source).items() if share}
        if times <= {EITHER}:
            text = "all who come take a group at any time from the first day; it changes nothing"
            yield note(f"{place}.accept_other_time_after_days", text)


def _mergers(level: Level, place: str) -> Iterator[Finding]:
    for key, group in level.groups.items():
        if group.merges_with and group.min_census == 1:
            text = (
                "with a `min_census` of 1 only sessions without members are not held; raise it, or drop this"
            )
            yield note(f"{place}.{key}.below_minimum", text)


# Payers


def _levels_of(
    scenario: Scenario, payer: str, comers: Mapping[str, Mapping[str, Collection[str]]]
) -> set[str]:
    """Levels to which patients with a payer can come."""
    theirs = {name for name, source in scenario.sources.items() if scenario.payer_shares(source).get(payer)}
    return {
        level
        for level, tracks in comers.items()
        if any(not theirs.isdisjoint(those) for those in tracks.values())
    }


def _authorization(asked: Authorization, place: str, levels: Collection[str]) -> Iterator[Finding]:
    strange = [level for level in asked.levels if level not in levels]
    if levels and strange:
        yield note(f"{place}.levels", f"no patient of this payer comes to {words(strange, 'or')}")
    no_reviews = asked.units is None or not (asked.review.cut or asked.review.delay_days)
    if no_reviews and not (asked.denied or asked.delay_days):
        yield note(place, "everything is approved at once; it changes nothing")
    elif no_reviews and asked.units is not None:
        text = (
            "every review is answered at once by yes; say `cut` or `delay_days` in `review`, or drop `units`"
        )
        yield note(f"{place}.units", text)


# Staff


def _role(scenario: Scenario, name: str, role: Role) -> Iterator[Finding]:
    levels = scenario.levels.values()
    carries = any(level.caseload == name for level in levels)
    facilitates = any(name in group.facilitators for level in levels for group in level.groups.values())
    grows = any(f"staff.{name}.posts" in change.set for change in scenario.changes)
    departs = bool(role.turnover_per_year) or any(isinstance(leave, dt.date) for leave in role.leaves)
    yield from _idle_words(
        f"staff.{name}",
        "nobody of this role ever leaves; say `turnover_per_year` or `leaves`",
        days_to_hire=role.days_to_hire is not None and not departs,
        onboarding_weeks=bool(role.onboarding_weeks) and not departs and not grows,
        reassignment=role.reassignment.dropout_factor != 1 and not role.comes_and_goes,
    )
    yield from _idle_words(
        f"staff.{name}",
        "no level names this role as its `caseload`",
        onboarding_weeks=bool(role.onboarding_weeks) and (departs or grows) and not carries,
        reassignment=role.reassignment.dropout_factor != 1 and role.comes_and_goes and not carries,
    )
    yield from _idle_words(
        f"staff.{name}",
        "no group has this role among its `facilitators`",
        cover_per_hour=role.cover_per_hour is not None and not facilitates,
    )
    yield from _idle_words(
        f"staff.{name}",
        "no level has this role as its `caseload`, and no group among its `facilitators`",
        patients_per_clinician_at_most=role.patients_per_clinician_at_most is not None
        and not (carries or facilitates),
    )


def _idle_words(place: str, why: str, **idle: bool) -> Iterator[Finding]:
    """One note for all words of a role that have no effect for one reason, at the first of them."""
    if said := [word for word, is_idle in idle.items() if is_idle]:
        verb = "have" if len(said) > 1 else "has"
        yield note(f"{place}.{said[0]}", f"{words(f'`{word}`' for word in said)} {verb} no effect: {why}")
