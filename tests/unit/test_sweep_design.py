"""The points of a sweep: their order and number, what is added and left out, and how they are spread."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from iopsim.errors import InputError
from iopsim.experiment.sweep.load import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from iopsim.experiment.sweep.load import Design

BASE = """\
run: {weeks: 4, warm_up_weeks: 2, run_out_weeks: 1, replications: 3, seed: 11}
sources: {community: {to: ward, per_week: 2}}
levels: {ward: {places: 4, stay_days: 5, cost_per_day: 100}, home_care: {places: 9, stay_days: 9}}
staff: {nurse: {posts: 2, salary_per_year: 50000}, clerk: {posts: 1}}
"""

Read = Callable[..., Design] if TYPE_CHECKING else Any


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """The design of a sweep over the base, by its text."""
    monkeypatch.chdir(tmp_path)

    def written(text: str, *sets: str, **options: Any) -> Design:
        Path("base.yaml").write_text(BASE, encoding="utf-8")
        Path("study.yaml").write_text(f"base: base.yaml\n{text}\n", encoding="utf-8")
        return load("study.yaml", sets, **options)

    return written


def labels(design: Design) -> list[tuple[object, ...]]:
    assert [point.number for point in design.points] == list(range(1, len(design.points) + 1))
    assert len(design.scenarios) == len(design.points)
    return [point.labels for point in design.points]


def refused(read: Read, text: str) -> list[str]:
    with pytest.raises(InputError) as error:
        read(text)
    return [str(fault) for fault in error.value.faults]


TWO = "parameters: {staff.nurse.posts: [2, 3], staff.clerk.posts: [1, 4, 0]}"


def test_the_first_parameter_of_a_grid_varies_slowest(read: Read) -> None:
    design = read(TWO)
    assert labels(design) == [(2, 1), (2, 4), (2, 0), (3, 1), (3, 4), (3, 0)]
    posts = [(one.staff["nurse"].posts, one.staff["clerk"].posts) for one in design.scenarios]
    assert posts == labels(design)


def test_lists_stand_side_by_side(read: Read) -> None:
    text = (
        "method: list\nparameters: {staff.nurse.posts: [2, 2, 3], staff.clerk.posts: {min: 1, max: 3, n: 3}}"
    )
    assert labels(read(text)) == [(2, 1), (2, 2), (3, 3)]
    assert labels(read(f"{text}\nexclude: [{{staff.nurse.posts: 2}}]")) == [(3, 3)]


def test_points_are_added_last_and_once_and_left_out_by_all_that_is_named(read: Read) -> None:
    text = (
        f"{TWO}\nexclude: [{{staff.nurse.posts: 2, staff.clerk.posts: 4}}, {{staff.clerk.posts: 0}}]\n"
        "include: [{staff.nurse.posts: 9, staff.clerk.posts: 4}, {staff.nurse.posts: 3, staff.clerk.posts: 1}]"
    )
    assert labels(read(text)) == [(2, 1), (3, 1), (3, 4), (9, 4)]


LHS = "method: lhs\npoints: 20\nparameters: {sources.community.per_week: {min: 2.0, max: 6}, staff.nurse.posts: "


def test_a_latin_hypercube_has_one_point_in_each_stratum_of_each_parameter(read: Read) -> None:
    design = read(LHS + "{min: 1, max: 5}, staff.clerk.posts: [1, 2, 3, 4]}")
    rates, nurses, clerks = (np.array(column) for column in zip(*labels(design), strict=True))
    assert sorted(((rates - 2) / 4 * 20).astype(int)) == list(range(20))
    assert sorted(nurses) == sorted([1, 2, 3, 4, 5] * 4), "whole numbers, the ends as often as the others"
    assert all(isinstance(value, int) for _, value, _ in labels(design))
    assert sorted(clerks) == sorted([1, 2, 3, 4] * 5), "values that are listed, each as often"
    assert abs(np.corrcoef(rates, nurses)[0, 1]) < 0.6


def test_a_sobol_sequence_has_one_point_in_each_stratum_and_is_even_in_the_plane(read: Read) -> None:
    text = "method: sobol\npoints: 64\nparameters:\n  sources.community.per_week: {min: 0.0, max: 1}\n"
    design = read(text + "  levels.home_care.places: {min: 0, max: 7}\n")
    rates, places = (np.array(column) for column in zip(*labels(design), strict=True))
    assert sorted((rates * 64).astype(int)) == list(range(64))
    cells = np.zeros((8, 8), dtype=int)
    np.add.at(cells, ((rates * 8).astype(int), places), 1)
    assert (cells == 1).all(), "one in each of 8 by 8 cells"


@pytest.mark.parametrize("method", ["lhs", "sobol"])
def test_points_that_are_spread_belong_to_the_seed_of_the_base(read: Read, method: str) -> None:
    text = f"method: {method}\npoints: 8\nparameters: {{sources.community.per_week: {{min: 1.0, max: 2}}}}"
    first = labels(read(text))
    assert labels(read(text)) == first
    assert labels(read(text, "run.replications=9")) == first
    assert labels(read(text, "run.seed=12")) != first
    assert labels(read(text, "run.seed=12")) == labels(read(text, "run.seed=12"))


def test_what_is_simulated_is_what_the_table_shows(read: Read) -> None:
    design = read("method: lhs\npoints: 9\nparameters: {sources.community.per_week: {min: 1.0, max: 2}}")
    for (label,), scenario in zip(labels(design), design.scenarios, strict=True):
        assert float(f"{label:.12g}") == scenario.sources["community"].per_week


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"method: lhs\n{TWO}", "study.yaml:2:1: error: method: `lhs` needs `points`"),
        (f"points: 9\n{TWO}", "study.yaml:2:1: error: points: `points` is for `lhs` and `sobol`"),
        (f"method: sobol\npoints: 50\n{TWO}", "powers of 2 (got 50); write 32 or 64"),
        (f"method: list\n{TWO}", '"staff.clerk.posts": in a list the values stand side by side'),
        (f"{TWO}\nexclude: [{{staff.nurse.posts: 2}}, {{staff.nurse.posts: 3}}]", "leaves out every point"),
        (
            LHS + "{min: 1, max: 3}}\nexclude: [{staff.nurse.posts: 1}]",
            "its values are drawn, so none can be left out",
        ),
    ],
)  # fmt: skip
def test_a_design_that_makes_no_points(read: Read, text: str, said: str) -> None:
    (told,) = refused(read, text)
    assert said in told


def test_many_points_must_be_meant(read: Read) -> None:
    many = "parameters: {staff.nurse.posts: {min: 1, max: 101, n: 101}, staff.clerk.posts: {min: 1, max: 100, n: 100}}"
    (told,) = refused(read, many)
    assert told == "study.yaml:2:1: error: parameters: 10,100 points; if so many are meant, say so with --yes"
    far_more = many.replace("min: 1, max: 100, n: 100", "min: 1, max: 1000, n: 1000")
    (told,) = refused(read, far_more)
    assert "101,000 points; at most 100,000 are simulated at once; divide the sweep" in told
    few = read(many.replace("101", "3").replace("100", "4"), many=True)
    assert len(few.points) == 12


# Which metrics are asked for


def test_axes_of_the_frontier_are_found(read: Read) -> None:
    design = read(TWO)
    assert (design.cost, design.wait) == ("program.cost.total", "home_care.wait_days.mean")
    targets = "targets: [{metric: ward.census.mean, at_most: 3}, {metric: ward.wait_days.p90, at_most: 3}]"
    assert read(f"{TWO}\n{targets}").wait == "ward.wait_days.p90"
    said = read(f"{TWO}\ncost: program.cost.per_attended_day\nwait: ward.waitlist.max")
    assert (said.cost, said.wait) == ("program.cost.per_attended_day", "ward.waitlist.max")


def test_a_program_without_cost_has_no_frontier(read: Read) -> None:
    free = ("staff.nurse.salary_per_year=0",)
    assert read("parameters: {staff.nurse.posts: [1, 2]}", *free).cost is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("metrics: [ward.census.maen]", 'error: metrics[0]: this sweep has no metric "ward.census.maen"'),
        ("cost: program.cost", '(did you mean "program.cost.total"?)'),
        ("wait: ward.wait_days", '(did you mean "ward.wait_days.mean"?)'),
        ("targets: [{metric: ward.wait_days.p91, at_most: 3}]", 'study.yaml:3:12: error: targets.0.metric: '),
        ("replications: {precision: 0.1}", "nothing to judge the precision of"),
        ("replications: {of: [ward.censsus.mean]}", '(did you mean "ward.census.mean"?)'),
    ],
)  # fmt: skip
def test_metrics_that_do_not_exist(read: Read, text: str, said: str) -> None:
    (told,) = refused(read, f"{TWO}\n{text}")
    assert told.startswith("study.yaml:3:")
    assert said in told


def test_a_metric_that_only_some_points_have(read: Read) -> None:
    closed = "{levels.ward.waitlist: {at_most: 3, otherwise: home_care}}"
    lists = f"parameters: {{list: {{values: {{open: {{}}, closed: {closed}}}}}}}\n"
    assert read(f"{lists}metrics: [ward.lost.refused.share]").metrics == ("ward.lost.refused.share",)
    for text in ("wait: ward.lost.refused.share", "targets: [{metric: ward.lost.refused.share, at_most: 1}]"):
        (told,) = refused(read, lists + text)
        assert 'some points have no metric "ward.lost.refused.share"' in told
