"""Figures of plans side by side: what each changes, who waits when, what access costs."""

from __future__ import annotations

import math
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from iopsim.experiment.compare import Comparison, Difference
from iopsim.experiment.encoding import Replication
from iopsim.experiment.statistics import Interval
from iopsim.measures.registry import Sample, Value
from iopsim.report.figures import compare, draw_comparison
from iopsim.report.style import styled
from iopsim.scenario.schema import Scenario

if TYPE_CHECKING:
    from collections.abc import Sequence

    from iopsim.report.style import Drawing

pytestmark = pytest.mark.slow

WAIT, RENEGED = "day_care.wait_days.p90", "day_care.reneged.share"
WEEKS = 29
nan = math.nan


def clinic(**changed: Any) -> Scenario:
    """One own level with a waitlist and a payroll, one level bought from outside."""
    return Scenario.model_validate(
        {
            "run": {"warm_up_weeks": 2, "weeks": 26, "run_out_weeks": 1},
            "sources": {"community": {"to": "day_care", "per_week": 5.0}},
            "levels": {
                "ward": {"places": 4, "stay_days": 9.0, "cost_per_day": 900.0},
                "day_care": {
                    "label": "Day care",
                    "places": 9,
                    "stay_days": 40.0,
                    "waitlist": {"patience_days": {"exponential": {"mean": 40.0}}},
                },
            },
            "staff": {"clinician": {"posts": 2, "salary_per_year": 60_000.0}},
            **changed,
        }
    )


def difference(words: str, estimate: float, low: float, high: float, **changed: Any) -> Difference:
    said = {"metric": WAIT, "unit": "days", "better": "lower", "plan": "more_staff"} | changed
    return Difference(
        **said,
        base_estimate=9.0,
        plan_estimate=9.0 + estimate,
        difference=Interval(estimate, low, high, 1.0, 10),
        variance_ratio=2.0,
        p_holm=0.5,
        words=words,
    )


def year(
    index: int, waits: Sequence[float] = (1.0, 2.0), cost: float = 1000.0, waiting: float = 3.0
) -> Replication:
    return Replication(
        index=index,
        outcomes={
            "day_care.wait_days": Sample(np.array(waits, dtype=float)),
            "program.cost.total": Value(cost),
        },
        weekly={"day_care.waitlist": [waiting + index] * WEEKS, "ward.waitlist": [9.0] * WEEKS},
        profiles={},
        kernel_events=0,
    )


def comparison(
    found: Sequence[Difference] = (), plans: Sequence[str] = ("baseline", "more_staff"), **changed: Any
) -> Comparison:
    parts: dict[str, Any] = {
        "scenarios": {plan: clinic() for plan in plans},
        "replications": {plan: [year(0), year(1)] for plan in plans},
        "matched": dict.fromkeys(plans, 1.0),
    }
    return Comparison(differences=found, **(parts | changed))


def legend(drawing: Drawing) -> list[str]:
    return [text.get_text() for box in drawing.figure.legends for text in box.get_texts()]


def said(drawing: Drawing) -> str:
    """All that stands on the sheet itself, on one line."""
    texts = (text.get_text() for text in drawing.figure.texts)
    return " ".join(texts).replace("\n", " ").replace("\N{NO-BREAK SPACE}", " ")


# Differences


def test_differences_have_a_panel_for_each_metric_and_a_mark_for_each_word() -> None:
    found = [
        difference("better", -3.0, -4.0, -2.0),
        difference("worse", 3.0, 2.0, 4.0, plan="fewer_staff"),
        difference("not known yet", 0.01, -0.01, 0.03, metric=RENEGED, unit="share"),
        difference(
            "no difference that matters", 0.0, 0.0, 0.0, metric=RENEGED, unit="share", plan="fewer_staff"
        ),
    ]
    plans = ("baseline", "more_staff", "fewer_staff")
    (drawing,) = compare.differences(comparison(found, plans))
    assert legend(drawing) == [
        "better",
        "worse",
        "no difference that matters",
        "not known yet",
        "interval (all of them hold together at 95 %)",
    ]
    days, share = drawing.figure.axes
    assert days.get_xlabel() == "Difference (days)"
    assert share.get_xlabel() == "Difference (percentage points)"
    zero, *dots = days.lines
    assert zero.get_xdata() == [0, 0]
    assert [dot.get_xdata()[0] for dot in dots] == [-3.0, 3.0]
    assert len({dot.get_marker() for axes in (days, share) for dot in axes.lines[1:]}) == 4
    assert "more_staff Day care: wait to start, nine in ten within −3 days (better)" in drawing.alt
    assert "gave up waiting +1 percentage points (not known yet)" in drawing.alt
    assert "The same patients meet every plan." in said(drawing)


def test_what_is_too_small_to_matter_is_shaded_and_patients_that_differ_are_told() -> None:
    targets = [{"metric": WAIT, "at_most": 14, "matters": 5.0}]
    plans = {"baseline": clinic(targets=targets), "more_staff": clinic()}
    (drawing,) = compare.differences(
        comparison(
            [difference("no difference that matters", -1.0, -2.0, 0.5)],
            scenarios=plans,
            matched={"baseline": 1.0, "more_staff": 0.953},
        )
    )
    assert "too small to matter" in legend(drawing)
    (axes,) = drawing.figure.axes
    (shade,) = axes.patches
    assert (shade.get_x(), shade.get_width()) == (-5.0, 10.0)
    assert axes.get_xlim()[1] > 5
    assert "Patients that are the same as in baseline: 95.3 % in more staff." in said(drawing)


