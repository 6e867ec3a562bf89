"""Staff who come and go: departures, hiring, absences, posts opened and closed; what it means for patients (§8)."""

from __future__ import annotations

from math import log1p
from typing import TYPE_CHECKING, Final

from iopsim.model.clock import LEAVING
from iopsim.model.diary import Diary
from iopsim.model.facilitation import Facilitation
from iopsim.model.ledger import Fact, PostState
from iopsim.model.people import NEVER
from iopsim.model.posts import NOBODY, Caseload, Crew
from iopsim.scenario.staff import Absence

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable

    from iopsim.model.allocation import Allocator
    from iopsim.model.capacity import Group
    from iopsim.model.clock import Clock
    from iopsim.model.draws import Draws
    from iopsim.model.journey import Journey
    from iopsim.model.ledger import Recorder
    from iopsim.model.people import Stay
    from iopsim.model.posts import Post
    from iopsim.model.timeline import Timeline
    from iopsim.scenario.schema import Scenario

__all__ = ["Caseload", "Staff"]

_DAYS_PER_YEAR: Final = 365
_SMALLEST: Final = 2.0**-54  # a generator may give 0, which no law can invert


class Staff:
    """All posts of all roles in one replication.

    At one instant those who are hired or come back are there before anybody goes, each in order of the posts; and
    both before patients leave. All of a role who come at one instant share what has waited for somebody; all who go
    on one date go together: none of them gets patients of another.

    Attributes:
        caseloads: By role, for those that some level names as its caseload.
    """

    def __init__(
        self, scenario: Scenario, timeline: Timeline, clock: Clock, draws: Draws, recorder: Recorder
    ) -> None:
        self._timeline = timeline
        self._clock = clock
        self._draws = draws
        self._recorder = recorder
        self._crews: dict[str, Crew] = {}
        first = 0
        _, opening = timeline.plans[0]
        for index, (name, role) in enumerate(opening.staff.items()):
            self._crews[name] = Crew(name, role, index, first, _later_posts(timeline, name))
            first += len(self._crews[name].posts)
        self._coming, self._going = LEAVING - 2 * first, LEAVING - first
        # By instant and role: posts that are to be filled then, and the holder who comes.
        self._expected: dict[tuple[float, int], list[tuple[Post, int]]] = {}
        self.caseloads: dict[str, Caseload] = {}
        for name in dict.fromkeys(level.caseload for level in scenario.levels.values() if level.caseload):
            crew = self._crews[name]
            later = len(crew.posts) - crew.role.posts
            crew.caseload = self.caseloads[name] = Caseload(crew.role, crew.first, later)
        self._facilitation = Facilitation(scenario, self._crews, recorder)
        self._diaries: dict[str, Diary] = {}
        self._last: dict[int, tuple[int, int]] = {}  # post and holder that those had whom nobody has now
        self.allocator: Allocator
        self.journey: Journey

    def open(self) -> None:
        """Write down all posts, and put what is known of their future on the clock."""
        for crew in self._crews.values():
            for post in crew.posts:
                if post.is_held:
                    self._write(post)
                    self._foresee_departure(post)
            dated: dict[int, list[dt.date | Absence]] = {}
            for leave in crew.role.leaves:
                day = self._first_day_of(leave)
                if day is not None:
                    dated.setdefault(day, []).append(leave)
            for day, leaves in dated.items():
                self._clock.call_at(float(day), self._going + crew.first, self._leave, (crew, leaves))

    def in_order(self) -> list[Post]:
        """All posts in the order in which the plan has them: first those of the opening, role by role."""
        posts = [post for crew in self._crews.values() for post in crew.posts]
        return sorted(posts, key=lambda post: (post.planned, post.number))

    def engage(self, group: Group, now: float) -> bool:
        """Whether a session that starts now has its facilitators; if so they are busy until it ends."""
        facilitation = self._facilitation
        return not facilitation.needs[group.index] or facilitation.engage(group, now)

    def present(self, role: str) -> list[int]:
        """The role's posts, from 0, that are filled by somebody who is there."""
        return self._crews[role].present

    def diary(self, role: str) -> Diary:
        """The appointments of a role."""
        if role not in self._diaries:
            self._diaries[role] = Diary(self._crews[role], self._timeline)
        return self._diaries[role]

    def watch(self, role: str, call: Callable[[], None]) -> None:
        """Call `call()` whenever somebody of the role comes, or comes back, who was not there."""
        self._crews[role].watchers.append(call)

    # ── going ────────────────────────────────────────────────────────────────────────────────────────────────

    def _first_day_of(self, leave: dt.date | Absence) -> int | None:
        """The simulated day on which a leave begins; None if it was over before: the clinic opens with all posts."""
        opening = self._timeline.first
        if isinstance(leave, Absence):
            day, last = self._timeline.day(leave.from_), self._timeline.day(leave.until)
            return max(day, opening) if last >= opening else None
        day = self._timeline.day(leave)
        return day if day >= opening else None

    def _leave(self, call: tuple[Crew, list[dt.date | Absence]]) -> None:
        """The first of the role who are there leave: some for good, some until a date."""
        crew, leaves = call
        there = [crew.posts[place] for place in crew.present]
        going = list(zip(there, leaves, strict=False))
        for post, leave in going:
            if isinstance(leave, Absence):
                post.grows = NEVER
                self._change(post, PostState.AWAY, 0)
                self._expect(post, float(self._timeline.day(leave.until) + 1))
            else:
                self._vacate(post)
        self._pass_on(crew, [post for post, _ in going])

    def _foresee_departure(self, post: Post) -> None:
        """The holder leaves when what is left of their hazard is used up at the turnover in force."""
        rate = post.crew.role.turnover_per_year
        post.departs = NEVER
        if rate:
            if post.hazard is None:
                post.hazard = -log1p(-self._draw(post, "tenure"))
            post.departs = self._clock.now + post.hazard * _DAYS_PER_YEAR / rate
            self._clock.call_at(post.departs, self._going + post.number, self._depart, (post, post.departs))

    def _depart(self, call: tuple[Post, float]) -> None:
        """The holder's time is over, unless they have left before or it has become another."""
        post, when = call
        if post.departs == when:
            self._vacate(post)
            self._pass_on(post.crew, [post])

    def _vacate(self, post: Post) -> None:
        """Nobody holds the post until a successor is hired, which may be at once."""
        self._empty(post, PostState.VACANT)
        law = post.crew.role.days_to_hire
        days = 0.0 if law is None else law.quantile(self._draw(post, "hire"))
        if days:
            self._expect(post, self._clock.now + days)
        else:
            self._hire(post)

    def _empty(self, post: Post, state: PostState) -> None:
        """Nobody holds the post, whoever is expected: the next who does is another."""
        post.holder += 1
        post.grows = post.departs = NEVER
        post.hazard = None
        self._change(post, state, 0)

    def _pass_on(self, crew: Crew, left: list[Post]) -> None:
        """Patients of those who left go to the least loaded who are there; to nobody, if nobody is."""
        if any(post.state is PostState.FILLED for post in left):  # a successor has started at once
            self._hand_out(crew)
        if crew.caseload is None:
            return
        patients = self._patients_of(crew.caseload, {post.number for post in left})
        for stay in patients:
            crew.caseload.count(stay.post, -1)
        for stay in patients:
            before = stay.post
            self._reassign(stay, crew.caseload.take_over())
            if stay.post == NOBODY:
                left_by = crew.posts[before - crew.first]
                comes_back = left_by.state is PostState.AWAY
                self._last[stay.number] = before, left_by.holder if comes_back else -1
            else:
                self._tell(crew, stay)

    def _tell(self, crew: Crew, stay: Stay) -> None:
        """The patient has got another clinician."""
        if crew.role.reassignment.dropout_factor != 1:
            self.journey.reassigned(stay, crew.role.reassignment.dropout_factor)

    # ── coming ───────────────────────────────────────────────────────────────────────────────────────────────

    def _expect(self, post: Post, when: float) -> None:
        """The post's holder comes then, unless it is another's by that time."""
        self._expected.setdefault((when, post.crew.index), []).append((post, post.holder))
        self._clock.call_at(when, self._coming + post.number, self._come, post.crew)

    def _come(self, crew: Crew) -> None:
        """All of the role who are expected now are there, and only then share what has waited for somebody."""
        if self._fill(crew):
            self._hand_out(crew)

    def _fill(self, crew: Crew) -> bool:
        """Fill the posts whose holders are expected now, in order; give whether anybody has come."""
        expected = self._expected.pop((self._clock.now, crew.index), [])
        coming = [post for post, holder in expected if post.holder == holder]
        for post in sorted(coming, key=lambda post: post.place):
            if post.state is PostState.AWAY:
                post.onboarding = 0.0  # who was away is no longer new
                self._change(post, PostState.FILLED, crew.full)
            else:
                self._hire(post)
        return bool(coming)

    def _hand_out(self, crew: Crew) -> None:
        """Somebody is there who was not: patients whom nobody has go to the least loaded, and who waits is told."""
        if crew.caseload is not None and crew.present:
            for stay in self._patients_of(crew.caseload, {NOBODY}):
                self._reassign(stay, crew.caseload.take_over())
                holder = crew.posts[stay.post - crew.first].holder
                if self._last.pop(stay.number, None) != (stay.post, holder):
                    self._tell(crew, stay)
        for call in crew.watchers:
            call()

    def _hire(self, post: Post) -> None:
        """Somebody new starts, whose caseload limit may have to grow from nothing."""
        post.hired = self._clock.now
        post.onboarding = 7 * post.crew.role.onboarding_weeks
        self._change(post, PostState.FILLED, post.limit_by(post.hired))
        self._foresee_departure(post)
        self._foresee_growth(post)

    def _foresee_growth(self, post: Post) -> None:
        full = post.crew.full
        post.grows = NEVER
        if post.onboarding and post.limit < full:
            post.grows = post.hired + post.onboarding * (post.limit + 1) / full
            self._clock.call_at(post.grows, self._coming + post.number, self._grow, (post, post.grows))

    def _grow(self, call: tuple[Post, float]) -> None:
        """Somebody new may carry one more, unless they have gone or their limit has become another."""
        post, when = call
        if post.grows == when:
            self._change(post, PostState.FILLED, post.limit + 1)
            self._foresee_growth(post)

    # ── another plan ─────────────────────────────────────────────────────────────────────────────────────────

    def change(self, plan: Scenario) -> None:
        """From now on another plan is in force: posts open and close, limits, diaries and turnover are others."""
        for crew, role in zip(self._crews.values(), plan.staff.values(), strict=True):
            before, crew.role = crew.role, role
            if role.caseload_limit != crew.full:
                crew.full = role.caseload_limit
                self._limit_anew(crew)
            if role.turnover_per_year != before.turnover_per_year:
                self._foresee_anew(crew, before.turnover_per_year)
            has_other_days = role.appointment_minutes_per_day != before.appointment_minutes_per_day
            if has_other_days and crew.name in self._diaries:
                self._diaries[crew.name].change(role.appointment_minutes_per_day)
            more = role.posts - before.posts
            if more < 0:
                self._close_posts(crew, -more)
            elif more > 0:
                self._open_posts(crew, more)
            if has_other_days or more > 0:  # whoever could have no appointment may have one
                self._fill(crew)
                self._hand_out(crew)

    def _limit_anew(self, crew: Crew) -> None:
        """The limits of those who are there, in proportion where they are new."""
        for post in crew.posts:
            if post.state is PostState.FILLED:
                if (limit := post.limit_by(self._clock.now)) != post.limit:
                    self._change(post, PostState.FILLED, limit)
                self._foresee_growth(post)

    def _foresee_anew(self, crew: Crew, rate: float) -> None:
        """What is left of each holder's hazard, used up at another rate until now, is so at that in force."""
        for post in crew.posts:
            if post.is_held:
                if rate:
                    post.hazard = (post.departs - self._clock.now) * rate / _DAYS_PER_YEAR
                self._foresee_departure(post)

    def _open_posts(self, crew: Crew, number: int) -> None:
        """Posts that were closed before first, in order; newcomers hold them at once."""
        closed = [post for post in crew.posts if post.state is PostState.CLOSED]
        for post in closed[:number]:
            self._hire(post)

    def _close_posts(self, crew: Crew, number: int) -> None:
        """Vacant posts first, each kind from the last one on; their patients go to those who stay."""
        plan = [post for post in crew.posts if post.state is not PostState.CLOSED]
        closing = sorted(plan, key=lambda post: (post.is_held, -post.place))[:number]
        for post in closing:
            self._empty(post, PostState.CLOSED)
        self._pass_on(crew, closing)

    # ── small words ──────────────────────────────────────────────────────────────────────────────────────────

    def _change(self, post: Post, state: PostState, limit: int) -> None:
        crew = post.crew
        crew.change(post, state, limit)
        self._write(post)
        if crew.caseload is not None and crew.caseload.units:
            # Also when there is less room: what those who wait lack has then changed.
            self.allocator.freed(crew.caseload.units[0])

    def _write(self, post: Post) -> None:
        self._recorder.posts.append((self._clock.now, post.number, int(post.state), post.limit))

    def _reassign(self, stay: Stay, post: int) -> None:
        stay.post = post
        self._recorder.write(self._clock.now, Fact.REASSIGNED, stay.number, -1, post)

    @staticmethod
    def _patients_of(caseload: Caseload, posts: Iterable[int]) -> list[Stay]:
        """Whom these posts carry, in order of identity."""
        patients = [stay for stay in caseload.patients.values() if stay.post in posts]
        return sorted(patients, key=lambda stay: (stay.patient.index, stay.number))

    def _draw(self, post: Post, decision: str) -> float:
        """The holder's uniform number: it belongs to (role, post, n-th holder)."""
        generator = self._draws.generator("post", post.crew.name, post.place, post.holder, decision)
        return max(float(generator.random()), _SMALLEST)


def _later_posts(timeline: Timeline, name: str) -> list[float]:
    """Days on which the plan first has each post of a role beyond those of the opening."""
    days: list[float] = []
    most = timeline.plans[0][1].staff[name].posts
    for day, plan in timeline.plans[1:]:
        days += [float(day)] * (plan.staff[name].posts - most)
        most = max(most, plan.staff[name].posts)
    return days
