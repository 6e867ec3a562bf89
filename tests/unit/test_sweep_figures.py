"""Figures of sweeps: drawn from the folder alone, honest about their numbers, the same bytes every time."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from iopsim.errors import InputError
from iopsim.experiment.summary import Goal
from iopsim.experiment.sweep.folder import BASE, SWEEP
from iopsim.report.figures import draw_sweep
from iopsim.report.figures.beside import write_beside
from iopsim.report.figures.frontier import frontier
from iopsim.report.figures.sweep import Cell, heat_maps, lines, plot_heat_map, plot_lines
from iopsim.report.style import BLUE, INK, VERMILLION, styled
from iopsim.report.sweep_tables import Axis, SweepResults, read_sweep
from iopsim.report.tables import Estimated
from iopsim.scenario import resolved_text
from iopsim.scenario.file import dump
from iopsim.scenario.schema import Scenario

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from matplotlib.axes import Axes

    from iopsim.report.style import Drawing

pytestmark = pytest.mark.slow

COST, WAIT, SHARE = "program.cost.total", "day_care.wait_days.p90", "day_care.reneged.share"
UNITS = {COST: "USD", WAIT: "days", SHARE: "share"}
POSTS = {"staff.clinician.posts": {"label": "Clinicians", "values": [1, 2, 3]}}
SEATS = {"levels.day_care.groups.*.seats": {"values": [8, 10]}}
nan = math.nan


def clinic(**changed: Any) -> Scenario:
    return Scenario.model_validate(
        {
            "run": {"weeks": 26},
            "sources": {"community": {"to": "day_care", "per_week": 5.0}},
            "levels": {
                "day_care": {
                    "label": "Day care",
                    "phases": [{"weeks": 8, "days_per_week": 3}],
                    "groups": {"morning": {"days": ["mon", "wed", "fri"], "seats": 12}},
                }
            },
            "staff": {"clinician": {"label": "Clinician", "posts": 2, "salary_per_year": 50000.0}},
            "targets": [{"metric": WAIT, "at_most": 14.0}, {"metric": SHARE, "at_most": 0.1}],
            **changed,
        }
    )


def written(
    folder: Path,
    parameters: Mapping[str, Mapping[str, Any]],
    points: Mapping[tuple[object, ...], tuple[float, float, float]],
    verdicts: Sequence[str] = (),
    on_it: Sequence[int] = (),
    base: Scenario | None = None,
) -> Path:
    """The folder of a sweep by hand.

    Args:
        folder: Where.
        parameters: As in the resolved sweep.
        points: Cost, wait and share given up, by the values of the parameters; intervals are ± 1, or ± 0.01.
        verdicts: Of the points over all targets.
        on_it: Numbers of the points on the frontier.
        base: The scenario that is varied.
    """
    folder.mkdir(exist_ok=True)
    (folder / BASE).write_text(resolved_text(base or clinic()), encoding="utf-8")
    spec = {"base": BASE, "parameters": dict(parameters), "cost": COST, "wait": WAIT}
    (folder / SWEEP).write_text(dump(spec), encoding="utf-8")
    names = list(parameters)
    table: list[Sequence[object]] = [
        ("point", *names, "metric", "unit", "estimate", "ci_low", "ci_high", "sd", "n", "target", "verdict")
    ]
    judged: list[Sequence[object]] = [("point", *names, "replications", "precise", "verdict", COST)]
    limits = {WAIT: 14, SHARE: 0.1, COST: math.inf}
    for number, (values, found) in enumerate(points.items(), start=1):
        verdict = verdicts[number - 1] if verdicts else "missed"
        judged.append((number, *values, 10, "", verdict, found[0]))
        for name, value in zip((COST, WAIT, SHARE), found, strict=True):
            half = 0.01 if name == SHARE else 1
            sides = [value - half <= limits[name], value + half <= limits[name]]
            word = {2: "met", 1: "undecided", 0: "missed"}[sum(sides)] if name != COST else ""
            cells = ("", "", "") if math.isnan(value) else (value, value - half, value + half)
            table.append((number, *values, name, UNITS[name], *cells, 1, 10, "", word))
    front = [judged[0], *(judged[number] for number in on_it)]
    for name, rows in {"sweep.csv": table, "points.csv": judged, "frontier.csv": front}.items():
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
    return folder


GRID = {
    (1, 8): (100.0, 20.0, 0.2), (1, 10): (101.0, 18.0, 0.15),
    (2, 8): (150.0, 14.5, 0.08), (2, 10): (151.0, 12.0, 0.05),
    (3, 8): (200.0, 12.0, 0.04), (3, 10): (201.0, 3.0, 0.01),
}  # fmt: skip
GRID_VERDICTS = ("missed", "missed", "undecided", "met", "met", "met")


@pytest.fixture(autouse=True)
def house_style() -> Iterator[None]:
    """As figures are drawn."""
    with styled():
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six points of two parameters."""
    root = tmp_path_factory.mktemp("results") / "grid"
    return written(root, POSTS | SEATS, GRID, GRID_VERDICTS, on_it=(1, 2, 3, 4, 6))


