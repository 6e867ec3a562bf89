"""`iopsim verify`: exact answers beside simulated ones, and an exit code that says whether they agree."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest

from iopsim.model.waitlist import Waitlist
from iopsim.verification.case import Case, cases
from iopsim.verification.judge import Z_LIMIT
from tests.cli.sessions import answer_of, at_terminal, spawn

if TYPE_CHECKING:
    from pathlib import Path

    from iopsim.model.people import Stay
    from tests.cli.conftest import Iopsim

QUICK = "made-up-sessions"
HERE = ("--workers", "1")


def test_the_list_names_every_case_by_theme_and_simulates_nothing(
    iopsim: Iopsim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Case, "scenario", None)
    code, out, err = iopsim("verify", "--list")
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 80
    lines = out.splitlines()
    assert lines[0] == "A level that can be full: who waits, how long, and who gives up or is refused."
    listed = [line.split()[0] for line in lines if line.startswith("  ") and line[2] != " "]
    assert listed == list(cases())
    for case in cases().values():
        assert case.title.split()[-1] in out


def test_a_sound_program_agrees_with_theory(iopsim: Iopsim, tmp_path: Path) -> None:
    code, out, err = iopsim("verify", QUICK, *HERE, "--csv", "table.csv")
    header, rule, title, claim, _, sentence = out.splitlines()
    assert (code, header.split()) == (0, ["theory", "simulated", "±", "95", "%", "z", "verdict"])
    assert set(rule) == {"─"}
    assert title == f"{QUICK}  {cases()[QUICK].title}"
    assert sentence.startswith("Simulation and theory agree in all 1 claim of 1 case: none is further apart")
    (row,) = csv.DictReader(io.StringIO((tmp_path / "table.csv").read_text(encoding="utf-8")))
    assert (row["case"], row["verdict"]) == (QUICK, "agrees")
    assert claim.split()[: len(row["claim"].split())] == row["claim"].split()
    theory, simulated, sign, half_width, z, verdict = claim.split()[len(row["claim"].split()) :]
    assert (float(theory), sign, verdict) == (10.0, "±", "agrees")
    for shown, name in ((simulated, "simulated"), (half_width, "half_width"), (z, "z")):
        digits = len(shown.partition(".")[2])
        assert float(shown) == round(float(row[name]), digits), name
    assert err.splitlines()[0].startswith(f"cases: 1 of {cases()[QUICK].replications} replications")
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]


def test_another_chance_has_the_same_theory(iopsim: Iopsim) -> None:
    def claim(*options: object) -> dict[str, object]:
        code, out, err = iopsim("verify", QUICK, "--replications", 4, "--json", *HERE, *options)
        answer = json.loads(out)
        assert (code, err, answer["verdict"], answer["z_limit"]) == (0, "", "agrees", Z_LIMIT)
        assert answer["exit_code"] == code
        (found,) = answer["claims"]
        return found

    usual, again, other = claim(), claim("--workers", 2), claim("--seed", 7)
    assert usual == again
    assert usual["theory"] == other["theory"]
    assert usual["simulated"] != other["simulated"]


def test_a_wrong_program_exits_with_3_and_says_what_to_do(
    iopsim: Iopsim, monkeypatch: pytest.MonkeyPatch
) -> None:
    def last_come_first_served(waitlist: Waitlist, stay: Stay, add: Any = Waitlist.add) -> None:
        priority, joined, patient, number = stay.rank
        stay.rank = (priority, -joined, patient, number)
        add(waitlist, stay)

    monkeypatch.setattr(Waitlist, "add", last_come_first_served)
    code, out, err = iopsim("verify", "erlang-c", "--replications", 12, *HERE)
    assert code == 3
    differing = [line for line in out.splitlines() if line.endswith("differs")]
    assert differing
    assert all("share who wait over" in line for line in differing)
    assert f"{len(differing)} differ" in out
    assert "iopsim verify erlang-c --seed 7" in out
    assert "cases: 12 of 12 replications" in err


def test_too_few_replications_cannot_tell(iopsim: Iopsim) -> None:
    code, out, _ = iopsim("verify", "erlang-c", "--replications", 3, *HERE)
    assert code == 4
    assert "undecided: so few replications cannot tell" in out
    assert iopsim("verify", "erlang-c", "--replications", 3, *HERE, "--quiet") == (4, "", "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("erlang-x", "ergang-a"), 'no case "erlang-x" (did you mean "erlang-'),
        (("swimming",), 'no case "swimming"; `iopsim verify --list` lists them'),
        ((QUICK, "--replications", "1"), "--replications"),
        ((QUICK, "--seed", "-1"), "--seed"),
    ],
)
def test_what_is_misspelled_simulates_nothing(iopsim: Iopsim, words: tuple[str, ...], said: str) -> None:
    code, out, err = iopsim("verify", *words)
    assert (code, out) == (2, "")
    assert said in err
    assert "cases: " not in err


def test_a_table_that_has_no_place_is_said_before_the_work(iopsim: Iopsim, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, out, err = iopsim("verify", QUICK, "--csv", "file/table.csv")
    assert (code, out) == (5, "")
    assert "--csv" in err
    assert "replications" not in err


@pytest.mark.skipif(sys.platform == "win32", reason="signals and terminals of POSIX")
def test_ctrl_c_leaves_nothing_behind(tmp_path: Path) -> None:
    process = spawn("verify", QUICK, "--replications", "2000", "--csv", "table.csv", folder=tmp_path)
    assert process.stderr
    assert process.stderr.readline().startswith("cases: 1 of 2,000 replications")
    os.killpg(process.pid, signal.SIGINT)
    answer = answer_of(process)
    assert (answer.code, answer.out) == (130, "")
    assert answer.err.splitlines()[-1] == "stopped: nothing is kept of cases; give the same command again"
    assert "Traceback" not in answer.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals and terminals of POSIX")
def test_the_table_fits_a_terminal_and_colors_its_verdicts(tmp_path: Path) -> None:
    arguments = ("verify", "dropout-after-waiting", "--replications", "2", *HERE)
    shown = at_terminal(*arguments, folder=tmp_path, columns=80).out
    table = shown[shown.index("theory") :]
    assert "\x1b[33mundecided\x1b[0m" in table
    plain = [
        "".join(part.partition("m")[2] if n else part for n, part in enumerate(line.split("\x1b[")))
        for line in table.splitlines()
    ]
    assert max(map(len, plain)) <= 80
    assert any(line.startswith("    ") and line.endswith("waiting") for line in plain)  # broken, not cut
