"""How numbers read: what planners see for a metric, and how its value is written with its unit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from iopsim.experiment.compare import Difference
    from iopsim.experiment.statistics import Interval

__all__ = [
    "break_even_text",
    "difference_text",
    "in_words",
    "interval_ends",
    "interval_text",
    "limit_text",
    "matched_text",
    "number_text",
    "series_unit",
    "series_words",
]


_NEVER_NEGATIVE = {
    "share",
    "days",
    "weeks",
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
    """A confidence interval as people read it; empty when it is not known."""
    if math.isnan(low) or math.isnan(high):
        return ""
    low, high = interval_ends(low, high, unit)
    return f"{number_text(low, unit)} to {number_text(high, unit)}"


def interval_ends(low: float, high: float, unit: str) -> tuple[float, float]:
    """The ends of a confidence interval, where what cannot be negative is cut at 0, and shares at 1."""
    if unit in _NEVER_NEGATIVE and low < 0:
        low = 0.0
    return low, min(high, 1.0) if unit == "share" else high


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


def break_even_text(share: tuple[float, float, float], assumed: float, starters: str = "starters") -> str:
    """What the inpatient alternative comes to, as the arithmetic on an assumption that it is.

    Args:
        share: From which share of starters on the program pays, and its interval.
        assumed: The share that the scenario assumes.
        starters: Of whom.
    """
    estimate, low, high = share
    interval = interval_text(low, high, "share")
    among = f"{_trimmed_share(estimate)} of {starters}{f' ({interval})' if interval else ''}"
    if estimate > 1:
        said = f"If 100 % of {starters} would otherwise be inpatients, the program still costs more than it saves"
    else:
        said = f"If {among} would otherwise be inpatients, the program saves what it costs"
    return f"{said}; the scenario assumes {_trimmed_share(assumed)}"


def _trimmed_share(value: float) -> str:
    return number_text(value, "share").replace(".0 %", " %")


_SERIES = {
    "census": ("in care", "patients"),
    "waitlist": ("waiting", "patients"),
    "starts": ("starts of care", "patients/week"),
    "revenue": ("revenue", "{currency}/week"),
    "cost": ("cost", "{currency}/week"),
    "payroll": ("payroll", "{currency}/week"),
    "cover_cost": ("cover", "{currency}/week"),
    "room_cost": ("rooms", "{currency}/week"),
    "service_cost": ("services", "{currency}/week"),
    "overhead": ("overhead", "{currency}/week"),
    "filled": ("posts filled", "posts"),
    "limit": ("sum of caseload limits", "patients"),
}


def series_words(name: str, said_of: Mapping[str, str]) -> str:
    """What people read for a weekly series, such as `<level>.census`: whose it is and what."""
    owner, _, kind = name.rpartition(".")
    what = _SERIES[kind][0] if kind in _SERIES else kind.replace("_", " ")
    whose = ", ".join(said_of.get(part, part.replace("_", " ").capitalize()) for part in owner.split("."))
    return f"{whose}: {what}"


def series_unit(name: str, currency: str) -> str:
    """Unit of a weekly series; empty where it is not known."""
    kind = name.rpartition(".")[2]
    return _SERIES[kind][1].format(currency=currency) if kind in _SERIES else ""
