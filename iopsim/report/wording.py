"""How numbers read: what planners see for a metric, and how its value is written with its unit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from iopsim.experiment.compare import Difference
    from iopsim.experiment.statistics import Interval

__all__ = [
    "difference_text",
    "in_words",
    "interval_text",
    "limit_text",
    "matched_text",
    "number_text",
]


_NEVER_NEGATIVE = {
    "share",
    "days",
    "patients",
    "patients/week",
    "patient-days",
    "sessions",
    "appointments",
    "posts",
    "hours",
    "hours/week",
    "FTE",
    "patients/FTE",
}


def number_text(value: float, unit: str) -> str:
    """A number as people read it: shares as percentages, otherwise three digits or whole thousands."""
    if math.isnan(value):
        return "–"
    if unit == "share":
        return f"{100 * value:.1f} %" if abs(value) < 0.9995 else f"{100 * value:.0f} %"
    size = abs(value)
    if size >= 999.5:
        return f"{value:,.0f}"
    digits = 0 if size >= 99.95 else 1 if size >= 9.995 or size < 0.005 else 2
    text = f"{value:.{digits}f}"
    return text if float(text) else text.removeprefix("-")


def limit_text(value: float, unit: str) -> str:
    """A limit that somebody wrote, with all its digits and no more."""
    return f"{100 * value:.12g} %" if unit == "share" else f"{value:,.12g}"


def interval_text(low: float, high: float, unit: str) -> str:
    """A confidence interval as people read it; empty when it is not known.

    What cannot be negative (shares, days, people, hours) is cut at 0, and shares at 1.
    """
    if math.isnan(low) or math.isnan(high):
        return ""
    if unit in _NEVER_NEGATIVE:
        low = max(low, 0.0)
    if unit == "share":
        high = min(high, 1.0)
    return f"{number_text(low, unit)} to {number_text(high, unit)}"


def difference_text(difference: Interval, unit: str) -> tuple[str, str, str]:
    """A difference with its sign, its interval, and the unit of both: shares differ by percentage points."""
    estimate, low, high = (
        _signed(part, unit) for part in (difference.estimate, difference.low, difference.high)
    )
    ends = "" if math.isnan(difference.low + difference.high) else f"{low} to {high}"
    return estimate, ends, "points" if unit == "share" else unit


def in_words(one: Difference, base: str) -> str:
    """What a difference says, in words; `base` is what people read for the plan it is a difference to."""
    lacking = {"only the base has it": one.plan, "only the plan has it": base}.get(one.words)
    return f"not in {lacking}" if lacking else one.words


def _signed(value: float, unit: str) -> str:
    if unit == "share" and not math.isnan(value):
        text = f"{100 * value:+.1f}"
        return text if float(text) else "0.0"
    text = number_text(value, unit)
    return f"+{text}" if value > 0 and text.strip("0.") else text


def matched_text(shares: Mapping[str, float]) -> str:
    """How far plans meet the same patients, in a sentence.

    Args:
        shares: By plan, the base first: of the patients referred in the base or in the plan, those in both.
    """
    base, *plans = shares
    differing = [plan for plan in plans if shares[plan] < 1]
    if not differing:
        return "The same patients meet every plan."
    said = ", ".join(f"{number_text(shares[plan], 'share')} in {plan}" for plan in differing)
    rest = ", all in the others" if len(differing) < len(plans) else ""
    return f"Patients that are the same as in {base}: {said}{rest}."
