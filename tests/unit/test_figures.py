"""Figures: drawn from tables alone, honest about their numbers, the same bytes every time."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from iopsim.errors import InputError
from iopsim.experiment.summary import Goal
from iopsim.report.figures import draw_all, goals
from iopsim.report.figures.money import Costs, Share, plot_break_even
from iopsim.report.figures.patients import Limit, Mark, plot_funnel, plot_waits
from iopsim.report.style import PRECISION, VERMILLION
from iopsim.report.tables import Estimated, read_results
from iopsim.scenario.schema import Scenario
from tests.unit.folders import clinic, drawn, simulated, written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from iopsim.report.style import Drawing

pytestmark = pytest.mark.slow

SCENARIOS = Path(__file__).parents[2] / "scenarios"
SHORT = (
    "run.warm_up_weeks=6",
    "run.weeks=16",
    "run.run_out_weeks=6",
    "run.replications=4",
    "calendar.closed=[]",
)
nan = math.nan


# Folders to draw from: two that a run wrote, and others written by hand


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulated(tmp_path_factory.mktemp("results"), "baseline", SHORT)


@pytest.fixture(scope="module")
def minimal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulated(tmp_path_factory.mktemp("results"), "minimal", SHORT)


@pytest.fixture(scope="module")
def figures_of_baseline(baseline: Path) -> dict[str, Drawing]:
    return drawn(baseline)


@pytest.fixture(scope="module")
def figures_of_minimal(minimal: Path) -> dict[str, Drawing]:
    return drawn(minimal)


@pytest.fixture(scope="module")
def files_of_baseline(baseline: Path) -> dict[str, bytes]:
    return dict(draw_all(baseline))


def texts(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def legend(drawing: Drawing) -> list[str]:
    return [text.get_text() for box in drawing.figure.legends for text in box.get_texts()]


# What is drawn


def test_every_figure_of_a_whole_program(files_of_baseline: dict[str, bytes]) -> None:
    names = [
        "targets",
        "waitlist-and-census",
        "wait-distribution-iop",
        "patient-funnel",
        "fill-by-group-and-weekday",
        "caseload",
        "hours-by-role",
        "held-places",
        "cost-and-revenue",
        "books-by-payer",
        "contribution-by-group",
        "cost-by-level",
        "cost-beside-inpatient",
    ]
    assert list(files_of_baseline) == [f"{name}.{kind}" for name in names for kind in ("svg", "png")]


def test_no_figure_of_what_a_scenario_lacks(figures_of_minimal: dict[str, Drawing]) -> None:
    assert set(figures_of_minimal) == {
        "targets",
        "waitlist-and-census",
        "wait-distribution-iop",
        "patient-funnel",
    }


def test_nothing_to_draw_is_no_figure(tmp_path: Path) -> None:
    assert drawn(written(tmp_path / "run", clinic())) == {}


def test_levels_bought_from_outside_are_not_drawn(tmp_path: Path) -> None:
    profiles = {"waits.ward": [1, 2], "funnel.ward": [3, 3, 3, 3, 3]}
    folder = written(tmp_path / "run", clinic(), profiles=profiles, weekly={"ward.census": (3, 2, 4, 1, 5)})
    assert drawn(folder) == {}


def test_nobody_waited_is_no_wait_distribution(tmp_path: Path) -> None:
    assert drawn(written(tmp_path / "none", clinic(), profiles={"waits.day_care": [10, 0]})) == {}
    some = written(tmp_path / "some", clinic(), profiles={"waits.day_care": [10, 1]})
    assert set(drawn(some)) == {"wait-distribution-day_care"}


@pytest.mark.parametrize("figures", ["figures_of_baseline", "figures_of_minimal"])
def test_title_alt_text_and_units(figures: str, request: pytest.FixtureRequest) -> None:
    for drawing in request.getfixturevalue(figures).values():
        assert drawing.title
        assert drawing.alt.endswith(".")
        assert ". " not in drawing.alt, "one sentence"
        assert "nan" not in drawing.title + drawing.alt
        drawing.figure.draw_without_rendering()
        for axes in drawing.figure.axes:
            if axes.get_visible():
                units_are_said(axes)


def units_are_said(axes: Axes) -> None:
    units = ("patients", "days", "hours", "usd", "date", "percent", "number")
    for axis in (axis for axis in (axes.xaxis, axes.yaxis) if axis.get_visible()):
        ticks = [label.get_text() for label in axis.get_ticklabels() if label.get_visible()]
        if any(tick.lstrip("−").startswith(tuple("0123456789")) for tick in ticks):
            said = axis.get_label_text().lower()
            assert said, ticks
            assert ticks[0].endswith("%") or any(unit in said for unit in units), said


def test_names_of_the_bands(figures_of_baseline: dict[str, Drawing]) -> None:
    """Of four replications the years have no range, and the note says so."""
    drawing = figures_of_baseline["waitlist-and-census"]
    assert legend(drawing) == ["mean", PRECISION]
    told = " ".join(text.get_text() for text in drawing.figure.texts).split()
    assert "Range of years left blank: takes 20 replications." in " ".join(told)


# The same bytes


def test_the_same_bytes_twice_whatever_the_settings(minimal: Path) -> None:
    first = dict(draw_all(minimal))
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.fonttype": "path"}):
        assert dict(draw_all(minimal)) == first
        assert mpl.rcParams["font.size"] == 30, "the settings of others are left as they were"


def test_the_same_bytes_in_another_process_and_no_window(
    baseline: Path, files_of_baseline: dict[str, bytes]
) -> None:
    program = """
