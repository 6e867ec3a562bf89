"""The posts of a role, whoever holds them, and how many patients each of them may carry (model.md §8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopsim.model.ledger import PostState

if TYPE_CHECKING:
    from collections.abc import Callable

    from iopsim.model.people import Stay
    from iopsim.model.units import Unit
    from iopsim.scenario.schema import Role

__all__ = ["Caseload", "Crew", "Post"]

NOBODY = -1


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

    def __init__(self, role: Role, first: int) -> None:
        self.first = first
        self.carried = [0] * role.posts
        self.limits = [role.caseload_limit] * role.posts
        self.free = role.caseload_limit * role.posts
        self.units: list[Unit] = []
        self.patients: dict[int, Stay] = {}
        self._present = list(range(role.posts))
        self._is_even = True

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
            before = self._room(place)
            self.carried[place] += change
            self.free += self._room(place) - before

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

    `number` is its index among the posts of all roles, `place` that among those of its role.
    """

    __slots__ = ("crew", "hired", "holder", "limit", "number", "place", "state")

    def __init__(self, crew: Crew, place: int) -> None:
        self.crew = crew
        self.place = place
        self.number = crew.first + place
        self.holder = 1
        self.hired = 0.0
        self.state = PostState.FILLED
        self.limit = crew.full


class Crew:
    """All posts of one role.

    Attributes:
        index: Of the role among all roles.
        first: Index of its first post among the posts of all roles.
        full: Caseload limit of a post whose holder is no longer new.
        present: Places of the posts that are filled by somebody who is there.
        caseload: The patients that the role carries, where some level asks for that.
        watchers: Called when somebody comes (back) who was not there.
    """

    def __init__(self, name: str, role: Role, index: int, first: int) -> None:
        self.name = name
        self.role = role
        self.index = index
        self.first = first
        self.full = role.caseload_limit
        self.posts = [Post(self, place) for place in range(role.posts)]
        self.present = list(range(role.posts))
        self.caseload: Caseload | None = None
        self.watchers: list[Callable[[], None]] = []

    def change(self, post: Post, state: PostState, limit: int) -> None:
        """Let a post be in another state, or have another limit."""
        post.state, post.limit = state, limit
        self.present = [each.place for each in self.posts if each.state is PostState.FILLED]
        if self.caseload is not None:
            self.caseload.resize([each.limit for each in self.posts], self.present)
