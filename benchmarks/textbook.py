"""The reference model in textbook SimPy: `python benchmarks/textbook.py`.

What a good SimPy user writes from SimPy's documentation: a process per patient, an event per session and patient,
requests that race against a timeout, one numpy draw at a time, rows that become pandas frames at the end. It means
what `iop_reference.yaml` means, and its means have the names and definitions of iopsim's metrics: it is the yardstick
of `speed.py`, and a second opinion on the model by another road. It shares no line with iopsim.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from itertools import count
from math import floor
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import simpy
from simpy.resources.resource import PriorityRequest

if TYPE_CHECKING:
    from collections.abc import Generator

    Steps = Generator[simpy.Event, Any, Any]

__all__ = ["Clinic", "kernel_events", "means", "run"]

HORIZON = 156 * 7.0  # days: half a year of warm-up, two years that are measured, half a year of run-out
START, END = 26 * 7.0, 130 * 7.0

REFERRALS_PER_WEEK = {"community": 17.0, "php_direct": 2.6}
TRACKS = ["mood", "trauma", "sud", "dual"]
TRACK_SHARES = [0.33, 0.28, 0.20, 0.19]

INTAKE_CLINICIANS = 3
INTAKE_SLOTS = [9 / 24, 10.5 / 24]  # of each clinician, from Monday to Friday
INTAKE_DAYS = 1.5 / 24
SHOW = 0.7

PHP_PLACES = 10
PHP_STAY = {"mean": 21, "cv": 0.5}
PHP_PATIENCE_DAYS = 20
PHP_TO_IOP = 0.7

INPATIENT_STAY = {"mean": 10, "cv": 0.75}
INPATIENT_TO_IOP = 0.5

THERAPISTS, CASELOAD = 12, 8
SEATS = 10
WEEKS = 12
SESSION_DAYS = 3 / 24
PATIENCE_DAYS = 40
ATTENDANCE = 0.86
DROPOUT_DAYS = 260
STEP_UP_DAYS = 650
STEP_DOWN, COMMUNITY = 1, 2  # priorities on the waitlist

GROUPS = {
    "mood_1": ("mood", [0, 2, 4], 9.5),
    "mood_2": ("mood", [0, 2, 3], 13.5),
    "mood_3": ("mood", [1, 2, 3], 17.5),
    "trauma_1": ("trauma", [0, 2, 4], 9.5),
    "trauma_2": ("trauma", [0, 1, 3], 13.5),
    "trauma_3": ("trauma", [0, 1, 3], 17.5),
    "sud_1": ("sud", [0, 1, 3, 4], 9.5),
    "sud_2": ("sud", [0, 1, 2, 3], 17.5),
    "dual_1": ("dual", [0, 1, 2, 3, 4], 9.5),
    "dual_2": ("dual", [0, 1, 2, 3, 4], 13.5),
}

GROUP_HOURS, GROUP_INDIRECT_HOURS, NOTE_HOURS = 3, 15 / 60, 7 / 60
INDIVIDUAL_HOURS = 70 / 60


class Group:
    """A therapy group: when it meets, and how many of its seats are free."""

    def __init__(self, name: str, weekdays: list[int], start_hour: float) -> None:
        self.name = name
        self.free = SEATS
        self.sessions_of_a_stay = WEEKS * len(weekdays)
        weeks = range(round(HORIZON / 7) + WEEKS + 1)
        self.sessions = [7 * week + day + start_hour / 24 for week in weeks for day in weekdays]

    def next_session(self, now: float) -> int:
        """Index of the first session after `now`."""
        return bisect_right(self.sessions, now)


class Admission(PriorityRequest):
    """A request for a seat in a group of one's track and a place on a caseload, both at once."""

    def __init__(self, resource: Admissions, priority: int, track: str) -> None:
        self.track = track
        self.group: Group
        self.therapist: int
        super().__init__(resource, priority, preempt=False)