import sys, hashlib, json
from pathlib import Path
from iopsim.report.figures import draw_all
assert "matplotlib" not in sys.modules, "imported before it is needed"
hashes = {name: hashlib.sha256(content).hexdigest() for name, content in draw_all(Path(sys.argv[1]))}
assert "matplotlib.pyplot" not in sys.modules
print(json.dumps(hashes))
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, str(baseline)],
        capture_output=True,
        text=True,
        check=True,
    )
    here = {name: hashlib.sha256(content).hexdigest() for name, content in files_of_baseline.items()}
    assert json.loads(done.stdout) == here


def test_no_clock_and_no_program_name_in_the_files(files_of_baseline: dict[str, bytes]) -> None:
    for name, content in files_of_baseline.items():
        for trace in (b"Software", b"dc:date", b"dc:creator", b"matplotlib.org"):
            assert trace not in content, name


def test_svg_says_its_title_and_its_alt_text_and_keeps_text_as_text(
    figures_of_baseline: dict[str, Drawing], files_of_baseline: dict[str, bytes]
) -> None:
    for name, drawing in figures_of_baseline.items():
        content = files_of_baseline[f"{name}.svg"].decode()
        words = " ".join(ElementTree.fromstring(content).itertext())
        assert drawing.title in words
        assert drawing.alt in words
        assert "</text>" in content


def test_labels_are_text_and_no_markup(tmp_path: Path) -> None:
    level = {"label": "Tom & Jerry <b> $5 $6 日本", "places": 3, "stay_days": 5.0}
    scenario = clinic(levels={"day_care": level}, staff={})
    folder = written(tmp_path / "run", scenario, profiles={"funnel.day_care": [4, 4, 4, 4, 2]})
    content = dict(draw_all(folder))["patient-funnel.svg"]
    assert "Tom & Jerry <b> $5 $6 日本: of 2 a year" in "".join(ElementTree.fromstring(content).itertext())


# Reading


def test_a_folder_without_results(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"holds no results .*scenario\.resolved\.yaml is missing.*give a folder"
    ):
        read_results(tmp_path)
    (written(tmp_path / "run", clinic()) / "weekly.csv.gz").unlink()
    with pytest.raises(InputError, match=r"weekly\.csv\.gz is missing"):
        read_results(tmp_path / "run")


def test_what_is_read(tmp_path: Path) -> None:
    folder = written(
        tmp_path / "run",
        clinic(),
        {"day_care.census.mean": ("patients", 10.5, "", "", "")},
        {"waits.day_care": [3, 0, 2]},
        {"day_care.census": (10, "", "", 8, 12)},
    )
    results = read_results(folder)
    found = results.summary["day_care.census.mean"]
    assert (found.unit, found.estimate, found.verdict) == ("patients", 10.5, "")
    assert math.isnan(found.low)
    assert results.profiles["waits.day_care"].tolist() == [3, 0, 2]
    series = results.weekly["day_care.census"]
    assert series.start[:2].tolist() == [dt.date(2026, 12, 21), dt.date(2026, 12, 28)]
    assert (series.p10[0], series.p90[-1], np.isnan(series.low).all()) == (8, 12, True)
    assert results.own_levels == ["day_care"]
    assert results.per_year(40.0) == 20.0, "40 over 4 replications of half a year"


