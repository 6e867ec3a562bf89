"""Every mutant is caught by its case, and every case catches one."""

from __future__ import annotations

import pytest

from iopsim.verification.case import cases
from tests.theory.mutants.mutant import Mutant, caught, mutants


@pytest.mark.parametrize("mutant", mutants(), ids=str)
def test_the_mutant_is_caught(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    caught(mutant, monkeypatch)


def test_every_case_has_a_mutant() -> None:
    assert {mutant.case for mutant in mutants()} == set(cases())
