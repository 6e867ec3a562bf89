"""The way to a level: stages that cannot follow each other, payers and waitlists that could change nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopsim.scenario.findings import Finding, words
from iopsim.scenario.names import RETURNED
from iopsim.scenario.parts import HOME
from iopsim.scenario.routing import applies, origins

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iopsim.scenario.schema import Scenario

__all__ = ["CHECKS", "lifted"]

_LAST = 1_000_000  # the class of those whom `priority` does not list


def _to_itself(scenario: Scenario) -> Iterator[Finding]:
    for name, level in scenario.levels.items():
        ways = (
            (("contact", "lost_to"), level.contact and level.contact.lost_to, "is not reached"),
            (("eligible", "otherwise"), level.eligible and level.eligible.otherwise, "is not eligible"),
            (("intake", "lost_to"), level.intake and level.intake.lost_to, "does not come to the intake"),
            (("waitlist", "renege_to"), level.waitlist.renege_to, "gives up waiting"),
        )
        for path, to, who in ways:
            if to == name:
                message = f"who {who} for a level cannot join it at once; say home, or another level"
                yield Finding("to-itself", ("levels", name, *path), message)


def _assessments(scenario: Scenario) -> Iterator[Finding]:
    """Whom an assessment would tell from the eligible, and nobody gives one."""
    for name, level in scenario.levels.items():
        if level.eligible and level.eligible.found_at == "assessment":
            place = ("levels", name, "eligible", "found_at")
            whose = level.eligible.for_ or [key for key, one in scenario.sources.items() if one.to == name]
            known = {*scenario.sources, *scenario.levels, RETURNED}
            without = [one for one in whose if one in known and not applies(level.intake, one, scenario)]
            if not level.intake:
                message = "the assessment is at the intake: say `intake:`, or `found_at: screen`"
                yield Finding("no-assessment", place, message)
            elif without:
                have = f"{words(without)} {'have' if len(without) > 1 else 'has'}"
                message = f"{have} no intake here in which it could turn out; make the `for` of both agree"
                yield Finding("no-assessment", place, f"{message}, or say `found_at: screen`")


def _early_referrals(scenario: Scenario) -> Iterator[Finding]:
    for name, level in scenario.levels.items():
        ahead = {to: one for to, one in level.next.items() if to != HOME and one.share}
        if level.refer_before_days and not ahead:
            message = "nobody goes on to a level from here; say which in `next`, or drop it"
            yield Finding("no-next-level", ("levels", name, "refer_before_days"), message)
        for to, destination in ahead.items() if level.refer_before_days else ():
            if destination.lag_days is not None:
                message = (
                    "who has been referred before the end does not stay at home first; drop `lag_days` here, or "
                    "`refer_before_days`"
                )
                yield Finding("lag", ("levels", name, "next", to, "lag_days"), message)


def _other_times(scenario: Scenario) -> Iterator[Finding]:
    for name, level in scenario.levels.items():
        if level.waitlist.accept_other_time_after_days is not None and not level.groups:
            message = "only groups meet at times of the day; this level has none: drop it"
            yield Finding("no-times", ("levels", name, "waitlist", "accept_other_time_after_days"), message)


def lifted(scenario: Scenario) -> Iterator[Finding]:
    """Classes into which nobody could be lifted, since nobody who comes is in a later one."""
    for name, whence in origins(scenario).items():
        waitlist = scenario.levels[name].waitlist
        into = waitlist.ages_into
        if into and whence and into.class_ >= max(waitlist.priority.get(origin, _LAST) for origin in whence):
            message = (
                "nobody who comes here is in a later class, so that waiting changes nothing; say a lower one"
            )
            yield Finding("no-class", ("levels", name, "waitlist", "ages_into", "class"), message)


CHECKS = (_to_itself, _assessments, _early_referrals, _other_times)