def test_a_year_is_one_of_the_replications_that_were_enough(tmp_path: Path) -> None:
    run = {"weeks": 26, "replications": {"min": 4, "max": 400}}
    results = read_results(written(tmp_path / "run", clinic(run=run), replications=10))
    assert results.per_year(40.0) == 8.0, "40 over 10 replications of half a year"


def test_results_are_read_without_the_data_files_of_the_scenario(tmp_path: Path) -> None:
    (tmp_path / "stays.csv").write_text("days\n10\n20\n")
    tree = {
        "sources": {"community": {"to": "ward", "per_week": 1.0}},
        "levels": {"ward": {"stay_days": {"empirical": {"csv": "stays.csv", "column": "days"}}}},
    }
    scenario = Scenario.model_validate(tree, context={"folder": tmp_path})
    folder = written(tmp_path / "run", scenario)
    assert "stays.csv" in (folder / "scenario.resolved.yaml").read_text()
    assert list(read_results(folder).scenario.levels) == ["ward"]


# Numbers in pictures, against sums by hand


def test_waits_are_shares_of_starters_and_the_line_adds_them_up() -> None:
    counts = np.array([4.0, 0.0, 3.0, 1.0])
    axes = plot_waits(
        Figure().subplots(), counts, [Mark(2.5, 0.9, "nine in ten")], [Limit(3.0, "--", "at most 3 days")]
    )
    assert [bar.get_height() for bar in axes.patches] == [0.5, 0.0, 0.375, 0.125]
    right = axes.figure.axes[1]
    line, limit, dot = right.lines
    assert line.get_xydata().tolist() == [
        [0, 0], [0, 0.5], [1, 0.5], [2, 0.5], [3, 0.875], [4, 1], [7, 1],
    ]  # fmt: skip
    assert limit.get_xdata() == [3.0, 3.0]
    assert dot.get_xydata().tolist() == [[2.5, 0.9]]
    assert axes.get_xlabel().endswith("days"), "nobody is cut off"


def test_a_long_tail_is_cut_and_told() -> None:
    counts = np.zeros(400)
    counts[:10], counts[399] = 99.8, 2.0
    axes = plot_waits(Figure().subplots(), counts)
    assert axes.get_xlim() == (0, 10)
    assert axes.get_xlabel().endswith("0.2 % waited longer than shown")


def test_years_of_waiting_are_shown_by_week() -> None:
    axes = plot_waits(Figure().subplots(), np.ones(280))
    assert len(axes.patches) == 40
    assert {round(bar.get_height(), 12) for bar in axes.patches} == {0.025}
    assert axes.get_ylabel() == "Share of starters, by week"


def test_who_is_not_in_the_wait_distribution_is_told(tmp_path: Path) -> None:
    summary = {
        "day_care.wait_days.p50": ("days", 0.0, 0.0, 0.0, ""),
        "day_care.wait_days.p90": ("days", 12.0, 11.0, 13.0, "met"),
        "day_care.reneged.share": ("share", 0.25, 0.2, 0.3, ""),
        "day_care.lost.refused.share": ("share", 0.0, 0.0, 0.0, ""),
    }
    scenario = clinic(targets=[{"metric": "day_care.wait_days.p90", "at_most": 14.0}])
    drawing = drawn(written(tmp_path / "run", scenario, summary, {"waits.day_care": [9, 1]}))[
        "wait-distribution-day_care"
    ]
    assert drawing.title == "Day care: half start at once, nine in ten within 12 days"
    note = drawing.figure.texts[1].get_text().replace("\N{NO-BREAK SPACE}", " ").replace("\n", " ")
    assert note.endswith("Not shown, of those who joined: 25.0 % gave up waiting.")
    assert legend(drawing)[-1] == "target: nine in ten within 14 days"
    assert "target: nine in ten within 14 days" in drawing.alt


