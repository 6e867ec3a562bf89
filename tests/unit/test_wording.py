"""Numbers as people read them."""

from __future__ import annotations

import math

import pytest

from iopsim.report.wording import interval_text, limit_text, number_text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (math.nan, "days", "–"),
        (0.1442, "share", "14.4 %"),
        (1.0, "share", "100 %"),
        (0.0, "days", "0.0"),
        (-0.001, "days", "0.0"),
        (-0.0534, "days", "-0.05"),
        (3.754, "days", "3.75"),
        (9.994, "days", "9.99"),
        (9.996, "days", "10.0"),
        (99.94, "hours/week", "99.9"),
        (99.96, "hours/week", "100"),
        (999.4, "USD", "999"),
        (999.6, "USD", "1,000"),
        (-132_673.6, "USD", "-132,674"),
    ],
)
def test_a_number_has_the_digits_that_matter(value: float, unit: str, text: str) -> None:
    assert number_text(value, unit) == text


def test_an_interval_ends_where_the_quantity_does() -> None:
    assert interval_text(-0.02, 0.05, "share") == "0.0 % to 5.0 %"
    assert interval_text(0.97, 1.03, "share") == "97.0 % to 100 %"
    assert interval_text(-3.0, 4.0, "days") == "0.0 to 4.00"
    assert interval_text(-3.0, 4.0, "USD") == "-3.00 to 4.00"
    assert not interval_text(math.nan, 4.0, "days")


def test_a_limit_stays_as_it_was_written() -> None:
    assert [limit_text(14, "days"), limit_text(0.1, "share"), limit_text(2500.5, "USD")] == [
        "14",
        "10 %",
        "2,500.5",
    ]
