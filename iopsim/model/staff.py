"""Staff who carry patients: a caseload of individual posts (model.md §8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from iopsim.model.units import Unit
    from iopsim.scenario.schema import Role

__all__ = ["Caseload"]


class Caseload:
    """The posts of one role and how many patients each carries; a patient keeps the same one for a stay.

    Attributes:
        first: Index of the role's first post among the posts of all roles.
        carried: Patients by post.
        free: How many more patients all posts together can carry.
        units: The levels that draw on the role.
    """

    def __init__(self, role: Role, first: int) -> None:
        self.first = first
        self.limit = role.caseload_limit
        self.carried = [0] * role.posts
        self.units: list[Unit] = []
        self.free = self.limit * role.posts

    def assign(self) -> int:
        """Add a patient to the post with the fewest (all have one limit), ties in order; give its index."""
        post = self.carried.index(min(self.carried))
        self.carried[post] += 1
        self.free -= 1
        return self.first + post

    def count(self, post: int, change: int) -> None:
        """Add `change` (+1 or −1) patients to a post, given by its index among all posts."""
        self.carried[post - self.first] += change
        self.free -= change
