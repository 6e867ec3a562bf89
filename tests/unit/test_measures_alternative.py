"""The inpatient alternative, source by source: arithmetic on an assumption, by hand (model.md §9).

One post costs 1,400 in the window of two weeks, for seven attended days: 200 each. Of the source `door` two patients
start, with four days; of `court` one, with three; of `school` nobody.
"""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Any

import pytest

from iopsim.measures.registry import bound
from iopsim.scenario.schema import Scenario
from tests.unit.folders import drawn, written
from tests.unit.ledgers import Book
from tests.unit.measured import figures

if TYPE_CHECKING:
    from pathlib import Path

NINE = 9 / 24


def scenario(**assumed: Any) -> Scenario:
    source = {"to": "care", "per_week": 5}
    return Scenario.model_validate(
        {
            "run": {"start": dt.date(2027, 1, 4), "warm_up_weeks": 1, "weeks": 2, "run_out_weeks": 1},
            "sources": {"door": source, "court": source, "school": source},
            "levels": {
                "care": {
                    "phases": [{"weeks": 2, "days_per_week": 5}],
                    "groups": {"first": {"days": ["mon", "tue", "wed", "thu", "fri"], "seats": 9}},
                }
            },
            "staff": {"nurse": {"posts": 1, "salary_per_year": 36_500}},
            "money": {
                "inpatient_alternative": {
                    "for": ["door", "court", "school"],
                    "divertible": 0.1,
                    "stay_days": 10,
                    "cost_per_day": 1000,
                }
                | assumed
            },
        }
    )


def found(**assumed: Any) -> dict[str, float]:
    book = Book(scenario(**assumed))
    stays = [
        book.patient("care", source=source).joined(0).admitted(0, "first").started(NINE)
        for source in ("door", "door", "court")
    ]
    for day, came in enumerate(((0, 1, 2), (0, 2), (0, 2))):
        book.session(day + NINE, "first", {stays[number]: True for number in came})
    return figures(book.window())


def test_each_source_is_compared_with_its_own_starters() -> None:
    care = found()
    assert care["door.alternative.cost.total"] == pytest.approx(2 * 0.1 * 10_000)
    assert care["door.alternative.saving.total"] == pytest.approx(2000 - 4 * 200)
    assert care["door.alternative.break_even_share"] == pytest.approx(800 / 20_000)
    assert care["door.alternative.difference.per_day"] == pytest.approx(1000 - 200)
    assert care["door.alternative.difference.per_episode"] == pytest.approx(10_000 - 400)
    assert care["court.alternative.saving.total"] == pytest.approx(1000 - 600)
    assert care["court.alternative.break_even_share"] == pytest.approx(600 / 10_000)


def test_of_a_source_without_starters_nothing_is_said() -> None:
    care = found()
    for what in ("break_even_share", "difference.per_day", "difference.per_episode"):
        assert math.isnan(care[f"school.alternative.{what}"])
    assert care["school.alternative.cost.total"] == care["school.alternative.saving.total"] == 0


def test_sources_sum_to_all_together() -> None:
    care = found(divertible={"door": 0.2, "court": 0.5})
    assert care["door.alternative.cost.total"] == pytest.approx(4000)
    assert care["court.alternative.cost.total"] == pytest.approx(5000)
    for what in ("cost", "saving"):
        parts = [care[f"{name}.alternative.{what}.total"] for name in ("door", "court", "school")]
        assert sum(parts) == pytest.approx(care[f"alternative.{what}.total"])
    assert care["alternative.break_even_share"] == pytest.approx(1400 / 30_000)


@pytest.mark.parametrize(
    ("assumed", "saved"),
    [
        ({"marginal_share": 0.4}, 400),
        ({"marginal_share": 0.4, "beds_close": True}, 1000),
        ({"outcome_difference": 0.25}, 750),  # a quarter of the episodes come back later
        ({"outcome_difference": -0.5, "marginal_share": 0.4}, 600),
    ],
)
def test_what_an_inpatient_day_saves(assumed: dict[str, Any], saved: float) -> None:
    care = found(**assumed)
    assert care["alternative.cost.total"] == pytest.approx(3 * 0.1 * 10 * saved)
    assert care["door.alternative.break_even_share"] == pytest.approx(800 / (2 * 10 * saved))
    assert care["door.alternative.difference.per_episode"] == pytest.approx(10 * saved - 400)
    if "outcome_difference" not in assumed:  # which is of whole episodes, not of days
        assert care["alternative.difference.per_day"] == pytest.approx(saved - 200)


def test_at_its_break_even_share_a_source_saves_nothing() -> None:
    turn = {name: found()[f"{name}.alternative.break_even_share"] for name in ("door", "court")}
    care = found(divertible=turn)
    for name in turn:
        assert care[f"{name}.alternative.saving.total"] == pytest.approx(0, abs=1e-9)


def test_only_sources_that_the_assumption_names_have_metrics() -> None:
    stems = {entry.stem for entry in bound(scenario(**{"for": ["court"]}))}
    assert "court.alternative.cost" in stems
    assert "door.alternative.cost" not in stems


def test_the_figure_says_it_of_each_source(tmp_path: Path) -> None:
    share = ("share", 0.4, 0.39, 0.41, "")
    summary = {
        "alternative.difference.per_day": ("USD/day", 300.0, 290.0, 310.0, ""),
        "alternative.difference.per_episode": ("USD/episode", 1000.0, 900.0, 1100.0, ""),
        "alternative.break_even_share": ("share", 0.5, 0.49, 0.51, ""),
        "door.alternative.break_even_share": share,
        "court.alternative.break_even_share": ("share", 1.2, 1.1, 1.3, ""),
        "school.alternative.break_even_share": ("share", "", "", "", ""),
    }
    spec = scenario(divertible={"door": 0.2, "court": 0.3}, marginal_share=0.5, outcome_difference=0.25)
    drawing = drawn(written(tmp_path / "run", spec, summary))["cost-beside-inpatient"]
    assert drawing.title == "A program day costs 200 USD, an inpatient day 500"
    day, episode, shares = drawing.figure.axes
    assert [bar.get_height() for bar in day.patches] == [200, 500]
    assert [bar.get_height() for bar in episode.patches] == [2750, 3750]
    assert [bar.get_width() for bar in shares.patches] == pytest.approx([0.4, 0.6, 1.0, 0.0])
    assert [label.get_text() for label in shares.get_yticklabels()] == ["Door", "Court"]
    assert [line.get_xdata()[0] for line in shares.lines] == [0.2, 0.3]
    assert drawing.alt.endswith(
        "if 40 % of starters from door (39.0 % to 41.0 %) would otherwise be inpatients, the program saves what it "
        "costs; the scenario assumes 20 %. If 100 % of starters from court would otherwise be inpatients, the program "
        "still costs more than it saves; the scenario assumes 30 %."
    )