class Admissions(simpy.PriorityResource):
    """Seats and caseloads, given together or not at all to the first in line who can have both."""

    def __init__(self, env: simpy.Environment) -> None:
        super().__init__(env, capacity=THERAPISTS * CASELOAD)
        self.caseloads = [0] * THERAPISTS
        self.groups: dict[str, list[Group]] = {track: [] for track in TRACKS}
        for name, (track, weekdays, start_hour) in GROUPS.items():
            self.groups[track].append(Group(name, weekdays, start_hour))

    def ask(self, priority: int, track: str) -> Admission:
        return Admission(self, priority, track)

    def _do_put(self, event: Any) -> bool:  # type: ignore[override]
        """Try to admit; the answer is whether to go on with the next in line."""
        if self.count >= self.capacity:
            return False
        groups = [group for group in self.groups[event.track] if group.free]
        if groups:
            now = self._env.now
            event.group = min(
                groups, key=lambda group: (group.sessions[group.next_session(now)], -group.free)
            )
            event.group.free -= 1
            event.therapist = self.caseloads.index(min(self.caseloads))
            self.caseloads[event.therapist] += 1
            super()._do_put(event)
        return True

    def _do_get(self, event: Any) -> None:
        event.request.group.free += 1
        self.caseloads[event.request.therapist] -= 1
        super()._do_get(event)


class Clinic:
    """Three years of the program; what happened is in `referrals`, `stays`, `attendance` and `individual`."""

    def __init__(self, seed: int) -> None:
        self.env = simpy.Environment()
        self.rng = np.random.default_rng(seed)
        self.booked: Counter[float] = Counter()
        self.php_places = simpy.Resource(self.env, capacity=PHP_PLACES)
        self.admissions = Admissions(self.env)
        self.ids = count()
        self.referrals: list[dict[str, Any]] = []
        self.stays: list[dict[str, Any]] = []
        self.attendance: list[tuple[float, int, str, int, bool]] = []
        self.individual: list[tuple[float, int, int]] = []
        for source in REFERRALS_PER_WEEK:
            self.env.process(self.arrivals(source))

    def arrivals(self, source: str) -> Steps:
        while True:
            yield self.env.timeout(self.rng.exponential(7 / REFERRALS_PER_WEEK[source]))
            self.env.process(self.patient(source))

    def patient(self, source: str) -> Steps:
        track = str(self.rng.choice(TRACKS, p=TRACK_SHARES))
        referral = {"source": source, "track": track, "referred": self.env.now, "lost": False}
        self.referrals.append(referral)
        if source == "php_direct":
            yield from self.php(track)
            return
        yield self.env.timeout(self.first_free_slot() - self.env.now)
        if self.rng.random() >= SHOW:
            referral["lost"] = True
            return
        yield self.env.timeout(INTAKE_DAYS)
        yield from self.iop(track, COMMUNITY)

    def first_free_slot(self) -> float:
        """Book the first appointment that one of the clinicians has free."""
        day = floor(self.env.now)
        while True:
            for hour in INTAKE_SLOTS if day % 7 < 5 else []:
                slot = day + hour
                if slot >= self.env.now and self.booked[slot] < INTAKE_CLINICIANS:
                    self.booked[slot] += 1
                    return slot
            day += 1

    def php(self, track: str) -> Steps:
        stay = self.join("php", track)
        place = self.php_places.request()
        yield place | self.env.timeout(self.rng.exponential(PHP_PATIENCE_DAYS))
        if not place.triggered:
            place.cancel()
            stay["reneged"] = self.env.now
            return
        stay["admitted"] = stay["started"] = self.env.now
        yield self.env.timeout(self.gamma(**PHP_STAY))
        stay["ended"], stay["outcome"] = self.env.now, "completed"
        if self.rng.random() < PHP_TO_IOP:
            stay["ready"] = True
            yield from self.iop(track, STEP_DOWN, held=(place, stay))
        else:
            self.leave_php(place, stay)

    def leave_php(self, place: Any, stay: dict[str, Any]) -> None:
        self.php_places.release(place)
        stay["released"] = self.env.now

    def iop(self, track: str, priority: int, held: tuple[Any, dict[str, Any]] | None = None) -> Steps:
        stay = self.join("iop", track)
        admission = self.admissions.ask(priority, track)
        if held:  # who keeps a PHP place has no reason to give up
            yield admission
        else:
            yield admission | self.env.timeout(self.rng.exponential(PATIENCE_DAYS))
            if not admission.triggered:
                admission.cancel()
                stay["reneged"] = self.env.now
                return
        stay["admitted"] = self.env.now
        first = admission.group.next_session(self.env.now)
        yield self.env.timeout(admission.group.sessions[first] - self.env.now)
        stay["started"] = self.env.now
        if held:
            self.leave_php(*held)
        self.env.process(self.individual_sessions(stay, admission.therapist))
        stay["outcome"] = yield from self.sessions(stay, admission.group, first, admission.therapist)
        stay["ended"] = stay["released"] = self.env.now
        self.admissions.release(admission)
        if stay["outcome"] == "stepped_up":
            yield from self.inpatient(track)

    def sessions(self, stay: dict[str, Any], group: Group, first: int, therapist: int) -> Steps:
        """Session after session, and between two of them the risks of dropping out and of getting worse."""
        last = first + group.sessions_of_a_stay - 1
        for index in range(first, last + 1):
            attended = self.rng.random() < ATTENDANCE
            self.attendance.append((self.env.now, stay["id"], group.name, therapist, attended))
            then = group.sessions[index + 1] if index < last else group.sessions[last] + SESSION_DAYS
            dropout, step_up = self.rng.exponential(DROPOUT_DAYS), self.rng.exponential(STEP_UP_DAYS)
            if min(dropout, step_up) < then - self.env.now:
                yield self.env.timeout(min(dropout, step_up))
                return "dropped_out" if dropout < step_up else "stepped_up"
            yield self.env.timeout(then - self.env.now)
        return "completed"

    def individual_sessions(self, stay: dict[str, Any], therapist: int) -> Steps:
        while "ended" not in stay:
            self.individual.append((self.env.now, stay["id"], therapist))
            yield self.env.timeout(7)

    def inpatient(self, track: str) -> Steps:
        stay = self.join("inpatient", track)
        stay["admitted"] = stay["started"] = self.env.now
        yield self.env.timeout(self.gamma(**INPATIENT_STAY))
        stay["ended"] = stay["released"] = self.env.now
        stay["outcome"] = "completed"
        if self.rng.random() < INPATIENT_TO_IOP:
            yield from self.iop(track, STEP_DOWN)

    def join(self, level: str, track: str) -> dict[str, Any]:
        stay = {"id": next(self.ids), "level": level, "track": track, "joined": self.env.now}
        self.stays.append(stay)
        return stay

    def gamma(self, mean: float, cv: float) -> float:
        return self.rng.gamma(1 / cv**2, mean * cv**2)


