"""Figures of the books and of blocked places: their numbers are those of the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from iopsim.report.books import members
from iopsim.report.style import YEARS
from iopsim.report.tables import read_results
from tests.unit.folders import clinic, drawn, written

if TYPE_CHECKING:
    from pathlib import Path


def usd(value: float, low: float | str = "", high: float | str = "") -> tuple[object, ...]:
    return ("USD", value, low, high, "")


def texts(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.texts]


def legend(drawing: Any) -> list[str]:
    return [text.get_text() for box in drawing.figure.legends for text in box.get_texts()]


def test_cost_of_the_weeks_by_cause_under_the_line_of_revenue(tmp_path: Path) -> None:
    weekly = {
        "program.revenue": (1500, 1400, 1600, 1200, 1900),
        "program.cost": (1000, 1000, 1000, 1000, 1000),
        "program.payroll": (600, 600, 600, 600, 600),
        "program.service_cost": (0, 0, 0, 0, 0),
        "program.overhead": (400, 400, 400, 400, 400),
    }
    totals = {"cost": 26_000, "revenue": 39_000, "margin": 13_000}
    summary = {f"program.{name}.total": usd(value) for name, value in totals.items()}
    drawing = drawn(written(tmp_path / "run", clinic(), summary, weekly=weekly))["cost-and-revenue"]
    assert drawing.title == "In 26 weeks: cost 26,000, revenue 39,000, margin 13,000 USD"
    (axes,) = drawing.figure.axes
    payroll, overhead, years = (part.get_paths()[0].vertices[:, 1] for part in axes.collections)
    assert [(part.min(), part.max()) for part in (payroll, overhead, years)] == [
        (0, 600),
        (600, 1000),
        (1200, 1900),
    ]
    assert set(axes.lines[0].get_ydata()) == {1500}
    assert legend(drawing) == ["Payroll", "Overhead", "revenue, mean", YEARS]
    assert axes.get_ylabel() == "USD per week"


def test_of_few_years_revenue_is_a_line_without_a_range(tmp_path: Path) -> None:
    weekly = {"program.cost": (10, 9, 11, 8, 12), "program.revenue": (15, 14, 16, "", "")}
    drawing = drawn(written(tmp_path / "run", clinic(), weekly=weekly))["cost-and-revenue"]
    assert legend(drawing) == ["Cost", "revenue, mean"]
    assert set(drawing.figure.axes[0].lines[0].get_ydata()) == {15}
    told = " ".join(" ".join(text.get_text() for text in drawing.figure.texts).split())
    assert "Range of years left blank: takes 20 replications." in told


def test_weeks_without_causes_and_revenue_show_all_cost(tmp_path: Path) -> None:
    drawing = drawn(written(tmp_path / "run", clinic(), weekly={"program.cost": (10, 9, 11, 8, 12)}))
    assert legend(drawing["cost-and-revenue"]) == ["Cost"]
    free = written(tmp_path / "free", clinic(), weekly={"program.cost": (0, 0, 0, 0, 0)})
    assert "cost-and-revenue" not in drawn(free)


def test_revenue_cost_and_margin_by_payer(tmp_path: Path) -> None:
    payers = {"public": {"label": "Public"}, "private": {"label": "Private"}}
    found = {"public": (100, 150, -50), "private": (300, 120, 180)}
    summary = {
        f"program.{what}_by_payer.{payer}": usd(value, value - 5, value + 5)
        for payer, values in found.items()
        for what, value in zip(("revenue", "cost", "margin"), values, strict=True)
    }
    scenario = clinic(payers=payers, sources={
        "community": {"to": "day_care", "per_week": 5.0, "payers": {"public": 0.5, "private": 0.5}}})  # fmt: skip
    drawing = drawn(written(tmp_path / "run", scenario, summary))["books-by-payer"]
    assert drawing.title == "Margin by payer: Public -50, Private 180 USD"
    (axes,) = drawing.figure.axes
    assert [bar.get_height() for bar in axes.patches] == [100, 300, 150, 120, -50, 180]
    assert "books-by-payer" not in drawn(written(tmp_path / "one", clinic(), summary)), (
        "one payer is the whole"
    )


@pytest.mark.parametrize(
    ("utilization", "title"),
    [
        (0.25, "Fewer members than break even: morning"),
        (0.75, "Every group has more members than it needs to break even"),
    ],
)
def test_contribution_and_members_beside_the_break_even_census(
    tmp_path: Path, utilization: float, title: str
) -> None:
    summary = {
        "group.morning.contribution": usd(5000, 4000, 6000),
        "group.morning.break_even_census": ("members", 4.5, 4, 5, ""),
        "group.morning.seat_utilization.mean": ("share", utilization, "", "", ""),
    }
    drawing = drawn(written(tmp_path / "run", clinic(), summary))["contribution-by-group"]
    assert drawing.title == title
    left, right = drawing.figure.axes
    assert [bar.get_width() for bar in left.patches] == [5000]
    assert [line.get_xdata()[0] for line in right.lines] == [12 * utilization, 4.5]
    assert "contribution-by-group" not in drawn(written(tmp_path / "none", clinic()))


def test_members_where_seats_change_on_a_date(tmp_path: Path) -> None:
    import datetime as dt

    half_time = dt.date(2027, 1, 4) + dt.timedelta(weeks=13)
    scenario = clinic(changes=[{"from": half_time, "set": {"levels.day_care.groups.morning.seats": 8}}])
    folder = written(
        tmp_path / "run", scenario, {"group.morning.seat_utilization.mean": ("share", 0.5, "", "", "")}
    )
    assert members(read_results(folder), "morning") == 5, "half of 12 in 13 weeks, and of 8 in 13"


def test_cost_of_every_level(tmp_path: Path) -> None:
    summary = {
        "system.cost.total": usd(3000),
        "ward.cost.total": usd(2000, 1900, 2100),
        "day_care.cost.total": usd(1000, 900, 1100),
        "ward.held_cost.total": usd(300),
    }
    drawing = drawn(written(tmp_path / "run", clinic(), summary))["cost-by-level"]
    assert drawing.title == "All levels together cost 3,000 USD in 26 weeks"
    (axes,) = drawing.figure.axes
    assert [bar.get_width() for bar in axes.patches] == [2000, 300, 1000, 0]
    assert texts(axes) == ["2,000", "1,000"]
    own = written(tmp_path / "own", clinic(), {"day_care.cost.total": usd(1000)})
    assert "cost-by-level" not in drawn(own), "one level is the whole"


def test_held_days_by_the_level_waited_for_with_their_price(tmp_path: Path) -> None:
    summary = {
        "ward.held_days_for.day_care": ("patient-days", 40, 30, 50, ""),
        "ward.held_cost_for.day_care": usd(36_000),
        "day_care.held_days_for.ward": ("patient-days", 10, 5, 15, ""),
        "day_care.held_days_for.day_care": ("patient-days", 0, 0, 0, ""),
    }
    drawing = drawn(written(tmp_path / "run", clinic(), summary))["held-places"]
    assert drawing.title == "Places held 50 days in 26 weeks, at a price of 36,000 USD"
    (axes,) = drawing.figure.axes
    assert [bar.get_width() for bar in axes.patches] == [40, 10]
    assert texts(axes) == ["40 days, 36,000 USD", "10 days"]
    assert legend(drawing) == ["waiting for Day care", "waiting for ward"]
    assert "held-places" not in drawn(written(tmp_path / "none", clinic()))


def test_title_alt_text_and_no_unknown_number(tmp_path: Path) -> None:
    nothing = ("USD", "", "", "", "")
    names = ("ward.cost.total", "day_care.cost.total", "group.morning.contribution", "program.cost.total")
    figures = drawn(written(tmp_path / "run", clinic(), dict.fromkeys(names, nothing)))
    assert figures == {}, "what is not known is not drawn"