@pytest.fixture(scope="module")
def results(folder: Path) -> SweepResults:
    return read_sweep(folder)


def texts(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def legend(drawing: Drawing) -> list[str]:
    return [text.get_text() for box in drawing.figure.legends for text in box.get_texts()]


def notes(drawing: Drawing) -> str:
    return drawing.figure.texts[1].get_text().replace("\n", " ")


# What the folder says


def test_parameters_and_points_are_read_back(results: SweepResults) -> None:
    assert results.axes == (
        Axis("Clinicians", ("1", "2", "3"), True),
        Axis("Day care, every group: seats", ("8", "10"), True),
    )
    assert [point.values for point in results.points] == [(str(one), str(two)) for one, two in GRID]
    assert results.points[2].found[WAIT] == Estimated("days", 14.5, 13.5, 15.5, "undecided")
    assert (results.frontier, results.cost, results.wait) == ((1, 2, 3, 4, 6), COST, WAIT)
    assert results.asked == {WAIT: Goal(high=14), SHARE: Goal(high=0.1)}
    assert results.cheapest is results.points[3]
    assert results.metrics == [WAIT, SHARE]
    assert results.words(COST) == "Program: cost, 26 weeks"


def test_numbers_stand_in_their_order_and_names_in_that_of_the_points(tmp_path: Path) -> None:
    parameters = {"staff.clinician.posts": {"values": [10, 9]}, "plan": {"values": {"b": {}, "a": {}}}}
    points = {(posts, plan): (1.0, 2.0, 0.1) for posts in (10, 9) for plan in ("b", "a")}
    axes = read_sweep(written(tmp_path / "run", parameters, points)).axes
    assert axes == (Axis("Clinician: posts", ("9", "10"), True), Axis("plan", ("b", "a"), False))


@pytest.mark.parametrize("name", [BASE, SWEEP, "points.csv", "sweep.csv", "frontier.csv"])
def test_a_folder_that_lacks_a_table_is_refused(folder: Path, tmp_path: Path, name: str) -> None:
    for path in folder.iterdir():
        if path.name != name:
            (tmp_path / path.name).write_bytes(path.read_bytes())
    with pytest.raises(InputError):
        read_sweep(tmp_path)


# Heat maps


def test_a_map_for_every_metric_with_a_target(results: SweepResults) -> None:
    drawings = heat_maps(results)
    assert [drawing.name for drawing in drawings] == [
        "heat-map-day_care-wait_days-p90",
        "heat-map-day_care-reneged-share",
    ]
    wait = drawings[0]
    assert (
        wait.title
        == "Day care: wait to start, nine in ten within, by day care, every group: seats and clinicians"
    )
    axes = wait.figure.axes[0]
    assert texts(axes) == ["20", "18", "14.5 ?", "12 ✓", "12 ✓", "3 ✓"]
    assert [text.get_position() for text in axes.texts][:3] == [(0.5, 0.5), (1.5, 0.5), (0.5, 1.5)]
    assert [text.get_weight() for text in axes.texts].count("bold") == 3
    assert legend(wait) == ["limit: at most 14 days", "meets all targets"]
    assert "In days; darker is higher." in notes(wait)
    assert "? The interval lies across it." in notes(wait)
    assert texts(drawings[1].figure.axes[0])[0] == "20 %"
    assert "✓ the whole interval keeps the limit" in notes(drawings[1])
    assert wait.alt.endswith(
        "from 3 days to 20 days; of the cells 3 met, 2 missed and 1 undecided the target."
    )


def test_frames_stand_where_all_targets_are_met(results: SweepResults) -> None:
    axes = heat_maps(results)[0].figure.axes[0]
    frames = {(round(patch.get_x() - 0.04), round(patch.get_y() - 0.07)) for patch in axes.patches}
    assert frames == {(1, 1), (0, 2), (1, 2)}
    assert {to_hex(patch.get_edgecolor()) for patch in axes.patches} == {"#ffffff", INK.lower()}


def test_the_limit_runs_between_cells_on_either_side_of_it(results: SweepResults) -> None:
    axes = heat_maps(results)[0].figure.axes[0]
    pieces = {
        tuple(map(tuple, segment.tolist()))
        for lines_of in axes.collections[1:]
        for segment in lines_of.get_segments()  # type: ignore[attr-defined]
    }
    # wait: missed below and in (2, 8) by its estimate; inside above them
    assert pieces == {((1, 1), (1, 2)), ((0, 2), (1, 2)), ((1, 1), (2, 1))}
    assert {to_hex(lines_of.get_color()[0]) for lines_of in axes.collections[1:]} == {VERMILLION.lower()}  # type: ignore[attr-defined]


def test_numbers_can_be_read_on_their_shade() -> None:
    """Contrast of at least 4.5 to 1 between each number and what it stands on."""
    cells = {(str(n), "x"): Cell(Estimated("days", float(n), nan, nan, ""), "") for n in range(21)}
    up = Axis("Number", tuple(map(str, range(21))), True)
    axes = plot_heat_map(Figure().subplots(), (up, Axis("One", ("x",), False)), cells)
    mesh = axes.collections[0]
    mesh.update_scalarmappable()
    for text, shade in zip(axes.texts, mesh.get_facecolor(), strict=True):
        inks = sorted((luminance(to_hex(text.get_color())), luminance(to_hex(shade))))
        assert (inks[1] + 0.05) / (inks[0] + 0.05) >= 4.5, text.get_text()


def luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_cells_that_were_left_out_stay_empty(tmp_path: Path) -> None:
    some = {values: found for values, found in GRID.items() if values != (2, 10)}
    some[3, 8] = (200.0, nan, 0.1)
    (wait, _) = heat_maps(read_sweep(written(tmp_path / "run", POSTS | SEATS, some)))
    assert texts(wait.figure.axes[0]) == ["20", "18", "14.5 ?", "3 ✓"]


@pytest.mark.parametrize(
    ("parameters", "points"),
    [
        (POSTS, {(1,): (1.0, 2.0, 0.1), (2,): (1.0, 2.0, 0.1)}),
        ({"a.b": {}, "c.d": {}}, {(n / 7, n / 9): (1.0, 2.0, 0.1) for n in range(1, 9)}),
        ({"a.b": {}, "c.d": {}}, {(n, 1): (1.0, 2.0, 0.1) for n in range(3)}),
    ],
    ids=["one parameter", "points here and there", "one value"],
)
def test_no_map_of_what_is_no_table(tmp_path: Path, parameters: Any, points: Any) -> None:
    assert heat_maps(read_sweep(written(tmp_path / "run", parameters, points))) == []


# Lines


def test_lines_of_one_parameter_with_limits(tmp_path: Path) -> None:
    points = {(posts,): (100.0 * posts, 20.0 / posts, 0.2 / posts) for posts in (1, 2, 3)}
    (drawing,) = lines(read_sweep(written(tmp_path / "run", POSTS, points)))
    assert drawing.title == "What changes with clinicians"
    wait, share, cost = drawing.figure.axes
    assert [axes.get_title(loc="left") for axes in (wait, share, cost)] == [
        "Day care: wait to start, nine in ten within",
        "Day care: gave up waiting",
        "Program: cost, 26 weeks",
    ]
    line, limit = wait.lines
    assert line.get_xydata().tolist() == [[1, 20], [2, 10], [3, pytest.approx(20 / 3)]]
    assert limit.get_ydata() == [14, 14]
    assert [len(axes.lines) for axes in (share, cost)] == [2, 1]
    assert cost.get_xlabel() == "Clinicians"
    assert wait.get_xticks().tolist() == [1, 2, 3]
    assert legend(drawing) == ["limit of the target"]


def test_a_line_for_each_of_few_values(results: SweepResults) -> None:
    (drawing,) = lines(results)
    assert drawing.title == "What changes with clinicians, by day care, every group: seats"
    assert legend(drawing) == ["Day care, every group: seats:", "8", "10", "limit of the target"]
    first, second, _ = drawing.figure.axes[0].lines
    assert first.get_xydata().tolist() == [[1, 20], [2, 14.5], [3, 12]]
    assert second.get_xydata().tolist() == [[1, 18], [2, 12], [3, 3]]
    assert first.get_marker() != second.get_marker()
    assert first.get_linestyle() != second.get_linestyle(), "told apart without color"


def test_many_values_of_both_are_no_lines(tmp_path: Path) -> None:
    points = {(posts, seats): (1.0, 2.0, 0.1) for posts in range(6) for seats in range(6)}
    assert lines(read_sweep(written(tmp_path / "run", POSTS | SEATS, points))) == []


def test_names_stand_along_the_axis_in_their_order() -> None:
    axis = Axis("Plan", ("today", "tomorrow"), False)
    found = [Estimated("days", value, value - 1, value + 1, "") for value in (3.0, 2.0)]
    axes = plot_lines(
        Figure().subplots(), axis, [([(0.0, found[0]), (1.0, found[1])], {"color": BLUE})], Goal(low=1)
    )
    assert [label.get_text() for label in axes.get_xticklabels()] == ["today", "tomorrow"]
    assert axes.lines[1].get_ydata() == [1, 1]


# The frontier


def test_the_frontier_with_its_cheapest(results: SweepResults) -> None:
    (drawing,) = frontier(results)
    axes = drawing.figure.axes[0]
    front, *_ = axes.lines
    assert front.get_drawstyle() == "steps-post"
    assert front.get_xydata().tolist() == [[100, 20], [101, 18], [150, 14.5], [151, 12], [201, 3]]
    assert sorted(point for line in axes.lines[1:4] for point in line.get_xdata()) == [
        100,
        101,
        150,
        151,
        200,
        201,
    ]
    assert legend(drawing) == [
        "meets all targets",
        "undecided",
        "misses a target",
        "frontier: no point is better in both",
        "limit: at most 14 days",
    ]
    assert "cheapest that meets all targets:\nClinicians 2," in texts(axes)[0]
    assert drawing.alt.startswith(
        "A dot for each of 6 points by cost and wait, 5 of them on the frontier; the cheapest"
    )


def test_no_frontier_of_one_point_or_one_metric(tmp_path: Path, results: SweepResults) -> None:
    assert frontier(read_sweep(written(tmp_path / "run", POSTS, {(1,): (1.0, 2.0, 0.1)}))) == []
    unknown = {(1,): (1.0, nan, 0.1), (2,): (2.0, nan, 0.1)}
    assert frontier(read_sweep(written(tmp_path / "none", POSTS, unknown))) == []


def test_without_targets_cost_and_wait_are_drawn(tmp_path: Path) -> None:
    free = read_sweep(written(tmp_path / "run", POSTS | SEATS, GRID, [""] * 6, (1, 6), clinic(targets=[])))
    assert [drawing.name for drawing in heat_maps(free)] == [
        "heat-map-day_care-wait_days-p90",
        "heat-map-program-cost-total",
    ]
    (drawing,) = frontier(free)
    assert legend(drawing) == ["point", "frontier: no point is better in both"]
    assert texts(drawing.figure.axes[0]) == []


def test_words_beside_dots_keep_clear_of_other_dots() -> None:
    figure = Figure(figsize=(6, 4))
    axes = figure.subplots()
    axes.set(xlim=(0, 10), ylim=(0, 10))
    figure.draw_without_rendering()
    crowd = [(5.4 + n / 5, 5.2 + n / 20) for n in range(8)]
    write_beside(axes, [(5, 5, "a name of some length")], crowd)
    box = axes.texts[0].get_window_extent()
    assert len(axes.texts) == 1
    assert not any(box.contains(*axes.transData.transform(place)) for place in crowd)
    assert axes.get_window_extent().contains(*box.p0)


# Files


def test_files_are_the_same_each_time_and_say_what_they_show(folder: Path) -> None:
    first = dict(draw_sweep(folder))
    assert [name for name in first if name.endswith(".png")] == [
        "heat-map-day_care-wait_days-p90.png",
        "heat-map-day_care-reneged-share.png",
        "lines.png",
        "frontier.png",
    ]
    assert dict(draw_sweep(folder)) == first
    for name, content in first.items():
        if name.endswith(".svg"):
            root = ElementTree.fromstring(content)
            assert "Day care" in "".join(root.itertext())


def test_title_alt_text_and_units(results: SweepResults) -> None:
    for drawing in (*heat_maps(results), *lines(results), *frontier(results)):
        assert drawing.alt.endswith(".")
        assert ". " not in drawing.alt.replace("nine in ten within. ", ""), "one sentence"
        assert "nan" not in drawing.title + drawing.alt
        for axes in drawing.figure.axes:
            assert axes.get_xlabel() or axes is not drawing.figure.axes[-1]
            assert axes.get_ylabel()
