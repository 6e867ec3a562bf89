"""Figures of scenarios that are large: what is drawn of many levels, roles and groups, and what is said of the rest."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from iopsim.report.figures.many import BARS, PANELS, foremost, listed_or_counted, stacked
from iopsim.report.style import fitted
from iopsim.scenario.schema import Scenario
from tests.unit.folders import clinic, drawn, written

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

SITES = 10


def system() -> Scenario:
    """Sites with a group and a clinician each, of their own long name."""
    level = clinic().levels["day_care"].model_dump(exclude_unset=True, by_alias=True)
    group, role = level["groups"]["morning"], clinic().staff["clinician"].model_dump(exclude_unset=True)
    levels = {
        f"site_{at}": level
        | {"label": f"Site {at}", "caseload": f"clinician_{at}", "groups": {f"group_{at}": group}}
        for at in range(SITES)
    }
    staff = {f"clinician_{at}": role | {"label": f"Clinician {at}"} for at in range(SITES)}
    return clinic(sources={"all": {"to": "site_0", "per_week": 5.0}}, levels=levels, staff=staff)


def test_ten_sites_fill_no_endless_picture(tmp_path: Path) -> None:
    summary: dict[str, tuple[object, ...]] = {}
    profiles: dict[str, list[float]] = {}
    weekly: dict[str, tuple[float, ...]] = {}
    for at in range(SITES):
        site, role = f"site_{at}", f"clinician_{at}"
        weekly |= {f"{site}.census": (9, 8, 10, 7, 11), f"{site}.waitlist": (at + 1,) * 5}
        summary[f"{site}.waitlist.mean"] = ("patients", at + 1, at, at + 2, "")
        summary[f"{site}.cost.total"] = ("USD", 1000 + at, 900, 1100, "")
        summary[f"{role}.hours_needed.mean"] = ("hours/week", at, at, at, "")
        summary[f"{role}.hours_needed.p95"] = ("hours/week", 2 * at, at, at, "")
        profiles |= {f"funnel.{site}": [100, 90, 80, 70, 60], f"caseload.{role}": [20, at]}
        profiles[f"fill.group_{at}.mon"] = [60 + at, 90, 120]
    figures = drawn(written(tmp_path / "run", system(), summary, profiles, weekly))
    assert len(figures) >= 6
    for name, drawing in figures.items():
        assert drawing.figure.get_figheight() < 17, name
    weeks = figures["waitlist-and-census"].figure
    shown = [axes.get_title("left") for axes in weeks.axes if axes.get_visible()]
    assert shown == [f"Site {at}" for at in range(SITES - PANELS, SITES) for _ in ("waiting", "in care")]
    (note,) = (text.get_text() for text in weeks.texts if "Shown" in text.get_text())
    assert " ".join(note.split()).endswith(
        "Shown: the 8 of 10 levels where most wait; all stand in weekly.csv.gz."
    )


def test_those_of_greatest_weight_in_their_own_order() -> None:
    weights = {"a": 1.0, "b": 3.0, "c": float("nan"), "d": 2.0}
    assert foremost(weights, 2, weights.__getitem__, "letters") == (["b", "d"], " Shown: the 2 of 4 letters.")
    assert foremost(weights, 4, weights.__getitem__, "letters") == (["a", "b", "c", "d"], "")


def test_a_few_names_are_listed_and_many_counted() -> None:
    assert listed_or_counted(["Nurse", "RN"], 9, "roles") == "nurse and RN"
    assert listed_or_counted([str(at) for at in range(7)], 9, "roles") == "7 of 9 roles"


@pytest.mark.parametrize(("panels", "grid"), [(1, (1, 1)), (3, (3, 1)), (4, (2, 2)), (7, (4, 2))])
def test_many_panels_stand_two_by_two(panels: int, grid: tuple[int, int]) -> None:
    assert stacked(panels) == grid


def test_a_long_label_loses_its_middle_and_keeps_both_ends() -> None:
    label = f"Intensive outpatient {'care ' * 40}on the North campus"
    (line,) = fitted(label, 3, 10, most=1)
    assert line.startswith("Intensive outpatient")
    assert " … " in line
    assert line.endswith("North campus")
    assert " ".join(fitted(label, 3, 10)) == " ".join(label.split()), "whole where there is room"


def test_rows_of_long_labels_do_not_run_into_each_other(tmp_path: Path) -> None:
    label = (
        "Intensive outpatient program for adolescents and their families, North campus, evening and weekend"
    )
    level = clinic().levels["day_care"].model_dump(exclude_unset=True, by_alias=True)
    group = level["groups"].pop("morning")
    level["groups"] = {f"group_{at}": {**group, "label": f"{label} {at}"} for at in range(BARS + 6)}
    scenario = clinic(levels={"day_care": level})
    summary = {
        f"group.group_{at}.contribution": ("USD", 1000.0 - at, 900, 1100, "") for at in range(BARS + 6)
    }
    figure = drawn(written(tmp_path / "run", scenario, summary))["contribution-by-group"].figure
    figure.draw_without_rendering()
    boxes = [tick.get_window_extent() for tick in figure.axes[0].get_yticklabels()]
    assert len(boxes) == BARS
    assert all(above.y0 > below.y1 for above, below in pairwise(boxes))
    assert boxes[0].x0 > 0, "nothing is cut off"


def test_dates_that_stand_close_are_written_below_each_other(tmp_path: Path) -> None:
    changes = [
        {"from": dt.date(2027, 3, day), "set": {"staff.clinician.posts": posts}}
        for day, posts in ((1, 3), (3, 4), (5, 5))
    ]
    weekly = {"day_care.census": (10, 9, 11, 7, 12)}
    drawing = drawn(written(tmp_path / "run", clinic(changes=changes), weekly=weekly))["waitlist-and-census"]
    (axes,) = drawing.figure.axes
    drawing.figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in axes.texts if text.get_text().startswith("Mar ")]
    assert len(boxes) == 3
    assert all(above.y0 > below.y1 for above, below in pairwise(boxes))
    legend = [text.get_text() for text in drawing.figure.legends[0].get_texts()]
    assert legend[-1] == "the plan changes"
