"""Names: each one used must be defined, and mean one thing. Read off the plain tree, valid or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from iopsim.scenario.distributions.faults import closest
from iopsim.scenario.findings import Finding, select, words
from iopsim.scenario.parts import HOME
from iopsim.scenario.schema import EVERYONE

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from iopsim.scenario.tree import Path

__all__ = ["METRIC_WORDS", "RESERVED", "RETURNED", "clashes", "crowded", "dangling"]

RETURNED = "returned"  # where those come from who were in care before
EITHER = "either"  # the preference that any group fits

RESERVED = frozenset({
    HOME, RETURNED, EITHER, "alternative", "authorization", "group", "order", "program", "seat", "system", "treatment",
})  # fmt: skip
"""Words that mean something of their own wherever a name may stand."""

METRIC_WORDS = frozenset({
    "access_days", "admitted_not_started", "applying", "appointments", "attendance",
    "authorization_cut", "authorization_days", "below_minimum_days", "cancelled_sessions", "census",
    "completed", "contact_days", "cost", "discharged", "dropped_out", "ghost_seats", "group_fill",
    "held", "held_back_by", "held_cost", "held_cost_for", "held_days", "held_days_for", "intake_days",
    "left", "lost", "merged_sessions", "never_started", "over_capacity_sessions", "referrals",
    "reneged", "reneged_wait_days", "seat_utilization", "short_days", "started_within_14_days",
    "started_within_7_days", "stay_days", "stays_under", "stepped_up", "still_in_care",
    "uncovered_days", "unpaid_days", "unresolved", "utilization", "wait_days", "waitlist",
    "wasted_slots", "weeks_until_under",
})  # fmt: skip
"""What follows a level in the name of a metric, where a track may stand too."""

_LEVEL_OR_HOME = ("level", HOME)
_ORIGIN = ("source", "level", RETURNED)

# Where names stand as values, and what each names.
_VALUES: dict[str, tuple[str, ...]] = {
    "sources.*.to": ("level",),
    "payers.*.authorization.levels.*": ("level",),
    "payers.*.authorization.denied_to": _LEVEL_OR_HOME,
    "levels.*.caseload": ("role",),
    "levels.*.contact.lost_to": _LEVEL_OR_HOME,
    "levels.*.contact.for.*": _ORIGIN,
    "levels.*.eligible.otherwise": _LEVEL_OR_HOME,
    "levels.*.eligible.for.*": _ORIGIN,
    "levels.*.intake.role": ("role",),
    "levels.*.intake.lost_to": _LEVEL_OR_HOME,
    "levels.*.intake.for.*": _ORIGIN,
    "levels.*.waitlist.otherwise": _LEVEL_OR_HOME,
    "levels.*.waitlist.renege_to": _LEVEL_OR_HOME,
    "levels.*.leave_early.dropout_to": _LEVEL_OR_HOME,
    "levels.*.by.*.*.leave_early.dropout_to": _LEVEL_OR_HOME,
    "levels.*.returns.to": ("level",),
    "levels.*.returns.from.*": _LEVEL_OR_HOME,
    "levels.*.groups.*.tracks.*": ("track",),
    "levels.*.groups.*.room": ("room",),
    "levels.*.groups.*.below_minimum.merge_with": ("group",),
    "staff.*.associate.supervised_by": ("role",),
    "services.*.role": ("role",),
    "services.*.levels.*": ("level",),
    "services.*.tracks.*": ("track",),
    "money.inpatient_alternative.for.*": ("source",),
    "from_today.*.level": ("level",),
}
# Where they stand as keys.
_KEYS: dict[str, tuple[str, ...]] = {
    "sources.*.tracks.*": ("track",),
    "sources.*.times.*": ("time",),
    "sources.*.modalities.*": ("modality",),
    "sources.*.payers.*": ("payer",),
    "levels.*.places.*": ("track",),
    "levels.*.groups.*.facilitators.*": ("role",),
    "levels.*.leave_early.step_up.to.*": ("level",),
    "levels.*.by.*.*.leave_early.step_up.to.*": ("level",),
    "levels.*.next.*": _LEVEL_OR_HOME,
    "levels.*.waitlist.priority.*": _ORIGIN,
    "levels.*.waitlist.at_most.*": _ORIGIN,
    "levels.*.by.track.*": ("track",),
    "levels.*.by.source.*": ("source",),
    "money.revenue.*": ("level",),
    "money.revenue.*.*": ("payer",),
    "money.inpatient_alternative.divertible.*": ("source",),
    "from_today.waitlist_under.*": ("level",),
}
_MOST_NAMES = 100  # of one kind: far more than a program has, and few enough to check every pair of them
_MOST_HINTS = 100  # looking for the nearest name takes time; who has more faults has one cause for them

_OWNERS = {"levels.*": "level", "sources.*": "source", "staff.*": "role", "levels.*.groups.*": "group"}
_SECTIONS = {
    "level": "levels", "source": "sources", "role": "staff", "track": "tracks", "payer": "payers", "room": "rooms",
}  # fmt: skip
_MATCHED = {
    "time": "day",
    "modality": "in_person",
}  # what groups and patients both say, and what groups say unless told


def crowded(tree: Any) -> list[Finding]:
    """Mappings with more names than can be meant, or looked at one by one."""
    patterns = (*_SECTIONS.values(), "services", "levels.*.groups", "levels.*.by.*")
    return [
        Finding(
            "too-many", path, f"holds {len(names)} names; at most {_MOST_NAMES} are read, so leave some out"
        )
        for pattern in patterns
        for path, names in select(tree, pattern)
        if isinstance(names, dict) and len(names) > _MOST_NAMES
    ]


def dangling(tree: Any, told: Container[Path]) -> list[Finding]:
    """Names that are used and defined nowhere; nothing about the paths that are `told` to be wrong already."""
    known = _known(tree)
    unread = {kind for kind, section in _SECTIONS.items() if (section,) in told}
    if not all(
        isinstance(part, dict) for _, part in (*select(tree, "levels.*"), *select(tree, "levels.*.groups"))
    ):
        unread |= {"group", *_MATCHED}  # said by groups that cannot be read
    used = [
        *((path, name, kinds) for pattern, kinds in _VALUES.items() for path, name in select(tree, pattern)),
        *((path, path[-1], kinds) for pattern, kinds in _KEYS.items() for path, _ in select(tree, pattern)),
    ]
    strays = [
        (path, name, kinds)
        for path, name, kinds in used
        if isinstance(name, str)
        and path not in told
        and unread.isdisjoint(kinds)
        and not any(name in known.get(kind, [kind]) for kind in kinds)
    ]
    return [
        Finding("unknown-name", path, _unknown(name, kinds, known, number < _MOST_HINTS))
        for number, (path, name, kinds) in enumerate(strays)
    ]


def _known(tree: Any) -> dict[str, list[str]]:
    """The names that are defined, by kind."""
    known = {
        kind: [str(path[-1]) for path, _ in select(tree, f"{section}.*")]
        for kind, section in _SECTIONS.items()
    }
    groups = select(tree, "levels.*.groups.*")
    for word, default in _MATCHED.items():
        said = [group.get(word, default) for _, group in groups if isinstance(group, dict)]
        known[word] = list(dict.fromkeys([*(name for name in said if isinstance(name, str)), EITHER]))
    return known | {
        "track": known["track"] or [EVERYONE],
        "payer": known["payer"] or [EVERYONE],
        "group": [str(path[-1]) for path, _ in groups],
    }


def _unknown(name: str, kinds: tuple[str, ...], known: dict[str, list[str]], hinting: bool) -> str:
    possible = [word for kind in kinds for word in known.get(kind, [kind])]
    noun = words([kind for kind in kinds if kind in known], "or")
    hint = closest(name.lower(), possible) if hinting else ""
    if hint or not possible:
        return f'unknown {noun} "{name}"{hint or f"; none is defined under `{_SECTIONS[kinds[0]]}`"}'
    trouble = {"time": f'no group meets at "{name}"', "modality": f'no group has the modality "{name}"'}.get(
        noun, f'unknown {noun} "{name}"'
    )
    return f"{trouble}; known: {', '.join(possible)}"


def clashes(tree: Any) -> list[Finding]:
    """Names that mean two things: in one scenario, to the language, or in the name of a metric."""
    return [*_twice(tree), *_reserved(tree)]


def _twice(tree: Any) -> Iterator[Finding]:
    owners: dict[str | int, str] = {}
    for pattern, kind in _OWNERS.items():
        for path, _ in select(tree, pattern):
            if owner := owners.get(path[-1]):
                whose = f"another {kind}" if owner == kind else f"a {owner}"
                message = f"{whose} has this name too; rename one, since metrics go by name"
                yield Finding("name-twice", path, message)
            owners.setdefault(path[-1], kind)


def _reserved(tree: Any) -> Iterator[Finding]:
    for pattern in (*_OWNERS, "tracks.*", "payers.*"):
        for path, _ in select(tree, pattern):
            if path[-1] in RESERVED:
                yield Finding("reserved-name", path, f"`{path[-1]}` has a meaning of its own; rename it")
            elif pattern == "tracks.*" and path[-1] in METRIC_WORDS:
                yield Finding(
                    "reserved-name", path, f"`{path[-1]}` is the name of a metric; rename the track"
                )
    for word, one in (
        ("time", "at one time, such as day or evening"),
        ("modality", "in one way, in person or not"),
    ):
        for path, said in select(tree, f"levels.*.groups.*.{word}"):
            if said == EITHER:
                message = f"`either` is what patients may want; a group meets {one}"
                yield Finding("reserved-name", path, message)
