"""What may be different from a date on; of the rest, why it may not and what to write instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from iopsim.scenario.findings import matches, words

__all__ = ["MAY_BEGIN", "MAY_CHANGE", "may_change", "refusal"]

MAY_CHANGE: dict[str, tuple[str, ...]] = {
    "capacity": (
        "levels.*.places",
        "levels.*.places.*",
        "levels.*.waitlist.at_most",
        "levels.*.waitlist.at_most.*",
        "levels.*.groups.*.seats",
        "levels.*.groups.*.overbook",
        "levels.*.groups.*.min_census",
    ),
    "staffing": (
        "staff.*.posts",
        "staff.*.fte",
        "staff.*.caseload",
        "staff.*.paid_hours_per_week",
        "staff.*.bookable",
        "staff.*.leave_weeks_per_year",
        "staff.*.turnover_per_year",
        "staff.*.onboarding_weeks",
    ),
    "price": (
        "levels.*.cost_per_day",
        "levels.*.cost_per_attended_day",
        "staff.*.salary_per_year",
        "staff.*.cover_per_hour",
        "services.*.cost",
        "rooms.*.cost_per_week",
        "money.benefits",
        "money.overhead_share_of_cost",
        "money.overhead_per_year",
        "money.revenue.*.*",
        "money.billing.hours_per_day_at_least",
        "money.billing.below_minimum",
        "money.billing.claims_denied",
    ),
    "rate": (
        "sources.*.per_week",
        "levels.*.contact.share",
        "levels.*.eligible.share",
        "levels.*.attendance.mean",
        "levels.*.leave_early.dropout_per_week",
        "levels.*.leave_early.step_up.per_week",
        "levels.*.extension.share",
        "levels.*.returns.share",
        "payers.*.authorization.denied",
        "payers.*.authorization.review.cut",
    ),
}
"""What the plan may change on a date, by kind; `*` is any name."""

_PATTERNS = tuple(pattern for patterns in MAY_CHANGE.values() for pattern in patterns)

MAY_BEGIN = (
    "levels.*.waitlist.at_most",
    "levels.*.waitlist.at_most.*",
    "staff.*.cover_per_hour",
    "money.revenue.*.*",
    "money.overhead_share_of_cost",
    "money.overhead_per_year",
)
"""Limits and prices of which there may be none before the date."""

_OTHERWISE = {
    "levels.*.groups.*.*": "end the group with `until`, and write a second one with `from`",
    "sources.*.growth_per_year": "a source's own `changes` multiply its rate from dates on",
    "sources.*.weekdays": "a source's own `changes` multiply its rate from dates on",
    "sources.*.months": "a source's own `changes` multiply its rate from dates on",
    "sources.*.changes": "they have dates of their own",
    "sources.*.*": "write a second source, and change the `per_week` of both on the date",
    "staff.*.leaves": "they have dates of their own",
    "calendar.closed": "they are dates",
}
_BOUGHT = ("cost_per_day", "cost_per_attended_day")
_WHOLE_RUN = "it is the same for the whole run"


def may_change(path: Sequence[str]) -> bool:
    """Whether a value at `path` may be another from a date on."""
    return any(matches(tuple(path), pattern) for pattern in _PATTERNS)


def refusal(path: str, value: Any, tree: Any) -> str:
    """Why a value cannot be set on a date, and what to write instead; empty if it can.

    Args:
        path: Where, with dots.
        value: The new value.
        tree: The scenario before all changes, resolved.
    """
    steps = tuple(path.split("."))
    there = _at(tree, steps)
    if "*" in steps:
        return "`*` is a word of sweeps; name each place by itself"
    if may_change(steps) and (there is not None or _begins(steps, tree)):
        return _unfit(steps, value, there, tree)
    return _absent(steps, tree) if may_change(steps) else _stray(steps, tree) or _fixed(steps)


def _at(tree: Any, steps: Sequence[str]) -> Any:
    """The value at a path of a plain tree; None if there is none."""
    for step in steps:
        tree = tree.get(step) if isinstance(tree, Mapping) else None
    return tree


def _begins(steps: tuple[str, ...], tree: Any) -> bool:
    owner = ("levels", steps[2]) if matches(steps, "money.revenue.*.*") else steps[:-1]
    return any(matches(steps, pattern) for pattern in MAY_BEGIN) and isinstance(_at(tree, owner), Mapping)


def _stray(steps: tuple[str, ...], tree: Any) -> str:
    """That a path leads nowhere in the scenario, with the nearest one that leads somewhere."""
    from iopsim.errors import Mark
    from iopsim.scenario.sweeps.paths import astray
    from iopsim.scenario.tree import Step

    return astray(tuple(Step(step, Mark("")) for step in steps), tree) or ""


def _fixed(steps: tuple[str, ...]) -> str:
    """That what a path leads to never changes."""
    for pattern, instead in _OTHERWISE.items():
        if matches(steps[: pattern.count(".") + 1], pattern):
            return f"cannot change on a date; {instead}"
    ahead = [
        pattern.split(".")
        for pattern in _PATTERNS
        if matches(steps[:2], ".".join(pattern.split(".")[: len(steps[:2])]))
    ]
    if not ahead:
        return f"cannot change on a date; {_WHOLE_RUN}"
    can = words(f"`{'.'.join(pattern[2:]) or pattern[1]}`" for pattern in ahead)
    where = f"of {'.'.join(steps[:2])} these can: {can}"
    return f"cannot change on a date; {where}; for the rest compare two scenarios"


def _absent(steps: tuple[str, ...], tree: Any) -> str:
    """That a scenario has no such thing to change."""
    *owner, last = steps
    table = _at(tree, owner)
    level = _at(tree, steps[:2]) if steps[0] == "levels" else None
    if level is not None and last in _BOUGHT:
        return _swapped(last, level)
    if level is not None and steps[2] == "places" and level.get("groups"):
        return "the level has no places, it has groups; change their `seats`"
    if level is not None and steps[2] == "groups" and not level.get("groups"):
        return f"the level has no groups, it has places; change {'.'.join(steps[:2])}.places"
    if steps[-2] in ("places", "at_most") and level is not None:
        if isinstance(table, Mapping):
            return f"there is none for {last}, only for {words(table)}; say it from the start"
        return f"there is no table; change {'.'.join(owner)} itself"
    if stray := _stray(steps, tree):
        return stray
    return "the scenario says none; write it in the plan from the start, and change it here"


def _swapped(price: str, level: Mapping[str, Any]) -> str:
    """That a level is its own, or bought at one kind of price, from beginning to end."""
    if other := next((word for word in _BOUGHT if word in level), None):
        return f"the level is bought at a `{other}` for the whole run; change that, or compare two scenarios"
    return f"the level has no `{price}`: it is your own for the whole run, not bought; compare two scenarios"


def _unfit(steps: tuple[str, ...], value: Any, there: Any, tree: Any) -> str:
    """Why another value there would not mean what it seems to."""
    if matches(steps, "sources.*.per_week") and _at(tree, (*steps[:2], "trace")):
        return "its referrals are those of a file (`trace`), whatever the rate"
    if steps[-1] == "places" and isinstance(there, Mapping) != isinstance(value, Mapping):
        form = f"a table of {words(there)}" if isinstance(there, Mapping) else "one number"
        return f"places that are {form} stay so; write {form}"
    if steps[-1] == "places" and isinstance(there, Mapping) and there.keys() != value.keys():
        return f"write a number for each of {words(there)}"
    for axis, parts in (_at(tree, (*steps[:2], "by")) or {}).items() if steps[0] == "levels" else ():
        for who, part in parts.items():
            law = ("leave_early", "dropout") if steps[-1] == "dropout_per_week" else steps[2:]
            if any(_at(part, said) is not None for said in (steps[2:], law)):
                mine = ".".join((*steps[:2], "by", axis, who))
                return f"{mine} says another for some patients, whom the change would pass by; drop it there"
    return ""
