"""The books of the posts: who holds them, how many patients each carries, to whom a leaver's go (model.md §8)."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Collection, Iterable
from math import floor

from iopsim.model.ledger import Ledger, PostState
from iopsim.scenario.schema import Role, Scenario
from iopsim.scenario.staff import Absence
from tests.properties.dates import Calendar, within
from tests.properties.parts import Part

__all__ = ["Facilitators", "Posts"]

NOBODY = -1
_CLOSE = 1e-6


class Posts:
    """States, limits and caseloads of all posts, from the rows about them and the facts of their patients."""

    def __init__(self, scenario: Scenario, ledger: Ledger, calendar: Calendar) -> None:
        self._calendar = calendar
        self._names = [role for role, _ in ledger.posts]
        self._of: dict[str, list[int]] = {name: [] for name in scenario.staff}
        for number, name in enumerate(self._names):
            self._of[name].append(number)
        self._plan = self._plan_before = calendar.opening
        self._rows = deque(
            zip(
                ledger.post_time.tolist(),
                ledger.post_number.tolist(),
                ledger.post_state.tolist(),
                ledger.post_limit.tolist(),
                strict=True,
            )
        )
        assert list(self._rows) == sorted(self._rows, key=lambda row: row[0])
        self._state: dict[int, PostState] = {}
        self._limit: dict[int, int] = {}
        self._since: dict[int, float] = {}
        self.carried: Counter[int] = Counter()
        self._now = float(calendar.first)
        self.left: set[int] = set()
        self._arrived: set[int] = set()
        self._orphans: Counter[int] = Counter()  # patients of those who have just left, by post
        self._onboarding: dict[int, float] = {}  # days that it lasts, of those who are new
        self._is_closing = False
        for number in range(len(self._names)):
            self._state[number], self._limit[number] = PostState.CLOSED, 0
            self._since[number] = self._now
        for number in range(sum(role.posts for role in calendar.opening.staff.values())):
            full = self._role(number).caseload_limit
            assert self._rows.popleft() == (self._now, number, PostState.FILLED, full), number
            self._state[number], self._limit[number] = PostState.FILLED, full
        self._as_planned()

    @property
    def instants(self) -> set[float]:
        """When posts change."""
        return {row[0] for row in self._rows}

    def _role(self, number: int) -> Role:
        """A post's role, as it is in force."""
        return self._plan.staff[self._names[number]]

    def _as_planned(self) -> None:
        """The plan has so many posts of each role, held or not."""
        for name, numbers in self._of.items():
            there = sum(self._state[number] != PostState.CLOSED for number in numbers)
            posts = self._plan.staff[name].posts
            assert there == posts, f"{there} posts of {name} at {self._now}, the plan has {posts}"

    def of(self, role: str) -> list[int]:
        """All posts of a role."""
        return self._of[role]

    def filled(self, role: str) -> list[int]:
        """Those that somebody holds who is there."""
        return [number for number in self.of(role) if self.is_filled(number)]

    def anybody(self, role: str | None) -> bool:
        """Whether somebody of the role is there."""
        return role is not None and bool(self.filled(role))

    def had_anybody(self, role: str, day: int) -> bool:
        """Whether some post has been filled since before the midnight at which a day begins."""
        return any(self._since[number] < day for number in self.filled(role))

    def is_filled(self, post: int) -> bool:
        """Whether somebody holds the post and is there."""
        return self._state[post] == PostState.FILLED

    def limit(self, post: int) -> int:
        """How many patients the post may carry."""
        return self._limit[post]

    # ── coming and going ─────────────────────────────────────────────────────────────────────────────────────

    def change(self, now: float, plan: Scenario | None = None) -> None:
        """Enter the rows of an instant, at which another plan may come into force."""
        self._now, self.left, self._arrived = now, set(), set()
        self._orphans.clear()
        self._plan_before, self._plan = self._plan, plan or self._plan
        self._is_closing = False
        while self._rows and self._rows[0][0] <= now:
            time, number, state, limit = self._rows.popleft()
            assert time == now
            self._enter(number, PostState(state), limit)
        self._plan_before = self._plan
        self._as_planned()

    def _enter(self, number: int, state: PostState, limit: int) -> None:
        role, before, since = self._role(number), self._state[number], self._since[number]
        full, is_new = role.caseload_limit, role.onboarding_weeks and role.caseload_limit
        said = f"post {number} from {before.name} to {state.name} at {self._now}"
        match before, state:
            case _, PostState.CLOSED:
                assert limit == 0, said
                self._closes(number, said)
                self._is_closing = True
                if before == PostState.FILLED:
                    self.left.add(number)
            case PostState.CLOSED, PostState.FILLED:
                more = role.posts - self._plan_before.staff[self._names[number]].posts
                opened = self._arrived & set(self.of(self._names[number]))
                assert len(opened) < more, f"{said}, which the plan does not have"
                earlier = [other for other in self.of(self._names[number]) if other < number]
                assert all(self._state[other] != PostState.CLOSED for other in earlier), (
                    f"{said} before {earlier}"
                )
                assert limit == (0 if is_new else full), said
                self._arrived.add(number)
            case PostState.FILLED, PostState.VACANT | PostState.AWAY:
                assert limit == 0, said
                self._goes(number, role, state, said)
                self.left.add(number)
            case PostState.AWAY, PostState.VACANT:
                assert limit == 0 and role.turnover_per_year > 0, said
            case PostState.VACANT, PostState.FILLED:
                assert within(role.days_to_hire, self._now - since), said
                assert limit == (0 if is_new else full), said
                self._arrived.add(number)
            case PostState.AWAY, PostState.FILLED:
                assert limit == full, said
                assert self._now in {self._calendar.day(each.until) + 1 for each in self._absences(role)}, (
                    said
                )
                self._arrived.add(number)
            case PostState.FILLED, PostState.FILLED:
                by_now = self._limit_by_now(number, full, since)
                changed = full != self._plan_before.staff[self._names[number]].caseload_limit
                assert limit == by_now and (changed or limit == self._limit[number] + 1), f"{said}: {by_now}"
            case _:
                raise AssertionError(said)
        if state != before:
            self._since[number] = self._now
            hired = state == PostState.FILLED and before != PostState.AWAY
            self._onboarding[number] = 7 * role.onboarding_weeks if hired else 0.0
        self._state[number], self._limit[number] = state, limit

    def _limit_by_now(self, number: int, full: int, since: float) -> int:
        """The limit of whoever holds a post: during onboarding in proportion to what has passed of it."""
        days = self._onboarding.get(number, 0.0)
        return min(full, floor(full * (self._now - since) / days + _CLOSE)) if days else full

    def _closes(self, number: int, said: str) -> None:
        """Those of which the plan has too many: vacant ones first, the last first."""
        name = self._names[number]
        there = [other for other in self.of(name) if self._state[other] != PostState.CLOSED]
        assert len(there) > self._plan.staff[name].posts, f"{said}, which the plan has"
        vacant = [other for other in there if self._state[other] == PostState.VACANT]
        assert number == max(vacant or there), f"{said}, not the last of {vacant or there}"

    def _goes(self, number: int, role: Role, state: PostState, said: str) -> None:
        """By turnover anybody may leave at any time; on a date it is the first who are there."""
        if state == PostState.AWAY:
            dated = {
                max(self._calendar.day(each.from_), self._calendar.first) for each in self._absences(role)
            }
        else:
            dated = {self._calendar.day(each) for each in role.leaves if not isinstance(each, Absence)}
        if self._now in dated:
            before = [other for other in self.filled(self._names[number]) if other < number]
            assert set(before) <= self._arrived, f"{said}, and {before} are there before"
        else:
            assert state == PostState.VACANT and role.turnover_per_year > 0, f"{said}, for no reason"

    @staticmethod
    def _absences(role: Role) -> Iterable[Absence]:
        return [each for each in role.leaves if isinstance(each, Absence)]

    # ── caseloads ────────────────────────────────────────────────────────────────────────────────────────────

    def with_room(self, role: str) -> int | None:
        """The post that the next patient would get, if one has room."""
        some = [number for number in self.filled(role) if self.carried[number] + 1 <= self._limit[number]]
        return min(some, key=self._load) if some else None

    def admit(self, post: int, role: str | None) -> None:
        """Somebody is admitted to a post, which must be the least loaded of those with room."""
        if role is None:
            assert post == NOBODY
        else:
            assert post != NOBODY and self._names[post] == role, f"admitted to post {post} at {self._now}"
            assert self.carried[post] + 1 <= self._limit[post], (
                f"over the limit of post {post} at {self._now}"
            )
            assert post == self.with_room(role), f"post {post} is not the least loaded at {self._now}"

    def reassign(self, part: Part, post: int, role: str | None) -> None:
        """A patient gets another post: the least loaded, or whoever has come where nobody was."""
        if not self._orphans:
            self._orphans = Counter({number: self.carried[number] for number in self.left})
        said = f"stay {part.number} from post {part.post} to {post} at {self._now}"
        assert role is not None, said
        if post == NOBODY:
            assert part.post in self.left and not self.filled(role), f"{said}, and somebody is there"
        elif part.post == NOBODY:
            assert post in self._arrived, said
            if not self._is_closing and not self._arrived & self.left:  # else somebody has come and gone
                least = min(self._arrived & set(self.of(role)), key=self._load)
                assert post == least, f"{said}, {least} has fewer"
        else:
            assert part.post in self.left, f"{said}, and nobody has left"
            there = self.is_filled(post) or post in self._arrived or self._is_closing
            assert self._names[post] == role and there, said
            if (
                self._arrived <= self.left and not self._is_closing
            ):  # else somebody has come and gone in between
                least = min(self.filled(role), key=self._load)
                assert post == least, f"{said}, {least} has fewer"
        for number, change in ((part.post, -1), (post, 1)):
            if number != NOBODY:
                self.carried[number] += change
        self._orphans[part.post] -= 1
        part.post, part.post_since = post, self._now

    def _load(self, post: int) -> tuple[bool, float, int]:
        limit = self._limit[post]
        return (not limit, (self.carried[post] - self._orphans[post]) / (limit or 1), post)

    def between(self, parts: Collection[Part], roles: list[str | None]) -> None:
        """Between instants everybody has somebody who is there, unless nobody of the role is."""
        counted: Counter[int] = Counter(part.post for part in parts if part.post != NOBODY)
        assert counted == +self.carried, f"caseloads at {self._now}: {+self.carried}, patients: {counted}"
        for part in parts:
            role = roles[part.level]
            assert part.post not in self.left or part.post_since == self._now, (
                f"stay {part.number} is forgotten"
            )
            if role is not None and part.post == NOBODY:
                assert not self.filled(role), f"stay {part.number} has nobody at {self._now}"
            elif role is not None:
                assert self.is_filled(part.post), (
                    f"stay {part.number} has somebody who is not there, {self._now}"
                )


