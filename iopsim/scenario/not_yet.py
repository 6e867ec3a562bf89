"""Words of the scenario language that this version does not honor: refused by their path, never ignored."""

from __future__ import annotations

from typing import Any

from iopsim.scenario.findings import Finding, select
from iopsim.scenario.parts import shape

__all__ = ["WORDS", "unsupported"]

_AT_LIST = "count in `per_week` those who reach the waitlist"
_FIXED = "posts are filled throughout; change `posts` or `fte` in a second scenario instead"
_SCENARIOS = "write the values in a sweep file and give it to `iopsim sweep`"

WORDS: dict[str, str] = {
    "from_today": "say `run.warm_up_weeks` instead",
    "rooms": "say what a group can hold in its `seats`",
    "changes": "write the change in a second scenario that `extends` this one",
    "uncertain": _SCENARIOS,
    "ranges": _SCENARIOS,
    "search": _SCENARIOS,
    "payers.*.authorization": "count the delay and denials in the sources' `per_week`",
    "sources.*.dispersion": "",
    "sources.*.changes": "write the change in a second scenario that `extends` this one",
    "sources.*.trace": "say `per_week`, with `weekdays` and `months`, instead",
    "sources.*.modalities": "",
    "levels.*.contact": _AT_LIST,
    "levels.*.eligible": _AT_LIST,
    "levels.*.intake": _AT_LIST,
    "levels.*.refer_before_days": "",
    "levels.*.waitlist.ages_into": "",
    "levels.*.waitlist.accept_other_time_after_days": "raise the share of `either` in the sources' `times`",
    "levels.*.groups.*.modality": "",
    "levels.*.groups.*.room": "say what the group can hold in its `seats`",
    "levels.*.groups.*.admission": "every group is open: new patients join at the next session",
    "levels.*.groups.*.below_minimum:table": "say `below_minimum: cancel` instead",
    "staff.*.turnover_per_year": _FIXED,
    "staff.*.days_to_hire": _FIXED,
    "staff.*.onboarding_weeks": _FIXED,
    "staff.*.leaves": _FIXED,
    "staff.*.reassignment": _FIXED,
    "staff.*.associate": "",
    "staff.*.patients_per_clinician_at_most": "set the groups' `seats` accordingly",
    "staff.*.cover_per_hour": "",
    "staff.*.limits": "hours that lack are counted as shortfall",
    "services.limits:number": "hours that lack are counted as shortfall",
    "services.*.limits": "hours that lack are counted as shortfall",
    "services.*.due_days": "",
    "money.billing": "",
    "money.revenue.*.*:list": "say one amount per attended day",
    "money.inpatient_alternative.beds_close": "",
    "money.inpatient_alternative.outcome_difference": "",
}
"""What to write instead, by the path of the word; after a colon, the form of the value that is refused."""


def unsupported(tree: Any) -> list[Finding]:
    """The words in a plain tree that are part of the language and not of this version."""
    found = []
    for word, instead in WORDS.items():
        pattern, _, form = word.partition(":")
        message = f"not supported yet; {instead}" if instead else "not supported yet; leave it out"
        found += [
            Finding("not-supported", path, message)
            for path, value in select(tree, pattern)
            if form in ("", shape(value))
        ]
    return found
