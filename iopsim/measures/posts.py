"""Posts over time: who is there, how many patients each carries, and what that is beside the limits in force.

Source: model.md §8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from iopsim.measures.tables import NONE, Bools, Floats, Intervals, Ints, in_force, sums, until_next
from iopsim.measures.window import remembered
from iopsim.model.ledger import Fact, PostState

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from iopsim.measures.window import Window

__all__ = [
    "Caseload",
    "Clinicians",
    "Posts",
    "caseload",
    "clinicians",
    "departures",
    "filled_posts",
    "mean_carried",
    "posts",
]


class Posts(NamedTuple):
    """Stretches of time in which a post of a role is in one state with one caseload limit; shape (n,)."""

    begin: Floats
    end: Floats
    post: Ints
    state: Ints
    limit: Ints

    def among(self, mask: Bools) -> Posts:
        """Those stretches that a mask marks; its shape (n,)."""
        return Posts(self.begin[mask], self.end[mask], self.post[mask], self.state[mask], self.limit[mask])

    @property
    def filled(self) -> Posts:
        """Those in which somebody holds the post and is there."""
        return self.among(self.state == PostState.FILLED)

    @property
    def paid(self) -> Posts:
        """Those in which somebody holds the post, absent or not."""
        return self.among((self.state == PostState.FILLED) | (self.state == PostState.AWAY))

    @property
    def vacant(self) -> Posts:
        """Those in which nobody holds the post, while the plan has it."""
        return self.among(self.state == PostState.VACANT)

    def days(self, window: Window) -> float:
        """Post-days of the window."""
        return float(window.days_inside(self.begin, self.end).sum())


@remembered
def posts(window: Window, role: str) -> Posts:
    """The posts of a role over the whole run, one after another."""
    every = _all_posts(window)
    mine = np.array([name == role for name, _ in window.ledger.posts], bool)
    return every.among(mine[every.post])


@remembered
def _all_posts(window: Window) -> Posts:
    ledger = window.ledger
    order, end = until_next(ledger.post_number, ledger.post_time)
    return Posts(
        begin=ledger.post_time[order],
        end=end,
        post=ledger.post_number[order],
        state=ledger.post_state[order],
        limit=ledger.post_limit[order],
    )


def departures(window: Window, role: str) -> int:
    """How often the holder of a post left it in the window; a post that the plan gives up is left by nobody."""
    begin, _, post, state, _ = posts(window, role)
    held = np.isin(state[:-1], (PostState.FILLED, PostState.AWAY)) & (post[1:] == post[:-1])
    left = held & (state[1:] == PostState.VACANT)
    return int((left & window.inside(begin[1:])).sum())


@remembered
def filled_posts(window: Window, role: str, since: float = -np.inf, until: float = np.inf) -> Floats:
    """Mean number of filled posts in each measured week, of the time between two dates; shape (weeks,)."""
    begin, end, post, *_ = posts(window, role).filled
    edges = window.start + 7 * np.arange(window.weeks + 1.0)
    filled = Intervals(begin.clip(since, until), end.clip(since, until), post)
    weeks: Floats = np.diff(filled.days_before(edges)) / 7
    return weeks


# Patients and their clinicians


class Carried(NamedTuple):
    """Stretches of time in which a stay is on the caseload of a post (−1: owed a clinician); shape (n,)."""

    begin: Floats
    end: Floats
    stay: Ints
    post: Ints

    def among(self, mask: Bools) -> Carried:
        """Those stretches that a mask marks; its shape (n,)."""
        return Carried(self.begin[mask], self.end[mask], self.stay[mask], self.post[mask])


@remembered
def _carried(window: Window) -> Carried:
    """All stays in levels that have caseloads, by stay."""
    ledger = window.ledger
    rows, end = in_force(ledger, Fact.ADMITTED, Fact.REASSIGNED, Fact.RELEASED)
    has_caseload = np.array([level.caseload is not None for level in window.scenario.levels.values()], bool)
    on = (ledger.fact[rows] != Fact.RELEASED) & has_caseload[ledger.stay_level[ledger.stay[rows]]]
    rows, end = rows[on], end[on]
    return Carried(ledger.time[rows], end, ledger.stay[rows], ledger.b[rows])


@remembered
def mean_carried(window: Window) -> Floats:
    """Mean patients of each post over the window; shape (posts of all roles,)."""
    carried = _carried(window)
    carried = carried.among(carried.post != NONE)
    share_of_time = window.days_inside(carried.begin, carried.end) / window.length
    return sums(carried.post, share_of_time, len(window.ledger.posts))


class Caseload(NamedTuple):
    """The caseload of one role in the window, in patient-days, and reassignments.

    Attributes:
        carried: With a clinician.
        unassigned: Owed one, while there is nobody.
        over: Beyond the limits in force, post by post.
        limit: Sum of the limits in force.
        reassigned: How often a patient got another clinician.
    """

    carried: float
    unassigned: float
    over: float
    limit: float
    reassigned: int


@remembered
def caseload(window: Window, role: str) -> Caseload:
    """Who carries the patients of a role, beside the limits in force: those of the posts that are filled."""
    ledger, filled, every = window.ledger, posts(window, role).filled, _carried(window)
    levels = np.array([level.caseload == role for level in window.scenario.levels.values()], bool)
    mine = levels[ledger.stay_level]
    owed = every.among(mine[every.stay])
    carried, unassigned = owed.among(owed.post != NONE), owed.among(owed.post == NONE)
    excess, days = _steps(
        (window.start, window.end),
        np.concatenate((carried.begin, filled.begin)),
        np.concatenate((carried.end, filled.end)),
        np.concatenate((np.ones(len(carried.post)), -filled.limit)),
        np.concatenate((carried.post, filled.post)),
    )
    again = window.rows(Fact.REASSIGNED)
    again = again[(ledger.b[again] != NONE) & mine[ledger.stay[again]]]
    return Caseload(
        carried=float(window.days_inside(carried.begin, carried.end).sum()),
        unassigned=float(window.days_inside(unassigned.begin, unassigned.end).sum()),
        over=float(excess.clip(min=0) @ days),
        limit=float(filled.limit @ window.days_inside(filled.begin, filled.end)),
        reassigned=int(window.inside(ledger.time[again]).sum()),
    )


class Clinicians(NamedTuple):
    """Patients in care and posts filled of the role that looks after them, in steps; shape (steps,).

    `fte` is that of one post meanwhile.
    """

    days: Floats
    patients: Floats
    posts: Floats
    fte: float


@remembered
def clinicians(window: Window, role: str) -> tuple[Clinicians, ...]:
    """Steps of the patients in care for whom a role is there, and of its filled posts: plan by plan, in the window.

    The patients are those of the levels that name the role as caseload; if none does, of those in whose groups
    it is a facilitator.
    """
    levels = window.scenario.levels
    chosen = [name for name, level in levels.items() if level.caseload == role] or [
        name
        for name, level in levels.items()
        if any(role in group.facilitators for group in level.groups.values())
    ]
    stays = np.isin(window.stays.level, [window.ledger.levels.index(name) for name in chosen])
    care, filled = window.intervals("in_care", stays), posts(window, role).filled
    is_post = np.repeat((False, True), (len(care.begin), len(filled.begin)))
    begin, end = np.concatenate((care.begin, filled.begin)), np.concatenate((care.end, filled.end))
    found = []
    for since, until, plan in window.spells_inside:
        bounds = max(since, window.start), min(until, window.end)
        level, days = _steps(
            bounds, begin, end, np.column_stack((~is_post, is_post)), np.zeros(len(is_post), np.int64)
        )
        lasts = days > 0
        found.append(Clinicians(days[lasts], level[lasts, 0], level[lasts, 1], plan.staff[role].fte))
    return tuple(found)


def _steps(
    bounds: tuple[float, float], begin: Floats, end: Floats, weight: NDArray[Any], key: Ints
) -> tuple[Floats, Floats]:
    """The sum of the weights of what is on, key by key, in steps from one time to another.

    Returns:
        The sum at each step, 0 before a key's first and after its last one, and the days that it lasts.
    """
    time = np.clip(np.concatenate((begin, end)), *bounds)
    order = np.lexsort((time, np.tile(key, 2)))
    weight = weight.astype(np.float64)
    total: Floats = np.concatenate((weight, -weight))[order].cumsum(axis=0)
    # All that is on ends at the later bound at the latest, so every key comes back to 0 before the next.
    return total, np.diff(time[order], append=bounds[1])