def run(seed: int) -> Clinic:
    """Live through one replication."""
    clinic = Clinic(seed)
    clinic.env.run(until=HORIZON)
    return clinic


def kernel_events(clinic: Clinic) -> int:
    """How many events have been scheduled."""
    return next(clinic.env._eid)


def means(clinic: Clinic) -> dict[str, float]:
    """What iopsim calls by these names, of the two years that are measured."""
    columns = ["reneged", "admitted", "started", "ended", "released", "ready", "outcome"]
    frame = pd.DataFrame(clinic.stays)
    stays = frame.reindex(columns=[*frame.columns, *(set(columns) - {*frame.columns})])
    attendance = pd.DataFrame(clinic.attendance, columns=["time", "stay", "group", "therapist", "attended"])
    attended = attendance.groupby("stay")["attended"].sum()
    stays["attended"] = stays["id"].map(attended).fillna(0)
    levels = {level: stays[stays["level"] == level] for level in ("php", "iop", "inpatient")}
    return {
        **_referred(clinic),
        **_waiting("php", levels["php"]),
        **_waiting("iop", levels["iop"]),
        **_cared_for(levels),
        **_held(levels["php"]),
        **_worked(clinic, levels["iop"], attendance),
    }


def _inside(times: pd.Series) -> pd.Series:
    return times.between(START, END, inclusive="left")