def test_without_a_known_difference_there_is_nothing_to_draw() -> None:
    assert compare.differences(comparison([difference("not known yet", nan, nan, nan)])) == []


# Waitlists


def test_every_plan_has_a_line_of_its_own_style() -> None:
    plans = [f"plan_{number}" for number in range(9)]
    years = {plan: [year(0, waiting=number), year(1, waiting=number)] for number, plan in enumerate(plans)}
    with styled():
        (drawing,) = compare.waitlists(comparison(plans=plans, replications=years))
    (axes,) = drawing.figure.axes  # the ward is bought from outside
    assert legend(drawing) == [f"plan {number}" for number in range(9)]
    assert [line.get_ydata()[0] for line in axes.lines] == [number + 0.5 for number in range(9)]
    assert {len(line.get_ydata()) for line in axes.lines} == {WEEKS}
    looks = {(line.get_color(), str(line.get_linestyle()), str(line._dash_pattern)) for line in axes.lines}
    assert len(looks) == 9
    assert len({str(line._dash_pattern) for line in axes.lines[:5]}) == 5  # told apart in gray too
    assert drawing.title == "Day care: who waits, week by week"
    assert "Means of 2 replications" in said(drawing)
    assert "plan_3 3.50 at Day care" in drawing.alt


def test_a_level_that_only_one_plan_has_is_drawn_for_it_alone() -> None:
    levels = {
        "ward": {"places": 4, "stay_days": 9.0},
        "day_care": {"label": "Day care", "places": 9, "stay_days": 40.0},
    }
    plans = {"baseline": clinic(), "more_staff": clinic(levels=levels)}  # which runs the ward itself
    without_ward = [
        Replication(
            index=0, outcomes={}, weekly={"day_care.waitlist": [1.0] * WEEKS}, profiles={}, kernel_events=0
        )
    ]
    years = {"baseline": without_ward, "more_staff": [year(0)]}
    (drawing,) = compare.waitlists(comparison(scenarios=plans, replications=years))
    assert [len(axes.lines) for axes in drawing.figure.axes] == [2, 1]
    assert [axes.get_title() for axes in drawing.figure.axes] == ["Day care", "ward"]


def test_where_nobody_ever_waits_no_waitlist_is_drawn() -> None:
    nobody = {plan: [year(0, waiting=0.0)] for plan in ("baseline", "more_staff")}
    assert compare.waitlists(comparison(replications=nobody)) == []


# Cost beside access


def dots_of(**costs: float) -> tuple[Comparison, Drawing]:
    """Plans by what half a year costs; waits grow by a day from plan to plan, and replications differ by two."""
    years = {
        plan: [year(index, [step + 2 * index] * 60, cost) for index in (0, 1)]
        for step, (plan, cost) in enumerate(costs.items())
    }
    found = [difference("better", -1.0, -2.0, -0.5, plan=plan) for plan in [*costs][1:]]
    whole = comparison(found, plans=[*costs], replications=years)
    with styled():
        (drawing,) = compare.cost_beside_access(whole)
    return whole, drawing


def test_a_dot_stands_where_the_numbers_are() -> None:
    _, drawing = dots_of(baseline=1000.0, more_staff=1500.0)
    (axes,) = drawing.figure.axes
    assert [(dot.get_xdata()[0], dot.get_ydata()[0]) for dot in axes.lines] == [(2, 2000), (3, 3000)]
    assert [dot.get_marker() for dot in axes.lines] == ["s", "o"]
    assert axes.get_xlabel() == "Day care: wait to start, nine in ten within (days)"
    assert axes.get_ylabel() == "Program cost a year (USD)"
    assert {text.get_text() for text in axes.texts} == {"baseline", "more staff"}
    assert "more_staff 3 days for 3,000 USD a year" in drawing.alt
    assert "Best is low and to the left." in said(drawing)


def test_names_of_dots_that_stand_close_do_not_cover_each_other() -> None:
    costs = {f"a_plan_with_a_long_name_{number}": 1000.0 + number / 10 for number in range(4)}
    _, drawing = dots_of(**costs)
    (axes,) = drawing.figure.axes
    boxes = [text.get_window_extent() for text in axes.texts]
    assert len(boxes) == 4
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    assert all(axes.get_window_extent().containsx(edge) for box in boxes for edge in (box.x0, box.x1))


@pytest.mark.parametrize("lacking", ["access", "cost", "metric"])
def test_cost_beside_access_takes_both(lacking: str) -> None:
    found = [
        difference("better", -1.0, -2.0, -0.5, metric="day_care.census.mean" if lacking == "metric" else WAIT)
    ]
    waits = [1.0] * (3 if lacking == "access" else 60)  # of too few no percentile is printed
    years = {plan: [year(index, waits) for index in (0, 1)] for plan in ("baseline", "more_staff")}
    scenario = clinic(staff={}) if lacking == "cost" else clinic()
    plans = dict.fromkeys(years, scenario)
    assert compare.cost_beside_access(comparison(found, scenarios=plans, replications=years)) == []


def test_figures_become_files_that_are_the_same_each_time() -> None:
    whole, _ = dots_of(baseline=1000.0, more_staff=1500.0)
    first = dict(draw_comparison(whole))
    names = ("differences", "waitlists", "cost-beside-access")
    assert list(first) == [f"{name}.{kind}" for name in names for kind in ("svg", "png")]
    assert dict(draw_comparison(whole)) == first
