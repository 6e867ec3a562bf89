"""A thousand inputs that look right and are not: each is accepted, or refused with codes, places and sentences.

`benchmarks/fuzz.py` does the same with ten thousand.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.properties.fuzzing import MEGABYTES, SECONDS, Hung, fates, judged
from tests.properties.mutations import ENTRY, Input, input_number

INPUTS = 1000
SIMULATED = 12  # one of so many that are accepted


@pytest.mark.slow
def test_whatever_is_given_is_accepted_or_refused_soon_and_in_little_memory() -> None:
    found = list(fates(0, INPUTS, simulated=SIMULATED))
    assert [fate.number for fate in found] == list(range(INPUTS))
    assert not [fate for fate in found if not fate.is_sound]
    assert max(fate.seconds for fate in found) < SECONDS
    assert max(fate.megabytes for fate in found) < MEGABYTES
    # That the inputs are worth it: they reach far into the program, and are refused for many reasons.
    outcomes = Counter(fate.outcome for fate in found)
    assert min(outcomes["accepted"], outcomes["refused"]) > INPUTS / 10
    assert len({code for fate in found for code in fate.codes}) > 25
    assert sum(fate.simulated for fate in found) > 10


def test_an_input_is_given_by_its_number() -> None:
    assert [input_number(number) for number in range(20)] == [input_number(number) for number in range(20)]
    assert len({input_number(number).files[ENTRY] for number in range(60)}) > 50
    assert input_number(3) != input_number(3, first=1)


def test_a_defect_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A judge that lets everything pass would be worth nothing."""
    sound = Input({ENTRY: b"sources: {calls: {to: iop, per_week: 2}}\nlevels: {iop: {stay_days: 3}}\n"}, "")
    assert judged(sound, 0, tmp_path, simulate=True).outcome == "accepted"

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("iopsim.scenario.plausible.assess", broken)
    fate = judged(sound, 1, tmp_path, simulate=False)
    assert (fate.outcome, fate.is_sound, list(tmp_path.iterdir())) == ("ZeroDivisionError", False, [])

    def hanging(*_: object) -> None:
        raise Hung

    monkeypatch.setattr("iopsim.scenario.plausible.assess", hanging)
    assert judged(sound, 2, tmp_path, simulate=False).outcome == "Hung"