def test_funnel_counts_a_year_and_shares_of_the_step_before(tmp_path: Path) -> None:
    folder = written(tmp_path / "run", clinic(), profiles={"funnel.day_care": [400, 350, 300, 270, 90]})
    drawing = drawn(folder)["patient-funnel"]
    assert drawing.title == "Day care: of 200 a year who join, 45 complete"
    axes = drawing.figure.axes[0]
    assert [bar.get_width() for bar in axes.patches] == [200, 150, 135, 45]
    assert texts(axes) == [
        "200 a year",
        "150 a year   75 % of those above",
        "135 a year   90 % of those above",
        "45 a year   33 % of those above",
    ]


def test_a_funnel_with_stages_of_access_begins_with_referrals(tmp_path: Path) -> None:
    plain = clinic().model_dump(by_alias=True, exclude_unset=True)
    intake = {"role": "clinician", "minutes": 60.0}
    plain["levels"]["day_care"] |= {"contact": {"share": 0.8}, "intake": intake}
    scenario = Scenario.model_validate(plain)
    counts = [800, 600, 500, 400, 350, 300, 270, 90]
    drawing = drawn(written(tmp_path / "run", scenario, profiles={"funnel.day_care": counts}))[
        "patient-funnel"
    ]
    assert drawing.title == "Day care: of 400 a year who are referred, 45 complete"
    axes = drawing.figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()][:4] == [
        "Referred",
        "Reached",
        "Assessed",
        "Joined",
    ]
    assert [bar.get_width() for bar in axes.patches] == [400, 300, 250, 200, 150, 135, 45]


def test_a_funnel_may_run_dry() -> None:
    axes = plot_funnel(Figure().subplots(), [("Joined", 8.0), ("Started care", 0.0), ("Completed", 0.0)])
    assert texts(axes) == ["8 a year", "0 a year   0 % of those above", "0 a year"]


def test_fill_by_weekday(tmp_path: Path) -> None:
    folder = written(
        tmp_path / "run",
        clinic(),
        profiles={"fill.morning.mon": [60, 90, 120], "fill.morning.fri": [80, 120, 80]},
    )
    drawing = drawn(folder)["fill-by-group-and-weekday"]
    axes = drawing.figure.axes[0]
    assert drawing.title == "Seats attended: 70 % (morning)"
    assert [label.get_text() for label in axes.get_xticklabels()] == ["Mon", "Fri"]
    assert [bar.get_height() for bar in axes.patches] == [0.5, 1.0, 0.75, 1.5], "attended, then taken"
    assert axes.get_ylim()[1] > 1.5, "overbooked seats are not cut off"


def test_caseload_by_post_under_its_limit(tmp_path: Path) -> None:
    drawing = drawn(written(tmp_path / "run", clinic(), profiles={"caseload.clinician": [22, 18]}))[
        "caseload"
    ]
    assert drawing.title == "Clinician: 5.0 patients each, 83 % of the limit of 6"
    axes = drawing.figure.axes[0]
    assert [bar.get_height() for bar in axes.patches] == [5.5, 4.5]
    assert axes.lines[0].get_ydata() == [6, 6]


def leaving(**therapist: Any) -> Scenario:
    """The clinic with clinicians who come and go."""
    plain = clinic().model_dump(by_alias=True, exclude_unset=True)
    plain["staff"]["clinician"] |= {"turnover_per_year": 0.3, **therapist}
    return Scenario.model_validate(plain)


def test_caseload_beside_the_limits_in_force(tmp_path: Path) -> None:
    profiles = {"caseload.clinician": [22, 12], "limits.clinician": [24, 16]}
    drawing = drawn(written(tmp_path / "run", leaving(), profiles=profiles))["caseload"]
    assert drawing.title == "Clinician: 4.2 patients each, 85 % of the limits in force"
    axes = drawing.figure.axes[0]
    assert [bar.get_height() for bar in axes.patches] == [5.5, 3.0]
    (lines,) = axes.collections
    assert [line[0, 1] for line in lines.get_segments()] == [6, 4]
    assert [words for words in texts(axes) if "limit" in words] == ["limit: 6.0", "limit: 4.0"]


