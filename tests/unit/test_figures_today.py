"""Figures of a run from today: weeks with both bands, when a list is short, when each person on it starts."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.dates import date2num

from iopsim.report.style import PRECISION, VERMILLION, YEARS
from tests.unit.folders import clinic, drawn, written

if TYPE_CHECKING:
    from pathlib import Path

    from iopsim.report.style import Drawing
    from iopsim.scenario.schema import Scenario

STARTS = ("place", "level", "share_started", "share_gave_up", "date_p10", "date_median", "date_p90")
UNDER = ("level", "under", "week_start", "share_of_years", "cumulative_share")
RUN = {"run": {"weeks": 26, "run_out_weeks": 3, "replications": 4}}


def today(**changed: Any) -> Scenario:
    """The clinic, begun from an empty Monday."""
    begun = {"as_of": dt.date(2027, 1, 4), "waitlist_under": {"day_care": 3}}
    return clinic(from_today=begun, **(RUN | changed))


def told(drawing: Drawing) -> str:
    """The title and the note, in one line."""
    return " ".join(" ".join(text.get_text() for text in drawing.figure.texts).split())


def marked(axes: Any) -> list[float]:
    """Where thin dotted lines stand."""
    return [line.get_xdata()[0] for line in axes.lines if line.get_linewidth() == 0.8]


def test_starts_and_revenue_by_week_with_both_bands(tmp_path: Path) -> None:
    weekly = {"day_care.starts": (2, 1, 3, 0, 4), "program.revenue": (900, 800, 1000, 500, 1300)}
    drawing = drawn(written(tmp_path / "run", today(), weekly=weekly))["starts-and-revenue"]
    starts, revenue = drawing.figure.axes
    assert (starts.get_ylabel(), revenue.get_ylabel()) == ("Starts (patients/week)", "Revenue (USD/week)")
    assert set(starts.lines[0].get_ydata()) == {2}
    assert set(revenue.lines[0].get_ydata()) == {900}
    for axes, bands in ((starts, [(0, 4), (1, 3)]), (revenue, [(500, 1300), (800, 1000)])):
        corners = [band.get_paths()[0].vertices[:, 1] for band in axes.collections[:2]]
        assert [(part.min(), part.max()) for part in corners] == bands
    (box,) = drawing.figure.legends
    assert [text.get_text() for text in box.get_texts()] == ["mean", PRECISION, YEARS]


def test_of_few_years_the_mean_and_its_precision_are_drawn_and_why_there_is_no_more(tmp_path: Path) -> None:
    weekly = {"day_care.starts": (2, 1, 3, "", ""), "program.revenue": (900, 800, 1000, "", "")}
    drawing = drawn(written(tmp_path / "run", today(), weekly=weekly))["starts-and-revenue"]
    starts, _ = drawing.figure.axes
    assert set(starts.lines[0].get_ydata()) == {2}
    assert starts.get_ylim() == (0, 1.2 * 3)
    (box,) = drawing.figure.legends
    assert [text.get_text() for text in box.get_texts()] == ["mean", PRECISION]
    assert "Range of years left blank: takes 20 replications." in told(drawing)


def test_a_steady_run_has_none_of_them(tmp_path: Path) -> None:
    weekly = {"day_care.starts": (2, 1, 3, 0, 4), "program.revenue": (900, 800, 1000, 500, 1300)}
    assert "starts-and-revenue" not in drawn(written(tmp_path / "run", clinic(), weekly=weekly))


def test_the_first_week_in_which_the_list_is_short(tmp_path: Path) -> None:
    rows = [
        ("day_care", 3, "2027-01-04", 0.25, 0.25),
        ("day_care", 3, "2027-01-11", 0.25, 0.5),
        ("day_care", 3, "2027-01-18", 0, 0.5),
    ]
    more = {"weeks_until_under.csv": [UNDER, *rows]}
    drawing = drawn(written(tmp_path / "run", today(), more=more, replications=20))["weeks-until-under"]
    assert (
        drawing.title
        == "Day care: the list stays under 3 from the week of January 11, 2027 on in half of the years"
    )
    left, right = drawing.figure.axes
    assert [bar.get_height() for bar in left.patches] == [0.25, 0.25, 0]
    assert list(right.lines[0].get_ydata()) == [0.25, 0.5, 0.5]
    few = drawn(written(tmp_path / "few", today(), more=more, replications=19))["weeks-until-under"]
    assert few.title == "Day care: the list stays under 3 in 50 % of the years, as far as is simulated"


def test_a_list_that_is_seldom_short(tmp_path: Path) -> None:
    rows = [("day_care", 3, "2027-01-04", 0.25, 0.25)]
    folder = written(tmp_path / "run", today(), more={"weeks_until_under.csv": [UNDER, *rows]})
    title = drawn(folder)["weeks-until-under"].title
    assert title == "Day care: the list stays under 3 in 25 % of the years, as far as is simulated"


def test_when_each_person_on_the_list_starts(tmp_path: Path) -> None:
    rows = [
        (1, "day_care", 1, 0, "2027-01-05", "2027-01-06", "2027-01-08"),
        (2, "day_care", 0.75, 0.25, "2027-01-07", "2027-01-20", ""),
        (3, "day_care", 0, 1, "", "", ""),
    ]
    folder = written(tmp_path / "run", today(), more={"starts.csv": [STARTS, *rows]}, replications=100)
    drawing = drawn(folder)["starts-of-the-list-day_care"]
    assert drawing.title == "Day care: when the 3 on the list today start care"
    assert "on average 58.3 % start as far as is simulated, 41.7 % give up or are lost" in drawing.alt
    (axes,) = drawing.figure.axes
    dots = {
        (dt.date(*map(int, str(line.get_xdata()[0]).split("-"))), int(line.get_ydata()[0]))
        for line in axes.lines
        if line.get_marker() == "o"
    }
    assert dots == {(dt.date(2027, 1, 6), 1), (dt.date(2027, 1, 20), 2)}
    later = [int(line.get_ydata()[0]) for line in axes.lines if line.get_marker() == ">"]
    assert later == [2, 3], "those of whom one year in ten is later than all"
    ranges = [segment for part in axes.collections for segment in part.get_segments()]
    first, second = sorted(ranges, key=lambda line: line[0, 1])
    assert first[:, 0].tolist() == [date2num(dt.date(2027, 1, 5)), date2num(dt.date(2027, 1, 8))]
    assert second[1, 0] == date2num(dt.date(2027, 1, 27)), "up to the end of what is shown"
    assert axes.get_ylim()[0] > axes.get_ylim()[1], "the first in line stands on top"


def test_of_few_years_there_is_no_figure_of_starts(tmp_path: Path) -> None:
    rows = [(1, "day_care", 1, 0, "", "", ""), (2, "day_care", 0.25, 0.75, "", "", "")]
    few = drawn(written(tmp_path / "few", today(), more={"starts.csv": [STARTS, *rows]}, replications=19))
    assert not [name for name in few if name.startswith("starts-of")]


def test_a_long_list_is_drawn_thinner_and_whole(tmp_path: Path) -> None:
    day = dt.date(2027, 1, 5)
    dates = [(day + dt.timedelta(days=at)).isoformat() for at in range(150)]
    rows = [(at + 1, "day_care", 1, 0, dates[at], dates[at + 5], dates[at + 9]) for at in range(140)]
    folder = written(tmp_path / "run", today(), more={"starts.csv": [STARTS, *rows]}, replications=100)
    (axes,) = drawn(folder)["starts-of-the-list-day_care"].figure.axes
    assert len(axes.lines) == 140
    assert axes.collections[0].get_linewidth()[0] < 2


def test_changes_stand_as_dates_on_weekly_figures(tmp_path: Path) -> None:
    scenario = today(changes=[{"from": dt.date(2027, 3, 1), "set": {"staff.clinician.posts": 3}}])
    weekly = {"day_care.census": (10, 9, 11, 7, 12), "day_care.starts": (2, 1, 3, 0, 4)}
    figures = drawn(written(tmp_path / "run", scenario, weekly=weekly))
    for name in ("waitlist-and-census", "starts-and-revenue"):
        (axes,) = figures[name].figure.axes
        assert marked(axes) == [date2num(dt.date(2027, 3, 1))], name
        assert "Mar 1" in [text.get_text() for text in axes.texts]


def test_groups_that_open_and_close_are_changes_too(tmp_path: Path) -> None:
    level = clinic().levels["day_care"].model_dump(exclude_unset=True, by_alias=True)
    level["groups"]["morning"] |= {"from": dt.date(2027, 2, 1), "until": dt.date(2027, 3, 31)}
    scenario = today(levels={"day_care": level})
    weekly = {"day_care.census": (10, 9, 11, 7, 12)}
    (axes,) = drawn(written(tmp_path / "run", scenario, weekly=weekly))["waitlist-and-census"].figure.axes
    assert marked(axes) == [date2num(dt.date(2027, 2, 1)), date2num(dt.date(2027, 4, 1))]
    assert [line for line in axes.lines if line.get_color() == VERMILLION], "the seats, beside them"
    assert np.isfinite(axes.get_ylim()).all()
