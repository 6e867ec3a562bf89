"""The posts of a role, whoever holds them, and how many patients each of them may carry (model.md §8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from iopsim.model.ledger import PostState
from iopsim.model.people import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from iopsim.model.people import Stay
    from iopsim.model.units import Unit
    from iopsim.scenario.schema import Role

__all__ = ["Caseload", "Crew", "Post"]

NOBODY: Final = -1


class Caseload:
    """How many patients each post of one role carries; a patient keeps the same one as long as they are there.

    Attributes:
        first: Index of the role's first post among the posts of all roles.
        carried: Patients by post.
        limits: Most patients by post; 0 where nobody is.
        free: How many more patients all posts together can take.
        units: The levels that draw on the role.
        patients: By number of their stay, all who have somebody of the role, or wait for somebody again.
    """

    def __init__(self, role: Role, first: int, later: int = 0) -> None:
        self.first = first
        self.carried = [0] * (role.posts + later)
        self.limits = [role.caseload_limit] * role.posts + [0] * later
        self.free = role.caseload_limit * role.posts
        self.units: list[Unit] = []
        self.patients: dict[int, Stay] = {}
        self._present = list(range(role.posts))
        self._is_even = not later

    def assign(self) -> int:
        """Add a patient to the post with room that is least loaded, ties in order; give its index."""
        if self._is_even:  # then the fewest patients are the least load, and room is there
            place = self.carried.index(min(self.carried))
        else:
            place = min((each for each in self._present if self._room(each)), key=self._load)
        self.count(self.first + place, 1)
        return self.first + place

    def take_over(self) -> int:
        """Add a patient to the least loaded post, with or without room; give its index, −1 if nobody is there."""
        if not self._present:
            return NOBODY
        place = min(self._present, key=self._load)
        self.count(self.first + place, 1)
        return self.first + place

    def count(self, post: int, change: int) -> None:
        """Add `change` (+1 or −1) patients to a post, given by its index among all posts; −1 is nobody's."""
        if post != NOBODY:
            place = post - self.first
            carried = self.carried[place]
            self.carried[place] = carried + change
            fewer = carried if change > 0 else carried - 1
            if fewer < self.limits[place]:  # who carries too many has no room before or after
                self.free -= change

    def resize(self, limits: list[int], present: list[int]) -> None:
        """From now on posts have these limits, and these of them are there."""
        self.limits, self._present = limits, present
        self._is_even = len(present) == len(limits) and len(set(limits)) == 1
        self.free = sum(map(self._room, range(len(limits))))

    def _room(self, place: int) -> int:
        return max(0, self.limits[place] - self.carried[place])

    def _load(self, place: int) -> tuple[bool, float]:
        """Carried ÷ limit; those who may not carry anybody come last."""
        limit, carried = self.limits[place], self.carried[place]
        return (False, carried / limit) if limit else (True, carried)


class Post:
    """One post: who holds it (the n-th holder, from 1), since when, and whether they are there.

    `number` is its index among the posts of all roles, `place` that among those of its role; `planned` is the day on
    which the plan first has it. Of a holder who is new, `onboarding` is how many days that lasts (0: no longer), and
    `grows` when they may carry one more. `departs` is when a holder leaves at the turnover in force, `hazard` what was
    left of the unit exponential that decides it when the turnover last changed (None: it has not been drawn).
    """

    __slots__ = (
        "crew", "departs", "grows", "hazard", "hired", "holder", "limit", "number", "onboarding", "place", "planned",
        "state",
    )  # fmt: skip

    def __init__(self, crew: Crew, place: int, planned: float) -> None:
        self.crew = crew
        self.place = place
        self.number = crew.first + place
        self.planned = planned
        self.holder = 1
        self.hired = self.onboarding = 0.0
        self.grows = self.departs = NEVER
        self.hazard: float | None = None
        self.state = PostState.FILLED if place < crew.role.posts else PostState.CLOSED
        self.limit = crew.full if self.state is PostState.FILLED else 0

    @property
    def is_held(self) -> bool:
        """Whether somebody holds the post, there or away."""
        return self.state in {PostState.FILLED, PostState.AWAY}

    def limit_by(self, now: float) -> int:
        """How many patients the holder may carry: during onboarding, in proportion to its days that have passed."""
        full, passed = self.crew.full, now - self.hired
        if not self.onboarding or passed >= self.onboarding:
            return full
        return int(full * passed / self.onboarding + 1e-9)  # rounding must not undo a step that has come


class Crew:
    """All posts that one role ever has, those that the plan does not have yet or any more among them.

    Args:
        later: Days on which the plan first has each post beyond those of the opening.

    Attributes:
        role: As it is in force.
        index: Of the role among all roles.
        first: Index of its first post among the posts of all roles.
        full: Caseload limit of a post whose holder is no longer new.
        present: Places of the posts that are filled by somebody who is there.
        caseload: The patients that the role carries, where some level asks for that.
        watchers: Called when somebody comes (back) who was not there.
    """

    def __init__(self, name: str, role: Role, index: int, first: int, later: Sequence[float] = ()) -> None:
        self.name = name
        self.role = role
        self.index = index
        self.first = first
        self.full = role.caseload_limit
        planned = [-NEVER] * role.posts + [*later]
        self.posts = [Post(self, place, day) for place, day in enumerate(planned)]
        self.present = list(range(role.posts))
        self.caseload: Caseload | None = None
        self.watchers: list[Callable[[], None]] = []

    def change(self, post: Post, state: PostState, limit: int) -> None:
        """Let a post be in another state, or have another limit."""
        post.state, post.limit = state, limit
        self.present = [each.place for each in self.posts if each.state is PostState.FILLED]
        if self.caseload is not None:
            self.caseload.resize([each.limit for each in self.posts], self.present)