def _average(begin: pd.Series, end: pd.Series) -> float:
    """Mean number of those who are between two instants, over the two years."""
    begun = begin.dropna()
    days = end[begun.index].fillna(HORIZON).clip(START, END) - begun.clip(START, END)
    return float(days.sum() / (END - START))


def _referred(clinic: Clinic) -> dict[str, float]:
    referrals = pd.DataFrame(clinic.referrals)
    referrals = referrals[_inside(referrals["referred"])]
    to_iop = referrals[referrals["source"] == "community"]
    return {
        "iop.referrals.total": len(to_iop),
        "php.referrals.total": len(referrals) - len(to_iop),
        "iop.lost.intake.share": float(to_iop["lost"].mean()),
    }


def _waiting(level: str, stays: pd.DataFrame) -> dict[str, float]:
    joined = stays[_inside(stays["joined"])]
    wait = (joined["started"] - joined["joined"]).dropna()
    left = stays["admitted"].fillna(stays["reneged"])
    return {
        f"{level}.wait_days.mean": float(wait.mean()),
        f"{level}.wait_days.p90": float(wait.quantile(0.9)),
        f"{level}.started_within_14_days.share": float((wait <= 14).sum() / len(joined)),
        f"{level}.reneged.share": float(joined["reneged"].notna().mean()),
        f"{level}.reneged_wait_days.mean": float((joined["reneged"] - joined["joined"]).mean()),
        f"{level}.waitlist.mean": _average(stays["joined"], left),
    }


def _cared_for(levels: dict[str, pd.DataFrame]) -> dict[str, float]:
    found = {
        f"{level}.census.mean": _average(stays["started"], stays["ended"]) for level, stays in levels.items()
    }
    iop = levels["iop"]
    started = iop[_inside(iop["started"])]
    ended = started[started["ended"].notna()]
    found["iop.stay_days.mean"] = float((ended["ended"] - ended["started"]).mean())
    for outcome in ("completed", "dropped_out", "stepped_up"):
        those = (started["outcome"] == outcome) & (started["attended"] > 0)
        found[f"iop.{outcome}.share"] = float(those.mean())
    never = started["ended"].notna() & (started["attended"] == 0)
    found["iop.never_started.share"] = float(never.mean())
    found["iop.admitted_not_started.mean"] = _average(iop["admitted"], iop["started"])
    return found


def _held(php: pd.DataFrame) -> dict[str, float]:
    ready = php[(php["ready"] == True) & _inside(php["ended"])]  # noqa: E712 - the others have no value
    return {
        "php.utilization.mean": _average(php["admitted"], php["released"]) / PHP_PLACES,
        "php.held.mean": _average(php["ended"], php["released"]),
        "php.held_days.per_patient": float((ready["released"].fillna(HORIZON) - ready["ended"]).mean()),
    }


def _worked(clinic: Clinic, iop: pd.DataFrame, attendance: pd.DataFrame) -> dict[str, float]:
    inside = attendance[_inside(attendance["time"])]
    individual = pd.DataFrame(clinic.individual, columns=["time", "stay", "therapist"])
    sessions = inside.drop_duplicates(["time", "group"])
    attended = int(inside["attended"].sum())
    hours = (
        len(sessions) * (GROUP_HOURS + GROUP_INDIRECT_HOURS)
        + attended * NOTE_HOURS
        + _inside(individual["time"]).sum() * INDIVIDUAL_HOURS
    )
    caseload = _average(iop["admitted"], iop["released"])
    return {
        "iop.attendance.share": attended / len(inside),
        "iop.group_fill.mean": attended / (SEATS * len(sessions)),
        "program.attended_days.total": attended,
        "therapist.caseload_utilization.mean": caseload / (THERAPISTS * CASELOAD),
        "therapist.hours_needed.mean": float(hours / ((END - START) / 7)),
    }


def main() -> None:
    clinic = run(seed=1)
    for name, value in means(clinic).items():
        print(f"{name:<40} {value:10.3f}")


if __name__ == "__main__":
    main()
