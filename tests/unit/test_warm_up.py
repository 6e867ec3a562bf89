"""The warm-up: MSER-5 beside published implementations, pilots without dates, one number for all, and no bias."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from iopsim.errors import InputError
from iopsim.experiment.cache import Cache
from iopsim.experiment.equilibrium import growing_lists, not_steady
from iopsim.experiment.executors import Here
from iopsim.experiment.names import reported
from iopsim.experiment.plans import Plan
from iopsim.experiment.plans import replications as read_back
from iopsim.experiment.replicate import replicate as replication_of
from iopsim.experiment.sentences import flags
from iopsim.experiment.summary import estimates
from iopsim.experiment.warm_up import (
    PILOTS,
    Floor,
    Piloted,
    Settling,
    Truncation,
    WarmUp,
    floor_of,
    moving_average,
    mser5,
    pilot,
    pilot_rows,
    recommend,
    settle,
)
from iopsim.model.draws import Draws
from iopsim.scenario import resolved
from iopsim.scenario.plausible import assess, unsteady, warnings
from iopsim.scenario.schema import Scenario
from iopsim.theory.infinite import steady_census
from tests.theory.replications import DisagreementError, agree, mean_in_care, replicate, scenario_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

nan = math.nan

# MSER-5

FILLING = """-0.0 3.8 6.6 9.8 13.3 15.9 16.9 20.7 23.9 23.3 24.4 26.6 28.7 29.4 30.7 32.6 33.0 34.4 36.2 35.6 36.6 36.9
37.2 37.4 37.0 37.9 38.4 38.4 37.8 39.3 38.5 37.6 38.1 39.3 41.6 40.3 40.8 40.4 38.4 38.5 39.0 39.8 39.1 39.9 41.5
41.0 39.9 41.8 40.8 41.0 39.9 38.0 38.9 39.9 41.1 40.7 41.7 41.3 39.8 41.1 38.9 38.7 40.8 39.8 40.7 40.0 41.1 42.2
41.6 39.5 38.8 40.4 40.8 41.1 41.1 39.7 39.8 43.2 42.3 40.6 38.7 40.1 41.6 40.2 40.1 40.9 40.4 40.9 39.9 41.4 41.6
39.3 40.3 39.9 41.9 41.2 40.8 41.5 41.0 39.8 40.1 42.1 41.1 40.5 38.9 39.3 36.8 38.8 40.3 38.8 40.1 40.8 42.3 42.1
40.2 39.9 38.9 39.1 39.1 38.4"""
EMPTYING = """26.9 22.6 21.3 19.0 19.5 17.8 17.0 14.6 13.8 14.1 14.0 12.5 13.1 13.1 12.1 11.0 9.9 10.6 9.5 10.2 10.8
10.0 9.6 9.9 11.4 8.5 8.8 10.2 10.4 10.4 10.1 9.9 9.7 10.9 10.3 10.2 11.6 10.8 11.7 10.8 9.4 8.3 9.6 9.6 9.5 11.0 12.1
8.9 8.2 9.5 9.6 10.7 10.0 10.3 10.9 9.3 9.6 9.4 11.4 9.6 9.3 10.7 11.0 10.0 10.9 10.0 9.6 9.9 10.6 9.4 9.3 9.0 9.7 10.0
9.7 9.1 8.5 9.1 8.7 8.4 9.6 10.6 11.6 11.1 12.0 10.2 11.3 11.2 10.8 11.1 10.9 10.7 9.6 10.9 10.3 10.5 10.3 9.9 10.6 9.6
9.9 10.2 11.4 9.9"""
STEADY = """12.5 10.5 11.2 12.2 13.2 11.8 11.7 12.9 12.2 14.9 14.1 14.1 13.3 10.7 12.2 11.8 11.3 9.9 12.4 12.9 11.5 9.5
11.2 12.2 13.6 11.1 10.3 10.6 11.5 14.7 14.0 10.7 11.4 11.2 11.5 11.6 10.5 11.8 10.8 11.6 12.1 11.5 12.2 12.9 12.7 13.0
13.9 12.3 12.9 12.4 12.0 14.1 11.3 9.8 13.5 10.9 12.2 11.2 13.2 13.9 14.9 13.1 11.8 12.5 11.1 10.6 12.1 12.1 12.8 12.2
11.6 10.6 10.2 10.7 11.6 11.2 12.1 12.7 11.3 12.1 12.1 12.2 12.3 14.4 13.1 11.9 12.1 11.5 11.5 11.4 10.1 14.1 13.5 13.8
14.1 14.0 11.0 11.3 11.9 11.1"""
GROWING = """0.4 0.6 1.5 1.8 2.7 3.5 3.5 4.6 5.2 7.1 6.3 7.6 8.7 9.7 9.5 10.3 11.5 11.3 12.2 13.4 14.1 14.5 14.1 16.6
16.8 18.1 18.5 18.9 20.1 20.1 21.1 21.7 22.8 22.7 23.9 25.8 24.5 26.1 26.5 27.9 27.9 28.4 29.9 29.5 31.1 31.9 32.5 34.3
33.8 34.7 34.7 35.4 37.3 36.7 37.7 38.7 39.3 39.3 40.3 41.5 41.5 42.4 42.6 44.2 45.1 45.0 46.2 47.0 48.4 47.1 50.3 49.8
51.7 51.8 52.8 51.5 52.8 53.8 54.2 54.6 55.4 56.3 57.5 58.2 59.3 59.0 60.4 60.9 61.8 62.6 63.5 64.3 64.7 64.9 65.8 66.4
67.8 67.3 67.9 69.2"""


def numbers(text: str) -> list[float]:
    return [float(word) for word in text.split()]


@pytest.mark.parametrize(
    ("series", "weeks"), [(FILLING, 35), (EMPTYING, 15), (STEADY, 0)], ids=["filling", "emptying", "steady"]
)
def test_mser5_cuts_where_published_implementations_do(series: str, weeks: int) -> None:
    """Oracle: `mser_m(series, batch_size=5)` of kim-convergence 0.1.0 says (True, weeks), and
    `equilibrate(series, batch_size=5)["t0"]` of pymser 1.0.22 the same weeks."""
    assert mser5(numbers(series)) == Truncation(weeks // 5, weeks, False)


def test_a_series_that_only_grows_is_cut_at_half_the_run_and_flagged() -> None:
    """Both oracles find no valid cut: kim-convergence says (False, 100), pymser 85 with a warning."""
    assert mser5(numbers(GROWING)) == Truncation(10, 50, True)


@pytest.mark.parametrize(
    ("batches", "cut", "capped"),
    [
        # Σ(Z − mean)² ÷ n²: 75 ÷ 16 with all, 0 without the first, and 0 again without two: the first least.
        ((0, 10, 10, 10), 1, False),
        # 20.75 ÷ 16, then 2 ÷ 9, then 0.5 ÷ 4.
        ((0, 4, 6, 5), 2, True),
        # 14.75 ÷ 16, then 14 ÷ 9, then 8 ÷ 4: what is left is no steadier, and less.
        ((6, 3, 8, 4), 0, False),
        # Of five batches two may go: 6.8 ÷ 25, 6.75 ÷ 16, 6 ÷ 9.
        ((3, 2, 4, 1, 4), 0, False),
    ],
)
def test_mser5_by_hand(batches: tuple[int, ...], cut: int, capped: bool) -> None:
    uneven = (-2, 1, 0, 3, -2)  # within a batch it does not matter
    series = [batch + part for batch in batches for part in uneven]
    assert mser5(series) == Truncation(cut, 5 * cut, capped)
    assert mser5([*series, 100, -100, 50, 0]) == mser5(series)  # weeks that fill no batch


def test_mser5_takes_two_batches() -> None:
    assert mser5(np.ones(10)) == Truncation(0, 0, False)
    with pytest.raises(ValueError, match="at least 10 weeks"):
        mser5(np.ones(9))


def test_moving_average_by_hand() -> None:
    np.testing.assert_allclose(moving_average([0, 3, 6, 0, 9], around=1), [0, 3, 3, 5, nan])
    np.testing.assert_allclose(moving_average([1, 2, 6, 4, 5, 6], around=2), [1, 3, 3.6, 4.6, nan, nan])
    np.testing.assert_allclose(moving_average([1, 2], around=6), [1, nan])


# What a pilot simulates, and how long at least


def clinic(**changed: Any) -> Scenario:
    """Two levels, one in groups, with seasons, growth, closed days and dates of groups."""
    return Scenario.model_validate(
        {
            "name": "clinic",
            "run": {"start": dt.date(2027, 1, 4), "warm_up_weeks": "auto", "seed": 6},
            "calendar": {"closed": [dt.date(2027, 1, 18)]},
            "sources": {
                "community": {
                    "to": "day_care",
                    "per_week": 4.0,
                    "weekdays": [1, 1, 1, 1, 1, 0, 0],
                    "months": [2, *[1] * 11],
                    "growth_per_year": 0.2,
                }
            },
            "levels": {
                "day_care": {
                    "label": "Day care",
                    "phases": [{"weeks": 4, "days_per_week": 3}],
                    "groups": {"first": group(), "second": group(until=dt.date(2027, 6, 1))},
                    "next": {"clinic": 0.5, "home": 0.5},
                    "waitlist": {"patience_days": 30},
                },
                "clinic": {"label": "Clinic", "stay_days": {"exponential": {"mean": 20}}},
                "never_reached": {"stay_days": 900},
            },
            **changed,
        }
    )


def group(**dates: dt.date) -> dict[str, object]:
    return {"days": ["mon", "wed", "fri"], "seats": 20, **dates}


def changed(scenario: Scenario, **update: Any) -> Scenario:
    """The scenario with parts of its plain tree laid over: `levels__day_care={…}`."""
    tree = resolved(scenario)
    for path, value in update.items():
        *way, last = path.split("__")
        part = tree
        for key in way:
            part = part[key]
        part[last] = value
    return Scenario.model_validate(tree)


def test_a_pilot_has_no_dates() -> None:
    whole = clinic()
    found = pilot(whole, 104)
    assert (found.run.warm_up, found.run.weeks, found.run.run_out_weeks) == (0, 104, 0)
    assert (found.run.start, found.run.seed) == (whole.run.start, whole.run.seed)
    (source,) = found.sources.values()
    assert (source.months, source.growth_per_year) == ((1.0,) * 12, 0.0)
    assert source.weekdays == whole.sources["community"].weekdays
    assert found.calendar.closed == ()
    assert [(each.from_, each.until) for each in found.levels["day_care"].groups.values()] == [
        (None, None)
    ] * 2
    assert whole.calendar.closed  # nothing was changed in place
    assert Scenario.model_validate(resolved(found)) == found


def test_a_pilot_has_the_groups_that_are_open_on_the_first_measured_day() -> None:
    later, earlier = group(**{"from": dt.date(2027, 1, 5)}), group(until=dt.date(2027, 1, 3))
    that_day = group(**{"from": dt.date(2027, 1, 4), "until": dt.date(2027, 1, 4)})
    groups = {"later": later, "earlier": earlier, "that_day": that_day}
    found = pilot(changed(clinic(), levels__day_care__groups=groups), 104)
    assert list(found.levels["day_care"].groups) == ["that_day"]


def test_a_pilot_leaves_nobody_without_a_group() -> None:
    two_tracks = {
        "tracks": {"mood": {}, "sud": {}},
        "sources": {"door": {"to": "day_care", "per_week": 4.0, "tracks": {"mood": 0.5, "sud": 0.5}}},
    }
    later = {"tracks": ["sud"], **group(**{"from": dt.date(2027, 3, 1)})}
    groups = {
        "mood": {"tracks": ["mood"], **group()},
        "sud": later,
        "both": group(until=dt.date(2026, 12, 1)),
    }
    found = pilot(changed(clinic(**two_tracks), levels__day_care__groups=groups), 104)
    assert list(found.levels["day_care"].groups) == ["mood", "sud", "both"]
    assert all(each.from_ is None for each in found.levels["day_care"].groups.values())
    only_later = {"sud": {key: value for key, value in later.items() if key != "tracks"}}
    found = pilot(changed(clinic(), levels__day_care__groups=only_later), 104)
    assert list(found.levels["day_care"].groups) == ["sud"]


@pytest.mark.parametrize(
    ("change", "floor"),
    [
        ({}, Floor(12, 28.0, "the mean stay in Day care")),  # 3 × 4 weeks of phases
        ({"levels__day_care__extension": {"share": 0.1, "weeks": 3}}, Floor(21, 49.0, "the mean stay in Day care")),
        ({"levels__clinic__stay_days": {"exponential": {"mean": 28.1}}}, Floor(13, 28.1, "the mean stay in Clinic")),
        (
            {"levels__clinic__by": {"source": {"community": {"stay_days": {"uniform": {"min": 20, "max": 50}}}}}},
            Floor(15, 35.0, "the mean stay in Clinic"),
        ),
        (
            {"levels__clinic__returns": {"share": 0.1, "after_days": 70, "to": "clinic"}},
            Floor(30, 70.0, "the mean delay of returns after Clinic"),
        ),
        ({"levels__clinic__returns": {"share": 0, "after_days": 70, "to": "clinic"}}, None),
        (
            {"levels__day_care__next": {"clinic": {"share": 1, "lag_days": 35}}},
            Floor(15, 35.0, "the mean lag after Day care"),
        ),
        (
            {
                "levels__day_care__plan": "attended",
                "levels__day_care__attendance": {"mean": 0.8, "discharge_after_missed": 3},
            },
            Floor(15, 35.0, "the mean stay in Day care"),
        ),
        ({"sources__community__per_week": 0}, Floor(0, 0.0, "")),
    ],
)  # fmt: skip
def test_the_floor_is_three_times_the_slowest_mean_stay_or_delay(change: Any, floor: Floor | None) -> None:
    assert floor_of(changed(clinic(), **change)) == (floor or floor_of(clinic()))


def test_a_stay_too_long_for_pilots_is_told(tmp_path: Path) -> None:
    long = changed(clinic(), levels__clinic__stay_days=1517)  # 3 × 1,517 days are 651 weeks
    with pytest.raises(InputError, match=r"run\.warm_up_weeks: .* Clinic is 1517 days, .* say a number"):
        settle([long], Cache(tmp_path), Here())
    assert floor_of(changed(long, levels__clinic__stay_days=1516)).weeks == 650


# One warm-up for all


def settled_weeks(scenarios: list[Scenario], cache: Path) -> tuple[list[int | str], WarmUp | None]:
    settled, found = settle(scenarios, Cache(cache), Here())
    assert [one.model_copy(update={"run": None}) for one in settled] == [
        one.model_copy(update={"run": None}) for one in scenarios
    ]
    return [one.run.warm_up for one in settled], found


def test_plans_with_numbers_stay_as_they_are_and_cost_nothing(tmp_path: Path) -> None:
    plans = [changed(clinic(), run__warm_up_weeks=weeks) for weeks in (3, 70)]
    settled, found = settle(plans, Cache(tmp_path / "cache"), Here())
    assert found is None
    assert all(one is plan for one, plan in zip(settled, plans, strict=True))
    assert not (tmp_path / "cache").exists()


def test_all_plans_get_the_longest(tmp_path: Path) -> None:
    short = changed(clinic(), levels__clinic__stay_days=5)
    slow = changed(clinic(), name="slow", levels__clinic__stay_days=140)
    (alone,), _ = settled_weeks([short], tmp_path)
    (longest,), _ = settled_weeks([slow], tmp_path)
    assert isinstance(alone, int)
    assert 12 <= alone < 60 <= longest
    three = [short, slow, changed(clinic(), run__warm_up_weeks=2)]
    weeks, found = settled_weeks(three, tmp_path)
    assert weeks == [longest] * 3
    assert found
    assert (found.weeks, found.together, [one.plan for one in found.plans]) == (
        longest,
        3,
        ["clinic", "slow"],
    )
    assert found.notes() == [
        f"Warm-up: {longest} weeks in every plan, three times the mean stay in Clinic (140 days) in slow."
    ]
    weeks, found = settled_weeks([short, changed(clinic(), run__warm_up_weeks=99)], tmp_path)
    assert weeks == [99, 99]
    assert found
    assert found.notes() == ["Warm-up: 99 weeks in every plan, as another plan says."]


def test_a_settled_scenario_is_the_same_question_as_one_with_the_number(tmp_path: Path) -> None:
    (settled,), found = settle([clinic()], Cache(tmp_path), Here())
    assert found
    written = changed(clinic(), run__warm_up_weeks=found.weeks)
    assert Plan.of(settled) == Plan.of(written)
    assert settled.run.opening == written.run.opening


def test_plans_that_differ_in_no_pilot_are_simulated_once(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    cheaper = changed(clinic(), targets=[{"metric": "clinic.census.mean", "at_most": 9}])
    warmer = changed(clinic(), run__warm_up_weeks=7)
    found = recommend(
        [clinic(), cheaper, warmer], Cache(tmp_path), Here(), lambda *done: told.append(done), 3
    )
    assert len(found) == 1
    assert told[-1] == (3, 3)


# Pilots


def test_chance_of_pilots_is_never_that_of_results() -> None:
    seen = {Draws(1, index).generator("door", 0, "arrival").random() for index in range(-PILOTS, 100)}
    assert len(seen) == PILOTS + 100


def test_pilots_have_negative_replications_only(tmp_path: Path) -> None:
    # A scenario that is its own pilot shares the key, so that nothing but the index keeps the two apart.
    plain = scenario_of(
        {"stay_days": 10, "places": 8}, per_week=4, seed=9, weeks=110, warm_up_weeks=0, run_out_weeks=0
    )
    auto = changed(plain, run__warm_up_weeks="auto", run__weeks=30)
    cache, plan = Cache(tmp_path), Plan.of(plain)
    settle([auto], cache, Here())
    kept = sorted(int(path.stem) for path in tmp_path.rglob("*.rep"))
    assert kept == list(range(-PILOTS, 0))
    assert cache.missing(plan.key, [*range(-PILOTS, 0), 0, 1]) == [0, 1]
    both = read_back(plan, [*range(-PILOTS, 0), *range(PILOTS)], cache)
    assert [one.index for one in both] == [*range(-PILOTS, 0), *range(PILOTS)]
    assert len({tuple(one.weekly["clinic.census"]) for one in both}) == 2 * PILOTS


def test_every_series_that_varies_is_judged_and_listed(tmp_path: Path) -> None:
    (found,) = recommend([clinic()], Cache(tmp_path), Here(), pilots=3)
    assert [one.name for one in found.series] == ["day_care.census", "clinic.census"]  # nobody ever waits
    assert (found.pilots, found.pilot_weeks) == (3, 110)
    header, rows = pilot_rows(found)
    assert header == ["series", "week", "mean", "moving_average"]
    assert [row[:2] for row in rows] == [[one.name, week] for one in found.series for week in range(1, 111)]
    plan = Plan.of(pilot(clinic(), 110))
    weekly = [one.weekly["clinic.census"] for one in read_back(plan, [-1, -2, -3], Cache(tmp_path))]
    assert [row[2] for row in rows[110:]] == pytest.approx(np.mean(weekly, axis=0).tolist())
    assert found.series[1].truncation == mser5(np.mean(weekly, axis=0))
    assert rows[116][3] == pytest.approx(np.mean([row[2] for row in rows[110:123]]))


# What is said


def settling(name: str, weeks: int, capped: bool = False) -> Settling:
    return Settling(name, "Ward", np.arange(110.0), Truncation(weeks // 5, weeks, capped))


FLOOR = Floor(20, 45.67, "the mean stay in Ward")


def piloted(*series: Settling, floor: Floor = FLOOR, plan: str = "a") -> Piloted:
    return Piloted(plan, 10, 110, floor, series)


def test_the_floor_or_the_slowest_series_is_the_reason() -> None:
    assert WarmUp(20, (piloted(settling("ward.census", 15)),)).notes() == [
        "Warm-up: 20 weeks, three times the mean stay in Ward (45.7 days)."
    ]
    assert WarmUp(30, (piloted(settling("ward.census", 15), settling("ward.waitlist", 30)),)).notes() == [
        "Warm-up: 30 weeks, until the waitlist of Ward settles (MSER-5, 10 pilot runs)."
    ]
    assert WarmUp(0, (piloted(floor=Floor(0, 0.0, "")),)).notes() == [
        "Warm-up: 0 weeks, as nobody is referred."
    ]


def test_what_does_not_settle_is_named() -> None:
    growing = piloted(settling("ward.waitlist", 55, capped=True), settling("ward.census", 55, capped=True))
    first, second = WarmUp(55, (growing, piloted(plan="b")), together=2).notes()
    assert (
        first
        == "Warm-up: 55 weeks in every plan, half a pilot run, in which the waitlist of Ward had not settled in a."
    )
    assert second.startswith(
        "Half-way through pilot runs of 110 weeks the waitlist of Ward and census of Ward had not settled;"
    )


def test_a_list_that_only_grows_is_found_by_pilots(tmp_path: Path) -> None:
    full = scenario_of({"stay_days": 14, "places": 4}, per_week=4, seed=77, weeks=20)
    (found,) = recommend([full], Cache(tmp_path), Here())
    assert {one.name: one.truncation.capped for one in found.series}["clinic.waitlist"]


# Levels that are not in equilibrium


def ward(load: float = 10, **waitlist: object) -> Scenario:
    """Ten places; two tracks; who leaves goes on to a level with room for everybody."""
    tracks = {"mood": 0.5, "sud": 0.5}
    return Scenario.model_validate(
        {
            "tracks": {track: {} for track in tracks},
            "sources": {"door": {"to": "ward", "per_week": 7.0, "tracks": tracks}},
            "levels": {
                "ward": {"places": 10, "stay_days": load, "waitlist": waitlist, "next": {"home_care": 1}},
                "home_care": {"stay_days": 30},
            },
            "targets": [{"metric": "ward.wait_days.mean", "at_most": 1000}],
        }
    )


@pytest.mark.parametrize(
    ("scenario", "levels"),
    [
        (ward(9.4), []),
        (ward(9.5), ["ward"]),
        (ward(20), ["ward"]),
        (ward(20, patience_days=40), []),
        (ward(20, at_most=6), []),
        (ward(20, at_most={"door": 6}), ["ward"]),  # others would not be refused
        (
            changed(ward(20), levels__ward__by={"track": {"mood": {"waitlist": {"patience_days": 9}}}}),
            ["ward"],
        ),
        (
            changed(
                ward(20),
                levels__ward__by={
                    "track": {track: {"waitlist": {"patience_days": 9}} for track in ("mood", "sud")}
                },
            ),
            [],
        ),
        (changed(ward(20), sources__door__to="home_care"), []),
    ],
)
def test_a_full_pool_is_in_equilibrium_only_where_patience_or_the_list_has_a_limit(
    scenario: Scenario, levels: list[str]
) -> None:
    assert list(unsteady(scenario)) == levels
    assert len(growing_lists(scenario)) == len(levels)
    told = [text for text in warnings(assess(scenario)) if text.startswith("levels.ward.places")]
    assert not levels or len(told) == 1


def test_levels_that_share_a_full_caseload_are_named() -> None:
    levels = {
        "a": {"stay_days": 10, "next": {"b": 1}, "caseload": "guide"},
        "b": {"stay_days": 20, "caseload": "guide", "waitlist": {"patience_days": 40}},
    }
    staff = {"guide": {"posts": 1, "caseload": 31}}
    scenario = Scenario.model_validate(
        {"sources": {"door": {"to": "a", "per_week": 7.0}}, "levels": levels, "staff": staff}
    )
    assert {level: pool.name for level, pool in unsteady(scenario).items()} == {
        "a": "a and b caseload (guide)"
    }


def test_numbers_that_are_not_steady_keep_the_estimate_and_lose_the_interval() -> None:
    full, limited = ward(9.8), ward(9.8, patience_days=400)
    shaky = not_steady(full, reported(full))
    assert not_steady(limited, reported(limited)) == frozenset()
    assert {name for name in shaky if ".mean" in name and "mood" not in name} == {
        f"ward{track}.{metric}.mean"
        for track in ("", ".sud")
        for metric in ("wait_days", "access_days", "waitlist")
    }
    assert {"ward.started_within_7_days.share", "ward.mood.wait_days.p90", "ward.waitlist.max"} <= shaky
    short = {"run__warm_up_weeks": 4, "run__weeks": 6, "run__run_out_weeks": 2}
    runs = [replication_of(changed(full, **short), index).outcomes for index in range(4)]
    for estimate in estimates(changed(full, **short), runs):
        ends = (estimate.interval.low, estimate.interval.high)
        assert estimate.steady == (estimate.name not in shaky)
        if not estimate.steady:
            assert all(map(math.isnan, ends))
            assert estimate.interval.n == 4
    found = {one.name: one for one in estimates(changed(full, **short), runs)}
    assert found["ward.wait_days.mean"].verdict == "undecided"
    assert found["ward.wait_days.mean"].interval.estimate > 0
    assert found["ward.census.mean"].interval.low < found["ward.census.mean"].interval.high
    said = flags(list(found.values()), changed(full, **short))[0]
    assert said.startswith(
        "ward is not in equilibrium (ward places: 9.8 places needed, 10.0 there (98%)): nobody"
    )
    assert "depends on run.weeks (now 6) and has no interval" in said


# No bias is left: M/G/∞, opened empty

OPENED = scenario_of({"stay_days": {"gamma": {"mean": 60, "cv": 0.5}}}, per_week=21, seed=4242, weeks=8)


def steady_from_the_start(scenario: Scenario) -> None:
    agree(replicate(scenario, 30), {mean_in_care: steady_census(3, 60)}, precision=0.015)


def test_after_the_warm_up_found_the_census_has_no_bias(tmp_path: Path) -> None:
    (settled,), found = settle([changed(OPENED, run__warm_up_weeks="auto")], Cache(tmp_path), Here())
    assert found
    assert found.weeks >= 26  # 3 × 60 days
    steady_from_the_start(settled)


@pytest.mark.parametrize("weeks", [0, 8])
def test_a_warm_up_too_short_is_caught(weeks: int) -> None:
    with pytest.raises(DisagreementError):
        steady_from_the_start(changed(OPENED, run__warm_up_weeks=weeks))
