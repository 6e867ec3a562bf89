"""How a ledger numbers patients, posts and groups: in the order in which they appear.

In the model they are numbered by who they are, so that ties go by identity. A ledger numbers them by when they come:
then what happens after a date changes no number before it (model.md §2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from iopsim.model.ledger import Fact

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from iopsim.model.ledger import Ints

__all__ = ["renumbered"]

_WITH_GROUP = (Fact.ADMITTED, Fact.MOVED)  # in column a
_WITH_POST = (Fact.ADMITTED, Fact.REASSIGNED, Fact.BOOKED, Fact.NO_SHOW, Fact.ASSESSED)  # in column b


def renumbered(
    columns: Mapping[str, Any], patients: Ints, posts: Sequence[int], groups: Sequence[int]
) -> dict[str, Any]:
    """The columns with other numbers; each sequence holds the model's numbers in the order of the ledger's."""
    found = dict(columns)
    found["stay_patient"] = _places(patients)[columns["stay_patient"]]
    if not _is_same(groups):
        found["session_group"] = _places(groups)[columns["session_group"]]
        found["a"] = _where(columns["fact"], _WITH_GROUP, columns["a"], _places(groups))
    if not _is_same(posts):
        found["post_number"] = _places(posts)[columns["post_number"]]
        found["b"] = _where(columns["fact"], _WITH_POST, columns["b"], _places(posts))
    return found


def _is_same(order: Sequence[int]) -> bool:
    return list(order) == list(range(len(order)))


def _places(order: Sequence[int] | Ints) -> Ints:
    """The place of each number in the order."""
    places = np.empty(len(order), dtype=np.int32)
    places[np.asarray(order, dtype=np.int64)] = np.arange(len(order))
    return places


def _where(
    fact: Ints,
    facts: Sequence[Fact],
    column: Ints,
    places: Ints,
) -> Ints:
    """The column with new numbers in the rows of some facts; −1 stays."""
    rows = np.flatnonzero(np.isin(fact, facts) & (column >= 0))
    changed = column.copy()
    changed[rows] = places[column[rows]]
    return changed
