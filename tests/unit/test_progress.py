"""What is said of a command's progress where there is no terminal: how far, how long, and how long still."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from iopsim.cli import progress
from iopsim.cli.progress import Reporter, duration

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (200, "3 min 20 s"),
        (599.4, "9 min 59 s"),
        (600, "10 min"),
        (7500, "2 h 5 min"),
        (3_600_000, "1,000 h 0 min"),
    ],
)
def test_times_as_people_say_them(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Set the clock."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: False, raising=False)

    def move(seconds: float) -> None:
        now[0] = 100.0 + seconds

    return move


def lines(at: Callable[[float], None], *steps: tuple[float, int, int]) -> None:
    with Reporter(quiet=False).progress("plan") as say:
        for seconds, done, total in steps:
            at(seconds)
            say(done, total)


def test_a_line_for_each_quarter_with_the_time_left(
    at: Callable[[float], None], capsys: pytest.CaptureFixture[str]
) -> None:
    lines(at, (0, 0, 40), (1, 4, 40), (3, 10, 40), (4, 14, 40), (6, 20, 40), (12, 40, 40))
    assert capsys.readouterr().err.splitlines() == [
        "plan: 0 of 40 replications, 0 s",
        "plan: 10 of 40 replications, 3 s, about 9 s left",
        "plan: 20 of 40 replications, 6 s, about 6 s left",
        "plan: 40 of 40 replications, 12 s",
    ]


def test_what_was_kept_took_no_time(at: Callable[[float], None], capsys: pytest.CaptureFixture[str]) -> None:
    """Twenty were there; ten more took ten seconds, so another ten take as long."""
    lines(at, (0, 20, 40), (10, 30, 40))
    assert capsys.readouterr().err.splitlines() == [
        "plan: 20 of 40 replications, 0 s",
        "plan: 30 of 40 replications, 10 s, about 10 s left",
    ]


def test_a_long_silence_is_broken(at: Callable[[float], None], capsys: pytest.CaptureFixture[str]) -> None:
    lines(at, (0, 0, 1000), (50, 10, 1000), (70, 20, 1000), (80, 22, 1000), (140, 40, 1000))
    assert [line.split(",")[0] for line in capsys.readouterr().err.splitlines()] == [
        "plan: 0 of 1",
        "plan: 20 of 1",
        "plan: 40 of 1",
    ]


def test_quiet_says_nothing(at: Callable[[float], None], capsys: pytest.CaptureFixture[str]) -> None:
    with Reporter(quiet=True).progress("plan") as say:
        say(1, 2)
    assert capsys.readouterr() == ("", "")
