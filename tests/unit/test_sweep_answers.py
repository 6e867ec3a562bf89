"""What a sweep answers: frontiers and cheapest points worked out by hand, and the sentences that tell them."""

from __future__ import annotations

import io
import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console
from scipy.stats import ttest_rel

from iopsim.experiment.names import reported
from iopsim.experiment.precision import Shortfall
from iopsim.experiment.statistics import Interval
from iopsim.experiment.summary import Estimate, Goal, goals
from iopsim.experiment.sweep.answers import answer, cost_difference, enough_to_decide, frontier
from iopsim.experiment.sweep.design import Point
from iopsim.experiment.sweep.load import Design, load
from iopsim.experiment.sweep.table import Judged, point_rows
from iopsim.measures.registry import Ratio, Value
from iopsim.report.sweep import Told, axis_words, label_text, notes_on, print_sweep, sentences
from iopsim.scenario.sweeps import Choice

if TYPE_CHECKING:
    from collections.abc import Sequence

nan = math.nan
COST, WAIT, SHARE = "program.cost.total", "ward.wait_days.p90", "ward.reneged.share"
TARGETS = f"targets: [{{metric: {WAIT}, at_most: 14}}, {{metric: {SHARE}, at_most: 0.1}}]"


@pytest.fixture
def design(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Design:
    """Nurses by places, two targets; its points are not those of the tests."""
    monkeypatch.chdir(tmp_path)
    Path("base.yaml").write_text(
        "sources: {community: {to: ward, per_week: 2}}\n"
        "levels: {ward: {label: Day ward, places: 4, stay_days: 5, waitlist: {patience_days: 9}}}\n"
        f"staff: {{nurse: {{posts: 2, salary_per_year: 50000}}}}\n{TARGETS}\n",
        encoding="utf-8",
    )
    Path("study.yaml").write_text(
        "base: base.yaml\n"
        "parameters: {staff.nurse.posts: {label: Nurses, values: [1, 2]}, levels.ward.places: [3, 4]}\n",
        encoding="utf-8",
    )
    return load("study.yaml")


def estimate(
    name: str, value: float, half_width: float = 0.0, goal: Goal | None = None, **said: Any
) -> Estimate:
    interval = Interval(value, value - half_width, value + half_width, 1.0, 10)
    verdict = goal.verdict(interval) if goal else ""
    unit = {COST: "USD", WAIT: "days", SHARE: "share"}[name]
    return Estimate(name=name, unit=unit, better="lower", interval=interval, verdict=verdict, **said)


def point(
    number: int,
    cost: float,
    wait: float,
    half_width: float = 0.5,
    share: float = 0.05,
    costs: Sequence[float] = (),
) -> Judged:
    """A point of 10 replications whose cost and wait are known as said, and judged by the design's targets."""
    asked = {WAIT: Goal(high=14), SHARE: Goal(high=0.1)}
    waits = estimate(WAIT, wait, half_width, asked[WAIT])
    return Judged(
        point=Point(number, (Choice(number, ()), Choice(10 * number, ()))),
        replications=len(costs) or 10,
        targets=(waits, estimate(SHARE, share, 0.01, asked[SHARE])),
        cost=estimate(COST, cost),
        wait=waits,
        costs=tuple(Value(value) for value in costs),
    )


def numbers(points: Sequence[Judged]) -> list[int]:
    return [one.point.number for one in points]


# The frontier


@pytest.mark.parametrize(
    ("places", "on_it"),
    [
        ([(1, 9), (2, 8), (3, 7)], [1, 2, 3]),
        ([(3, 7), (1, 9), (2, 8)], [2, 3, 1]),
        ([(1, 9), (2, 9), (2, 8), (3, 8)], [1, 3]),  # as good in one and worse in the other is beaten
        ([(1, 9), (1, 8), (1, 8), (2, 8)], [2, 3]),  # two that are the same do not beat each other
        ([(5, 5), (4, 4), (6, 3)], [2, 3]),
        ([(1, nan), (2, 3), (nan, 1)], [2]),
        ([(1, 1)], [1]),
        ([], []),
    ],
)
def test_no_point_of_the_frontier_is_beaten(places: list[tuple[float, float]], on_it: list[int]) -> None:
    points = [point(number, *place) for number, place in enumerate(places, start=1)]
    assert numbers(frontier(points)) == on_it


def test_the_frontier_by_its_definition() -> None:
    """Against all pairs: whoever is on it has nobody better in one and as good in the other."""
    places = [((7 * n) % 31, (11 * n) % 37) for n in range(1, 30)]
    points = [point(number, *place) for number, place in enumerate(places)]
    unbeaten = {
        number
        for number, (cost, wait) in enumerate(places)
        if not any(c <= cost and w <= wait and (c, w) != (cost, wait) for c, w in places)
    }
    assert set(numbers(frontier(points))) == unbeaten
    assert len(unbeaten) > 2


def test_where_more_is_better_the_frontier_turns_around() -> None:
    def margin(number: int, value: float, wait: float) -> Judged:
        plain = point(number, 0, wait)
        more = Estimate(name=COST, unit="USD", better="higher", interval=Interval(value, nan, nan, nan, 1))
        return Judged(point=plain.point, replications=1, targets=plain.targets, cost=more, wait=plain.wait)

    assert numbers(frontier([margin(1, 10, 9), margin(2, 20, 9), margin(3, 5, 7)])) == [2, 3]


# The cheapest that meets the targets, and the next one


def test_met_only_if_all_are_met_and_missed_if_any_is() -> None:
    verdicts = {(12, 0.05): "met", (12, 0.2): "missed", (14.2, 0.05): "undecided", (14.2, 0.2): "missed"}
    for (wait, share), verdict in verdicts.items():
        assert point(1, 1, wait, share=share).verdict == verdict
    assert Judged(point=Point(1, ()), replications=1).verdict == ""


def test_the_cheapest_and_its_runner_up(design: Design) -> None:
    points = [
        point(1, 100, 20),  # cheap and missed
        point(2, 150, 14.1),  # undecided
        point(3, 300, 5, costs=(302, 298, 301, 299)),
        point(4, 200, 12, costs=(201, 199, 202, 198)),
        point(5, 250, 14.3),  # undecided and dearer
        point(6, 400, 1),
    ]
    found = answer(design, points)
    assert numbers(found.meeting) == [4, 3, 6]
    assert found.cheapest is points[3]
    assert numbers(found.undecided) == [2, 5]
    assert numbers(found.may_be_cheaper) == [2]
    assert numbers(found.frontier) == [1, 2, 4, 3, 6]
    assert found.nearest is None
    assert found.difference is not None
    # 101, 99, 99, 101: mean 100, standard error 1.1547/2, t(3) 3.1824
    assert found.difference.estimate == pytest.approx(100)
    assert found.difference.high - 100 == pytest.approx(3.18244630528 * 2 / math.sqrt(3) / 2)


def test_the_difference_of_cost_is_paired(design: Design) -> None:
    entry = reported(design.base)[COST]
    first, second = (10.0, 14.0, 9.0, 17.0, 12.0), (11.0, 15.5, 9.5, 18.0, 13.5)
    found = cost_difference(point(1, 0, 0, costs=first), point(2, 0, 0, costs=second), COST, entry)
    low, high = ttest_rel(second, first).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((low, high))
    assert (found.estimate, found.n) == (pytest.approx(1.1), 5)
    longer = point(1, 0, 0, costs=(*first, 900.0, 900.0))
    assert cost_difference(longer, point(2, 0, 0, costs=second), COST, entry) == found, "the first of each"


def test_the_difference_of_a_quotient_is_one_of_sums(design: Design) -> None:
    """30/6 − 20/5 = 1, and not the mean of the replications' own differences."""
    entry = reported(design.base)[SHARE]
    one, other = (
        Judged(point=Point(1, ()), replications=2, costs=tuple(Ratio(*pair) for pair in pairs))
        for pairs in (((10, 1), (10, 4)), ((10, 2), (20, 4)))
    )
    assert cost_difference(one, other, SHARE, entry).estimate == pytest.approx(1.0)


def test_where_none_meets_the_nearest_is_named(design: Design) -> None:
    """Fewest targets missed, then the least beyond a limit as a share of it: 16/14 is 14 % over, 0.115 is 15 %."""
    missed = [point(1, 1, 20, share=0.2), point(2, 1, 16), point(3, 1, 12, share=0.115)]
    found = answer(design, missed)
    assert (found.cheapest, found.difference, found.meeting) == (None, None, ())
    assert found.nearest is missed[1]
    undecided = answer(design, [*missed, point(4, 1, 14.4)])
    assert undecided.nearest is not None
    assert undecided.nearest.point.number == 4


def test_replications_that_may_decide() -> None:
    """Half-width 0.5 at 10 replications and 0.25 from the limit: it must halve, which takes four times as many."""
    asked = {WAIT: Goal(high=14), SHARE: Goal(high=0.1)}
    assert enough_to_decide(point(1, 1, 13.75), asked) == pytest.approx(40)
    assert enough_to_decide(point(1, 1, 14.0), asked) == math.inf
    assert enough_to_decide(point(1, 1, 13.75, share=0.095), asked) == pytest.approx(40), (
        "0.01 and 0.005 as well"
    )
    assert enough_to_decide(point(1, 1, 13.75, half_width=1.0), asked) == pytest.approx(160)


# Sentences


def said(design: Design, *points: Judged) -> list[str]:
    return sentences(Told(design, points, answer(design, points), ()))


def test_what_is_said_of_the_cheapest(design: Design) -> None:
    costs = (1000.0, 1010.0, 990.0, 1004.0)
    assert said(
        design,
        point(1, 1001, 12, costs=costs),
        point(
            2, 1101, 11, costs=[value + gap for value, gap in zip(costs, (99, 101, 100, 100), strict=True)]
        ),
        point(3, 900, 14.25),
    ) == [
        "2 of 3 points meet all targets; the cheapest is Nurses 1, Day ward: places 10 (point 1): "
        "program.cost.total 1,001 USD; ward.wait_days.p90 12.0 days (11.5 to 12.5).",
        "The next one, Nurses 2, Day ward: places 20 (point 2), costs more: +100 USD (+98.7 to +101), "
        "the same patients in both.",
        "A cheaper point, Nurses 3, Day ward: places 30 (point 3), is undecided: about 40 replications may decide.",
    ]


@pytest.mark.parametrize(
    ("gaps", "words"),
    [
        ((0, 0), "costs the same with any patients."),
        ((7, 7), "costs 7.00 USD more with any patients."),
        ((1, -0.5), "is not told apart: +0.25 USD (-9.28 to +9.78), the same patients in both."),
    ],
)
def test_what_is_said_of_the_next_one(design: Design, gaps: tuple[float, ...], words: str) -> None:
    costs = (100.0, 130.0)
    second = point(2, 120, 11, costs=[cost + gap for cost, gap in zip(costs, gaps, strict=True)])
    assert said(design, point(1, 115, 12, costs=costs), second)[1].endswith(f"(point 2), {words}")


def test_what_is_said_where_more_is_better(design: Design) -> None:
    """A margin: the best one has most of it, and the next one brings less."""

    def margin(number: int, values: Sequence[float]) -> Judged:
        plain = point(number, 0, 12, costs=values)
        mean = Interval(sum(values) / len(values), nan, nan, nan, len(values))
        return replace(plain, cost=Estimate(name=COST, unit="USD", better="higher", interval=mean))

    told = said(design, margin(1, (90.0, 101.0, 80.0)), margin(2, (100.0, 110.0, 91.0)))
    assert told[0].startswith("2 of 2 points meet all targets; the best is Nurses 2,")
    assert told[1].endswith("(point 1), brings less: -10.0 USD (-12.5 to -7.52), the same patients in both.")


def test_what_is_said_where_none_meets(design: Design) -> None:
    assert said(design, point(1, 1, 20), point(2, 1, 16)) == [
        "No point meets all targets: each misses one or more of 2.",
        "The nearest is Nurses 2, Day ward: places 20 (point 2): ward.wait_days.p90 16.0 days (15.5 to 16.5), "
        "asked at most 14.",
    ]
    undecided = said(design, point(1, 1, 20), point(2, 1, 13.9))
    assert (
        undecided[0]
        == "No point is known to meet all targets: 1 undecided, 1 missed; about 250 replications may decide."
    )
    assert said(design, point(1, 1, 14.0))[0] == (
        "No point is known to meet all targets: all are undecided; more replications will hardly decide."
    )


def test_what_is_said_without_targets(design: Design, tmp_path: Path) -> None:
    free = load("study.yaml", ["targets=[]"])
    assert said(free, Judged(point=Point(1, ()), replications=1))[0].startswith("No targets are set")


def test_notes_name_what_is_not_precise(design: Design) -> None:
    short = Shortfall(metric=WAIT, unit="days", estimate=10.0, half_width=0.62, wanted=0.5, is_relative=True)
    plain = point(1, 1, 1)
    points = [
        Judged(point=plain.point, replications=400, targets=plain.targets, short_of=(short,)),
        *(point(number, 1, 1) for number in (2, 3, 4)),
    ]
    (note,) = notes_on(design, points)
    assert note == (
        "Point 1 is not yet as precise as asked after the most replications allowed (400, run.replications.max): "
        "point 1 ward.wait_days.p90 ± 6.2 % (asked 5 %)."
    )
    header, rows = point_rows(design, points)
    assert [row[header.index("precise")] for row in rows] == ["no", "", "", ""]


@pytest.mark.parametrize(
    ("name", "label", "words"),
    [
        ("staff.nurse.posts", None, "nurse: posts"),
        ("levels.ward.places", None, "Day ward: places"),
        ("levels.ward.groups.*.seats", None, "Day ward, every group: seats"),
        ("levels.*.hold_days", None, "every level: hold days"),
        ("money.benefits", None, "money: benefits"),
        ("levels.ward.phases[0].weeks", None, "Day ward: phases 1 weeks"),
        ("opening_hours", None, "opening hours"),
        ("staff.nurse.posts", "Team", "Team"),
    ],
)
def test_words_for_parameters(design: Design, name: str, label: str | None, words: str) -> None:
    assert axis_words(name, label, design.base) == words


def test_words_for_values() -> None:
    assert [label_text(label) for label in (3, 1234, 0.25, 5.4, 2.0, 1 / 3, "few")] == [
        "3", "1,234", "0.25", "5.4", "2", "0.333333", "few",
    ]  # fmt: skip


def test_goals_of_the_fixture(design: Design) -> None:
    assert goals(design.base.targets) == {WAIT: Goal(high=14), SHARE: Goal(high=0.1)}


@pytest.mark.parametrize("width", [40, 60, 76, 80, 100, 160])
def test_no_number_is_broken_at_any_width(design: Design, width: int) -> None:
    points = [point(1, 1_138_688, 12.4), point(2, 12_138_795, 27.5, share=0.303)]
    out = Console(width=width, file=io.StringIO(), highlight=False)
    print_sweep(out, Told(design, points, answer(design, points), ()))
    shown = out.file.getvalue()
    assert all(text in shown for text in ("1,138,688", "12,138,795", "27.5", "30.3 %")), shown


def test_many_points_of_which_none_is_worth_a_line_are_answered_too(design: Design) -> None:
    points = [point(number, nan, 20) for number in range(1, 31)]
    out = Console(width=80, file=io.StringIO())
    print_sweep(out, Told(design, points, answer(design, points), ()))
    assert "No point meets all targets" in out.file.getvalue()