def test_posts_filled_week_by_week_under_all_posts(tmp_path: Path) -> None:
    weekly = {"clinician.filled": (1.6, 1.1, 2.1, 1, 2)}
    drawing = drawn(written(tmp_path / "run", leaving(), weekly=weekly))["posts-filled"]
    assert drawing.title == "Clinician: 1.60 of 2 posts filled on average"
    axes = drawing.figure.axes[0]
    assert axes.get_ylabel() == "Posts filled"
    assert texts(axes)[0] == "2 posts"
    assert max(part.get_paths()[0].vertices[:, 1].max() for part in axes.collections) == 2, (
        "never more than all"
    )
    assert "posts-filled" not in drawn(written(tmp_path / "none", clinic()))


def test_sessions_that_are_not_held_by_group_and_cause(tmp_path: Path) -> None:
    stem = "group.morning.cancelled_sessions"
    closed = {f"{stem}.closed.total": ("sessions", 5, 5, 5, "")}
    short = {
        f"{stem}.below_minimum.total": ("sessions", 2.5, 1, 4, ""),
        "group.morning.merged_sessions.total": ("sessions", 3, 1, 5, ""),
        f"{stem}.unstaffed.total": ("sessions", 0, 0, 0, ""),
    }
    drawing = drawn(written(tmp_path / "run", clinic(), closed | short))["sessions-by-cause"]
    assert drawing.title == (
        "Sessions in 26 weeks: 5 cancelled (day closed), 2.50 cancelled (too few enrolled), "
        "3 merged with another group"
    )
    axes = drawing.figure.axes[0]
    assert [(bar.get_x(), bar.get_width()) for bar in axes.patches] == [(0, 5), (5, 2.5), (7.5, 3)]
    assert texts(axes) == ["10.5"]
    assert len(legend(drawing)) == 3, "no mark for what never happened"
    assert "sessions-by-cause" not in drawn(written(tmp_path / "none", clinic(), closed)), (
        "the calendar is known"
    )


@pytest.mark.parametrize(
    ("mean", "p95", "title"),
    [
        (40, 61, "In a busy week the work exceeds the hours employed: clinician"),
        (40, 60, "The hours employed cover a busy week in every role"),
        (61, "", "In the mean week the work exceeds the hours employed: clinician"),
        (60, "", "The hours employed cover the mean week in every role"),
    ],
)
def test_hours_needed_of_those_employed(tmp_path: Path, mean: float, p95: object, title: str) -> None:
    summary = {
        "clinician.hours_needed.mean": ("hours/week", mean, "", "", ""),
        "clinician.hours_needed.p95": ("hours/week", p95, "", "", ""),
    }
    drawing = drawn(written(tmp_path / "run", clinic(), summary))["hours-by-role"]
    axes = drawing.figure.axes[0]
    assert drawing.title == title
    assert [bar.get_width() for bar in axes.patches] == [mean, 60], "two posts of 30 hours"
    assert texts(axes) == [f"{mean} of 60 h"]
    assert any("busy week" in text for text in legend(drawing)) == bool(p95)


def test_hours_are_held_against_the_posts_that_were_filled(tmp_path: Path) -> None:
    summary = {
        "clinician.hours_needed.mean": ("hours/week", 40, "", "", ""),
        "clinician.hours_needed.p95": ("hours/week", 50, "", "", ""),
        "clinician.fte_employed": ("FTE", 1.5, 1.4, 1.6, ""),
    }
    drawing = drawn(written(tmp_path / "run", leaving(), summary))["hours-by-role"]
    assert drawing.title == "In a busy week the work exceeds the hours employed: clinician"
    assert texts(drawing.figure.axes[0]) == ["40 of 45 h"], "1.5 FTE of 30 hours"


