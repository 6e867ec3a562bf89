"""A case, what it claims, and the list of all cases."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from iopsim.scenario import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from iopsim.scenario.schema import Scenario
    from iopsim.verification.observed import Statistic

__all__ = ["PRECISION", "Case", "Claim", "case", "cases"]

PRECISION = 0.03
_THEMES = ("waiting", "unlimited", "sharing", "holding", "stays", "groups", "dated", "money")
_FOLDER = Path(__file__).parent / "cases"


@dataclass(frozen=True, slots=True)
class Claim:
    """One number of a case that theory knows.

    Attributes:
        exact: What theory says, computed from the case's own scenario; never a number that a simulation gave.
        measured: Numerator and denominator of the same number in one replication; its name is the claim's.
        precision: Largest standard error, as a share of the exact value, with which the claim can be judged.
    """

    exact: float
    measured: Statistic
    precision: float = PRECISION

    @property
    def name(self) -> str:
        """What the number is called in the table."""
        return self.measured.__name__


@dataclass(frozen=True, slots=True)
class Case:
    """A scenario file and what theory says of it.

    Attributes:
        name: Of the case and of its file, without the suffix.
        title: The law in the words of the field, in a line.
        replications: Enough for every claim to be judged.
        says: The claims, from the scenario.
    """

    name: str
    title: str
    replications: int
    says: Callable[[Scenario], Iterable[Claim]] = field(repr=False)

    @property
    def file(self) -> Path:
        """The scenario file that ships."""
        return _FOLDER / f"{self.name}.yaml"

    def scenario(self, seed: int | None = None) -> Scenario:
        """The scenario, with another seed if one is given."""
        return load(self.file, [] if seed is None else [f"run.seed={seed}"])

    def claims(self, scenario: Scenario) -> tuple[Claim, ...]:
        """Everything that theory says of the scenario, in the order of the table."""
        return tuple(self.says(scenario))


_CASES: dict[str, Case] = {}


def case(
    name: str, title: str, *, replications: int
) -> Callable[[Callable[[Scenario], Iterable[Claim]]], Case]:
    """Make a case of the decorated function, which says what theory knows of the scenario of that name."""

    def enlist(says: Callable[[Scenario], Iterable[Claim]]) -> Case:
        if name in _CASES:
            raise ValueError(f"case {name} is there twice")
        _CASES[name] = Case(name, title, replications, says)
        return _CASES[name]

    return enlist


def cases() -> Mapping[str, Case]:
    """All cases by name, theme by theme."""
    for theme in _THEMES:  # importing enlists, in this order
        importlib.import_module(f"iopsim.verification.{theme}")
    return _CASES
