"""A mutant: a model or a scenario made slightly wrong, and the claim of a case that must catch it.

Each is a function that makes the model wrong while pytest's `MonkeyPatch` lasts; its name says what is wrong.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import pytest

from iopsim.model import clinic
from iopsim.scenario import load
from iopsim.verification.case import Case, cases
from iopsim.verification.judge import DIFFERS, judged
from iopsim.verification.observed import Observed, Part

__all__ = ["Mutant", "caught", "mutant", "mutants", "simulated"]

THEMES = ("waiting", "unlimited", "sharing", "holding", "stays", "groups", "dated", "money")

Wrong = Callable[[pytest.MonkeyPatch], None]
_Wrong = TypeVar("_Wrong", bound=Wrong)


@dataclass(frozen=True, slots=True)
class Mutant:
    """What is wrong, and where it shows.

    Attributes:
        case: The case that catches it.
        claim: The claim, or the beginning of its name, that differs.
        replications: As few as show it; the sound model agrees in as many.
        settings: What is wrong in the scenario, such as `levels.clinic.places=3`; theory keeps to the file.
        wrong: What is wrong in the model.
    """

    case: str
    claim: str
    replications: int
    settings: tuple[str, ...]
    wrong: Wrong

    def __str__(self) -> str:
        return f"{self.case}: {self.wrong.__name__.replace('_', ' ')}"


_MUTANTS: list[Mutant] = []


def mutant(
    case: str, claim: str, *, replications: int, settings: Sequence[str] = ()
) -> Callable[[_Wrong], _Wrong]:
    """Enlist the decorated function as a mutant of a case; of several, when decorated again."""

    def enlist(wrong: _Wrong) -> _Wrong:
        _MUTANTS.append(Mutant(case, claim, replications, tuple(settings), wrong))
        return wrong

    return enlist


def mutants() -> Sequence[Mutant]:
    """All mutants, theme by theme."""
    for theme in THEMES:  # importing enlists, in this order
        importlib.import_module(f"tests.theory.mutants.{theme}")
    return _MUTANTS


def caught(mutant: Mutant, patch: pytest.MonkeyPatch) -> None:
    """Ask that the claim differ in the mutant; that it agrees in the sound model, `test_cases.py` asks."""
    case = cases()[mutant.case]
    mutant.wrong(patch)
    judgments = judged(case, case.scenario(), simulated(case, mutant.replications, mutant.settings))
    shown = [judgment for judgment in judgments if judgment.claim.startswith(mutant.claim)]
    assert shown, f"no claim begins with {mutant.claim!r}: {[judgment.claim for judgment in judgments]}"
    assert not any(math.isnan(judgment.simulated) for judgment in shown), "nothing to judge"
    assert any(judgment.verdict == DIFFERS for judgment in shown), f"{mutant} is not caught: {judgments}"


def simulated(case: Case, replications: int, settings: Sequence[str] = ()) -> list[list[Part]]:
    """Replications of a case, or of its scenario made wrong, as its own claims measure them."""
    scenario, claims = load(case.file, settings), case.claims(case.scenario())
    runs = (Observed(scenario, clinic.simulate(scenario, number)) for number in range(replications))
    return [[claim.measured(run) for claim in claims] for run in runs]