def test_cost_beside_inpatient_agrees_with_the_break_even_share(tmp_path: Path) -> None:
    alternative = {"for": ["community"], "divertible": 0.05, "stay_days": 10.0, "cost_per_day": 1000.0}
    summary = {
        "alternative.difference.per_day": ("USD/day", 800.0, 790.0, 810.0, ""),
        "alternative.difference.per_episode": ("USD/episode", 6000.0, 5900.0, 6100.0, ""),
        "alternative.break_even_share": ("share", 0.4, 0.39, 0.41, ""),
    }
    scenario = clinic(money={"inpatient_alternative": alternative})
    drawing = drawn(written(tmp_path / "run", scenario, summary))["cost-beside-inpatient"]
    assert drawing.title == "A program day costs 200 USD, an inpatient day 1,000"
    day, episode, share = drawing.figure.axes
    assert [bar.get_height() for bar in day.patches] == [200, 1000]
    assert [bar.get_height() for bar in episode.patches] == [4000, 10000]
    assert [bar.get_width() for bar in share.patches] == [0.4, 0.6]
    assert share.lines[0].get_xdata() == [0.05]
    assert drawing.alt.endswith(
        "if 40 % of starters (39.0 % to 41.0 %) would otherwise be inpatients, the program saves what it costs; "
        "the scenario assumes 5 %."
    )


def test_interval_of_a_cost_is_that_of_the_difference_turned_around() -> None:
    assert Costs.of(1000.0, Estimated("USD", 800.0, 790.0, 815.0, "")) == (200.0, 185.0, 210.0, 1000.0)


def test_a_program_that_never_pays_has_no_share_where_it_does() -> None:
    axes = plot_break_even(
        Figure().subplots(), [Share("starters", Estimated("share", 1.3, 1.2, 1.4, ""), 0.05)]
    )
    assert [bar.get_width() for bar in axes.patches] == [1.0, 0.0]


def test_targets_with_verdicts_and_limits(tmp_path: Path) -> None:
    targets = [
        {"metric": "day_care.wait_days.p90", "at_most": 14.0},
        {"metric": "day_care.seat_utilization.mean", "at_least": 0.8},
        {"metric": "day_care.seat_utilization.mean", "at_most": 0.95},
        {"metric": "day_care.reneged.share", "at_most": 0.1},
    ]
    summary = {
        "day_care.reneged.share": ("share", "", "", "", "undecided"),
        "day_care.wait_days.p90": ("days", 15.5, 15.0, 16.0, "missed"),
        "day_care.seat_utilization.mean": ("share", 0.9, 0.88, 0.92, "met"),
    }
    drawing = drawn(written(tmp_path / "run", clinic(targets=targets), summary))["targets"]
    assert drawing.title == "Targets: 1 met and 1 missed"
    wait, seats = drawing.figure.axes
    assert wait.get_title(loc="left") == "Day care: wait to start, nine in ten within: at most 14 days"
    assert texts(wait) == ["15.5 days, missed"]
    assert [line.get_xdata()[0] for line in wait.lines] == [14.0, 15.5]
    assert seats.get_title(loc="left").endswith(
        "seat utilization, mean: at least 80\N{NO-BREAK SPACE}% and at most 95\N{NO-BREAK SPACE}%"
    )
    assert [line.get_xdata()[0] for line in seats.lines] == [0.8, 0.95, 0.9]


@pytest.mark.parametrize("estimate", [0.0, 14.0, -3.0])
def test_a_target_hit_exactly_has_a_scale(estimate: float) -> None:
    axes = goals.plot_target(
        Figure().subplots(), Estimated("days", estimate, nan, nan, "undecided"), Goal(high=estimate)
    )
    low, high = axes.get_xlim()
    assert low <= estimate < high


# The census and what limits it


def limits(drawing: Drawing) -> dict[str, list[float]]:
    """Height of each dashed line in the last panel, first and last week, by its words."""
    axes = drawing.figure.axes[-1]
    lines = [line for line in axes.lines if to_hex(line.get_color()) == VERMILLION.lower()]
    said = [text.get_text() for text in axes.texts if to_hex(text.get_color()) == VERMILLION.lower()]
    return {words: line.get_ydata()[[0, -1]].tolist() for words, line in zip(said, lines, strict=False)}


def census(folder: Path, scenario: Scenario, **series: Sequence[object]) -> Drawing:
    weekly = {"day_care.census": (10, 9, 11, 7, 12)} | series
    return drawn(written(folder, scenario, weekly=weekly))["waitlist-and-census"]


