"""`iopsim diff`: what differs between two scenarios or results, told and as data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.sessions import BASELINE, MINIMAL, SCENARIOS, setting

if TYPE_CHECKING:
    from tests.cli.conftest import Iopsim
    from tests.cli.sessions import Answer

EXTRA = str(SCENARIOS / "extra-evening-group.yaml")
SHORT = ("--workers", "1", "--no-figures", "--quiet", *setting(weeks=8, warm_up_weeks=4, run_out_weeks=2))


@pytest.fixture
def run(iopsim: Iopsim) -> Any:
    """Simulate the shortest scenario into a folder."""

    def into(folder: str, *options: str) -> str:
        assert iopsim("run", MINIMAL, *SHORT, "--out", folder, *options).code == 0
        return folder

    return into


def told(answer: Answer) -> str:
    """What is told, each line without its padding."""
    assert (answer.code, answer.err) == (0, "")
    return "\n".join(" ".join(line.split()) for line in answer.out.splitlines() if line.strip())


def data_of(answer: Answer) -> dict[str, Any]:
    assert (answer.code, answer.err) == (0, "")
    found: dict[str, Any] = json.loads(
        answer.out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON")
    )
    return found


def test_two_scenarios(iopsim: Iopsim, tmp_path: Path) -> None:
    text = told(iopsim("diff", BASELINE, EXTRA))
    assert text.startswith(f"A: {BASELINE}\nB: {EXTRA}\n5 values of the scenarios differ:\nvalue A B\n")
    assert "\nstaff.therapist.posts 4 5\n" in text
    assert "levels.iop.groups.open_evening – {tracks: [mood, sud], time: evening," in text
    assert list(tmp_path.iterdir()) == []  # nothing was simulated and nothing is left


def test_a_scenario_and_itself(iopsim: Iopsim) -> None:
    assert (
        told(iopsim("diff", MINIMAL, MINIMAL)) == f"A: {MINIMAL}\nB: {MINIMAL}\nThe scenarios are identical."
    )
    found = data_of(iopsim("diff", MINIMAL, MINIMAL, "--json"))
    assert found == {
        "a": MINIMAL,
        "b": MINIMAL,
        "simulated_with": [],
        "scenarios": [],
        "same_replications": True,
        "results": None,
    }


def test_two_runs(iopsim: Iopsim, run: Any) -> None:
    now = run("now", "--replications", "6")
    then = run("then", "--replications", "8", "--set", "levels.iop.places=2")
    text = told(iopsim("diff", now, then))
    assert "\nreplications 6 8\n" in text
    assert "\nlevels.iop.places 12 2\n" in text
    assert "metrics in 6 replications, " in text
    assert "differ by more than chance (paired; all intervals hold together at 95 %)" in text
    assert "\nmetric A B difference interval unit\n" in text
    found = data_of(iopsim("diff", now, then, "--json"))
    assert found["simulated_with"] == [{"what": "replications", "a": 6, "b": 8}]
    assert {"what": "levels.iop.places", "a": 12, "b": 2} in found["scenarios"]
    results = found["results"]
    assert (results["replications"], results["unpaired"]) == ([6, 6], [])
    (census,) = (one for one in results["metrics"] if one["metric"] == "iop.census.mean")
    assert census["by_more_than_chance"]
    assert census["difference"]["estimate"] == pytest.approx(
        census["b"]["estimate"] - census["a"]["estimate"]
    )
    assert census["difference"]["ci_high"] < 0


def test_runs_that_form_no_pairs(iopsim: Iopsim, run: Any) -> None:
    now, then = run("now", "--replications", "4"), run("then", "--replications", "4", "--seed", "9")
    text = told(iopsim("diff", now, then))
    assert "\nseed 1 9\n" in text
    assert (
        "Replications form no pairs (run.seed: B has 9, A has 1), so each has its own 95 % interval." in text
    )
    results = data_of(iopsim("diff", now, then, "--json"))["results"]
    assert results["unpaired"] == ["run.seed: B has 9, A has 1"]
    assert {one["difference"]["ci_low"] for one in results["metrics"]} == {None}


def test_a_run_and_what_it_ran(iopsim: Iopsim, run: Any) -> None:
    folder = run("now", "--replications", "4")
    assert told(iopsim("diff", folder, folder)).splitlines()[2] == "The scenarios are identical."
    text = told(iopsim("diff", folder, MINIMAL))
    assert "\nrun.weeks 8 52\n" in text
    assert "metrics" not in text


def test_as_markdown(iopsim: Iopsim, run: Any) -> None:
    code, out, err = iopsim("diff", BASELINE, EXTRA, "--md")
    assert (code, err) == (0, "")
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in out.splitlines() if line.startswith("|")
    ]
    assert rows[0] == ["value", "A", "B"]
    assert ["staff.therapist.posts", "4", "5"] in rows
    now, then = (
        run("now", "--replications", "4"),
        run("then", "--replications", "4", "--set", "levels.iop.places=2"),
    )
    assert "| metric " in iopsim("diff", now, then, "--md").out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere.yaml", MINIMAL), 'nowhere.yaml: error: there is no file "nowhere.yaml"'),
        ((MINIMAL, "empty"), "empty: error: not a results folder"),
        ((MINIMAL,), "Missing argument 'B'"),
    ],
)
def test_what_cannot_be_read_is_refused(iopsim: Iopsim, words: tuple[str, ...], said: str) -> None:
    Path("empty").mkdir()
    code, out, err = iopsim("diff", *words)
    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err