class Facilitators:
    """Who leads sessions: nobody leads two at once, and what lacks is covered or the session is not held."""

    def __init__(self, ledger: Ledger, calendar: Calendar, posts: Posts) -> None:
        self.change(calendar.opening)
        self._posts = posts
        self._busy: dict[str, list[tuple[float, int]]] = defaultdict(list)
        roles = list(ledger.roles)
        rows = zip(
            ledger.cover_time.tolist(), ledger.cover_role.tolist(), ledger.cover_hours.tolist(), strict=True
        )
        self._covers: Counter[tuple[float, str, float]] = Counter(
            (time, roles[role], hours) for time, role, hours in rows
        )

    def change(self, plan: Scenario) -> None:
        """Another plan is in force: cover may have another price, or none."""
        self._staff = plan.staff

    def engage(self, needs: dict[str, int], now: float, ends: float, hours: float) -> bool:
        """Whether a session can be held; if so its facilitators are busy until it ends."""
        free = {
            role: len(self._posts.filled(role)) - sum(number for end, number in self._busy[role] if end > now)
            for role in needs
        }
        short = {role: max(0, needed - max(0, free[role])) for role, needed in needs.items()}
        if any(lack and self._staff[role].cover_per_hour is None for role, lack in short.items()):
            return False
        for role, needed in needs.items():
            self._busy[role].append((ends, needed - short[role]))
            if short[role]:
                row = (now, role, short[role] * hours)
                self._covers[row] -= 1
                assert self._covers[row] >= 0, f"{row} is not among the hours covered"
        return True

    def close(self) -> None:
        """At the end: no hours were covered but those that lacked."""
        assert not +self._covers, f"covered, and nothing lacked: {+self._covers}"