def with_level(**fields: Any) -> Scenario:
    level = clinic().levels["day_care"].model_dump(exclude_unset=True, by_alias=True)
    level = {key: value for key, value in (level | fields).items() if value is not None}
    return clinic(levels={"day_care": level}, staff={} if "caseload" not in level else clinic().staff)


def test_seats_limit_the_census(tmp_path: Path) -> None:
    assert limits(census(tmp_path / "run", clinic())) == {"12 seats": [12, 12]}


def test_caseloads_limit_it_where_they_are_fewer(tmp_path: Path) -> None:
    scenario = clinic(staff={"clinician": {"posts": 2, "caseload": 5.0}})
    assert limits(census(tmp_path / "run", scenario)) == {
        "12 seats": [12, 12],
        "10 in clinician caseloads": [10, 10],
    }


def test_caseloads_in_force_limit_it_where_clinicians_come_and_go(tmp_path: Path) -> None:
    drawing = census(tmp_path / "run", leaving(), **{"clinician.limit": (8, 6, 10, 6, 12)})
    assert limits(drawing) == {"12 seats": [12, 12], "8 in clinician caseloads": [8, 8]}
    near = census(tmp_path / "near", leaving(), **{"clinician.limit": (11.6, 11, 12, 11, 12)})
    places = {
        text.get_text(): text.xy
        for text in near.figure.axes[-1].texts
        if "seats" in text.get_text() or "caseloads" in text.get_text()
    }
    assert places == {"12 seats": (0, 12), "12 in clinician caseloads": (1, 12)}, (
        "words do not cover each other"
    )


def test_places_limit_it(tmp_path: Path) -> None:
    level = {"groups": None, "phases": None, "caseload": None, "stay_days": 20.0, "places": 7}
    assert limits(census(tmp_path / "run", with_level(**level))) == {"7 places": [7, 7]}


def test_a_taper_lets_patients_share_seats_so_that_nothing_fixes_a_number(tmp_path: Path) -> None:
    phases = [{"weeks": 4, "days_per_week": 3}, {"weeks": 4, "days_per_week": 1}]
    assert limits(census(tmp_path / "run", with_level(phases=phases, caseload=None))) == {}


def test_seats_that_come_and_go(tmp_path: Path) -> None:
    groups = {
        "morning": {"days": ["mon", "wed", "fri"], "seats": 12},
        "evening": {"days": ["mon", "wed", "fri"], "seats": 8, "from": dt.date(2027, 2, 1)},
    }
    drawing = census(tmp_path / "run", with_level(groups=groups, caseload=None))
    assert limits(drawing) == {"12 seats": [12, 20]}
    assert "20" in texts(drawing.figure.axes[-1])


def test_the_waitlist_is_drawn_where_anybody_waits(tmp_path: Path) -> None:
    alone = census(tmp_path / "alone", clinic(), **{"day_care.waitlist": (0, 0, 0, 0, 0)})
    assert [axes.get_ylabel() for axes in alone.figure.axes] == ["In care (patients)"]
    both = census(tmp_path / "both", clinic(), **{"day_care.waitlist": (0.1, 0, 1, 0, 1)})
    assert [axes.get_ylabel() for axes in both.figure.axes] == ["Waiting (patients)", "In care (patients)"]


def test_one_replication_has_no_bands(tmp_path: Path) -> None:
    drawing = census(tmp_path / "run", clinic(), **{"day_care.census": (10, "", "", 10, 10)})
    assert legend(drawing) == ["mean"]


# Words


SAID_OF = {"day_care": "Day care", "mood": "Mood", "clinician": "Clinician", "morning": "Early group"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("day_care.wait_days.p90", "Day care: wait to start, nine in ten within"),
        ("day_care.mood.reneged.share", "Day care, Mood: gave up waiting"),
        ("day_care.seat_utilization.mean", "Day care: seat utilization, mean"),
        ("program.cost.per_attended_day", "program: cost per attended day"),
        ("waitlist.mean", "Waitlist"),
        ("clinician.vacancy.share", "Clinician: posts vacant"),
        ("group.morning.ghost_seats.share", "Early group: ghost seats"),
        ("group.morning.break_even_census", "Early group: break even census"),
    ],
)
def test_words_for_metrics(name: str, words: str) -> None:
    assert goals.metric_words(name, SAID_OF) == words
