"""What may be different from a date on; of the rest, why it may not and what to write instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from iopsim.scenario.findings import matches, select, words

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
    "levels.*.groups": "write the group under its level, with `from` its first day",
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
    if isinstance(value, Mapping) and isinstance(there, Mapping) and not may_change(steps):
        return f"write each value by its whole path, such as `{path}.{_inmost(value)}`"
    if may_change(steps) and (there is not None or _begins(steps, tree)):
        return _unfit(steps, value, there, tree)
    return _absent(steps, tree) if may_change(steps) else _stray(steps, tree) or _fixed(steps, tree)


def _at(tree: Any, steps: Sequence[str]) -> Any:
    """The value at a path of a plain tree; None if there is none."""
    for step in steps:
        tree = tree.get(step) if isinstance(tree, Mapping) else None
    return tree


def _inmost(value: Mapping[str, Any]) -> str:
    """The dotted path of the first value in nested mappings."""
    name, below = next(iter(value.items()), ("…", None))
    return f"{name}.{_inmost(below)}" if isinstance(below, Mapping) else str(name)


def _begins(steps: tuple[str, ...], tree: Any) -> bool:
    owner = ("levels", steps[2]) if matches(steps, "money.revenue.*.*") else steps[:-1]
    return any(matches(steps, pattern) for pattern in MAY_BEGIN) and isinstance(_at(tree, owner), Mapping)


def _stray(steps: tuple[str, ...], tree: Any) -> str:
    """That a path leads nowhere in the scenario, with the nearest one that leads somewhere."""
    from iopsim.errors import Mark
    from iopsim.scenario.sweeps.paths import astray
    from iopsim.scenario.tree import Step

    return astray(tuple(Step(step, Mark("")) for step in steps), tree) or ""


def _fixed(steps: tuple[str, ...], tree: Any) -> str:
    """That what a path leads to never changes, and what beside it may."""
    for pattern, instead in _OTHERWISE.items():
        if matches(steps[: pattern.count(".") + 1], pattern):
            return f"cannot change on a date; {instead}"
    can = {
        ".".join(path[2:] or path[1:])
        for pattern in _PATTERNS
        if matches(steps[:2], ".".join(pattern.split(".")[: len(steps[:2])]))
        for path in _places(pattern, steps[:2], tree)
    }
    if not can:
        return f"cannot change on a date; {_WHOLE_RUN}"
    where = f"of {'.'.join(steps[:2])} these can: {words(f'`{path}`' for path in sorted(can))}"
    return f"cannot change on a date; {where}; for the rest compare two scenarios"


def _places(pattern: str, owner: tuple[str, ...], tree: Any) -> Iterator[tuple[str, ...]]:
    """Where a scenario has, or may begin to have, what a pattern means of an owner; groups as a pattern."""
    rest = pattern.split(".")[len(owner) :]
    found = [path for path, _ in select(tree, ".".join((*owner, *rest)))]
    if found or (pattern in MAY_BEGIN and rest[-1:] != ["*"] and _begins((*owner, *rest), tree)):
        yield (*owner, *rest)


def _absent(steps: tuple[str, ...], tree: Any) -> str:
    """That a scenario has no such thing to change."""
    *owner, last = steps
    level = _at(tree, steps[:2]) if steps[0] == "levels" else None
    if level is not None and (otherwise := _of_level(steps, level)):
        return otherwise
    if steps[-2] in ("places", "at_most") and level is not None:
        if isinstance(table := _at(tree, owner), Mapping):
            return f"there is none for {last}, only for {words(table)}; say it from the start"
        return f"there is no table; change {'.'.join(owner)} itself"
    return (
        _stray(steps, tree)
        or "the scenario says none; write it in the plan from the start, and change it here"
    )


def _of_level(steps: tuple[str, ...], level: Mapping[str, Any]) -> str:
    """What a level has instead; empty if that is not the point."""
    if steps[-1] in _BOUGHT:
        return _swapped(steps[-1], level)
    if steps[2] == "places" and level.get("groups"):
        return "the level has no places, it has groups; change their `seats`"
    if steps[2] == "groups" and not level.get("groups"):
        return f"the level has no groups, it has places; change {'.'.join(steps[:2])}.places"
    return ""


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
