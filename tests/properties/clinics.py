"""Two clinics for properties: a crowded one with the plainest rules, and one where every rule of the language acts."""

from __future__ import annotations

import datetime as dt
from typing import Any

from hypothesis import HealthCheck, Phase, settings

__all__ = ["CLINIC", "PROPERTY", "START", "STORM", "Plain"]

START = dt.date(2027, 1, 4)
Plain = dict[str, Any]
# Shrinking a program that fails takes minutes: add Phase.shrink by hand to look for a small one.
PROPERTY = settings(
    max_examples=25,
    derandomize=True,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)

_SOURCE = {
    "to": "iop",
    "per_week": 8,
    "weekdays": [1, 1, 1, 1, 1, 0.2, 0.2],
    "growth_per_year": 0.5,
    "tracks": {"mood": 0.6, "sud": 0.4},
    "times": {"day": 0.5, "evening": 0.3, "either": 0.2},
    "payers": {"public": 0.7, "private": 0.3},
}
_GROUP = {"days": ["mon", "wed", "fri"], "seats": 6}
_WAITLIST = {"patience_days": {"exponential": {"mean": 20}}, "renege_to": "op"}
CLINIC: Plain = {
    "run": {"start": START, "warm_up_weeks": 3, "weeks": 5, "run_out_weeks": 2, "seed": 7},
    "tracks": {"mood": {}, "sud": {}},
    "payers": {"public": {}, "private": {}},
    "sources": {"community": _SOURCE, "emergency": _SOURCE | {"to": "unit", "per_week": 6}},
    "levels": {
        "unit": {
            "places": 5,
            "stay_days": {"gamma": {"mean": 6, "cv": 0.8}},
            "next": {"iop": 0.7, "home": 0.3},
            "hold_days": 4,
            "returns": {"share": 0.4, "after_days": {"exponential": {"mean": 8}}, "to": "unit"},
        },
        "iop": {
            "groups": {"day": _GROUP, "evening": _GROUP | {"time": "evening", "start": "18:00"}},
            "caseload": "therapist",
            "phases": [{"weeks": 2, "days_per_week": 3}, {"weeks": 1, "days_per_week": 2}],
            "extension": {"share": 0.3, "weeks": 1},
            "attendance": {"mean": 0.8, "sd": 0.1, "discharge_after_missed": 3},
            "leave_early": {
                "dropout": {"exponential": {"mean": 40}},
                "step_up": {"per_week": 0.1, "to": {"unit": 1}, "hold_days": 3},
            },
            "next": {"op": 0.6, "home": 0.4},
            "waitlist": _WAITLIST,
        },
        "op": {"stay_days": {"lognormal": {"mean": 9, "cv": 1}}},
    },
    "staff": {"therapist": {"posts": 2, "caseload": 6}},
    "services": {
        "family": {"levels": ["iop"], "role": "therapist", "minutes": 60, "every_weeks": 4, "share": 0.5}
    },
}


def _day(day: int) -> dt.date:
    return START + dt.timedelta(days=day)


_BY_SESSION = {
    "units": 4,
    "ask_before": 2,
    "review": {"delay_days": {"exponential": {"mean": 4}}, "cut": 0.4},
}
_BY_DAY = {"units": 6, "per": "day", "ask_before": 2, "review": {"delay_days": 3, "cut": 0.3}}
_PAYERS = {
    "public": {
        "authorization": {"levels": ["iop"], "delay_days": 2, "denied": 0.1, "denied_to": "op", **_BY_SESSION}
    },
    "private": {
        "authorization": {
            "levels": ["unit", "iop"],
            "delay_days": {"exponential": {"mean": 1.5}},
            "denied": 0.15,
            **_BY_DAY,
        }
    },
    "self_pay": {},
}
_STORMY_SOURCE = {
    **_SOURCE,
    "per_week": 18,
    "dispersion": 2,
    "changes": [{"from": _day(14), "factor": 1.5}],
    "payers": {"public": 0.4, "private": 0.4, "self_pay": 0.2},
    "modalities": {"either": 0.8, "telehealth": 0.1, "in_person": 0.1},
}
_LED = {**_GROUP, "seats": 4, "facilitators": {"therapist": 1}}
_TIERS = [{"from_services": 3, "pay": 269.19}, {"from_services": 4, "pay": 408.55}]
STORM: Plain = {
    **CLINIC,
    "run": CLINIC["run"] | {"weeks": 6},
    "calendar": {"closed": [_day(9), _day(10), _day(18)]},
    "payers": _PAYERS,
    "rooms": {"main": {"seats": 9, "cost_per_week": 350.5}},
    "sources": {
        "community": _STORMY_SOURCE,
        "emergency": _STORMY_SOURCE | {"to": "unit", "per_week": 7, "changes": []},
    },
    "levels": CLINIC["levels"]
    | {
        "unit": CLINIC["levels"]["unit"]
        | {
            "refer_before_days": 2,
            "hold_days": 3,
            "leave_early": {"dropout": {"exponential": {"mean": 12}}, "dropout_to": "op"},
            "contact": {"share": 0.95, "for": ["community", "iop"]},
            "waitlist": {"at_most": 3, "otherwise": "iop"},
            "cost_per_day": 1050.5,
        },
        "iop": CLINIC["levels"]["iop"]
        | {
            "hours_per_week_at_least": 9,
            "contact": {"share": 0.9, "delay_days": {"exponential": {"mean": 0.5}}},
            "eligible": {"share": 0.9, "found_at": "assessment", "otherwise": "op"},
            "intake": {
                "role": "desk",
                "minutes": 60,
                "rebook": 1,
                "rebook_taken": 0.7,
                "show": {"by_lead_days": {0: 0.9, 7: 0.5}},
                "for": ["community", "emergency", "unit", "returned"],
            },
            "waitlist": _WAITLIST
            | {
                "priority": {"unit": 1, "community": 3},
                "ages_into": {"class": 2, "after_days": 9},
                "accept_other_time_after_days": 6,
                "at_most": 12,
                "otherwise": "op",
            },
            "groups": {
                "early": _LED | {"room": "main"},
                "late": _LED
                | {"time": "evening", "start": "18:00", "min_census": 3, "below_minimum": {"merge_with": "last"}},
                "last": _LED | {"time": "evening", "start": "18:30"},
                "closed": _LED
                | {"start": "13:00", "admission": {"cohort": {"first": _day(7), "every_days": 14, "starters": 3}}},
                "video": _LED | {"modality": "telehealth", "hours": 2.5, "facilitators": {"nurse": 1}},
                "short": _LED | {"start": "16:00", "until": _day(24)},
            },
        },
        "op": CLINIC["levels"]["op"]
        | {
            "eligible": {"share": 0.9, "for": ["iop"]},
            "days_per_week": 2,
            "hours_per_day": 1.5,
            "attendance": {"mean": 0.85},
        },
    },
    "staff": {
        "therapist": {
            "posts": 3,
            "caseload": 6,
            "turnover_per_year": 4,
            "days_to_hire": {"exponential": {"mean": 9}},
            "onboarding_weeks": 2,
            "leaves": [_day(8), {"from": _day(15), "until": _day(22)}],
            "reassignment": {"dropout_factor": 1.5},
            "salary_per_year": 61_490,
        },
        "nurse": {
            "posts": 1,
            "salary_per_year": 89_410.5,
            "turnover_per_year": 6,
            "days_to_hire": 5,
            "cover_per_hour": 60,
        },
        "desk": {"posts": 2, "fte": 0.4, "turnover_per_year": 4, "days_to_hire": 4},
        "prescriber": {"posts": 1, "fte": 0.5},
    },
    "services": {
        "evaluation": {
            "levels": ["iop"],
            "role": "prescriber",
            "minutes": 45,
            "indirect_minutes": 15,
            "per": "admission",
            "due_days": 4,
            "limits": "admission",
        },
        "family": {"levels": ["iop"], "role": "desk", "minutes": 40, "every_weeks": 1, "share": 0.5, "limits": True},
        "talk": {"levels": ["iop", "op"], "role": "therapist", "minutes": 50, "every_weeks": 1, "cost": 7.7},
        "notes": {"levels": ["iop"], "role": "therapist", "per": "session", "indirect_minutes": 15, "cost": 5.05},
    },
    "money": {
        "benefits": 0.3,
        "overhead_share_of_cost": 0.31,
        "revenue": {
            "iop": {"public": _TIERS, "private": 450},
            "op": {"public": 101.1, "self_pay": [{"from_services": 2, "pay": 88.8}]},
        },
        "billing": {"hours_per_day_at_least": 1, "below_minimum": 77.7, "claims_denied": 0.05},
    },
    "changes": [
        {
            "from": _day(11),
            "set": {
                "staff.therapist.posts": 4,
                "levels.unit.places": 3,
                "levels.iop.groups.early.seats": 2,
                "sources.community.per_week": 24,
                "money.billing.claims_denied": 0.125,
            },
        },
        {
            "from": _day(20),
            "set": {
                "staff.therapist.posts": 2,
                "staff.therapist.caseload": 5,
                "staff.desk.bookable": 0.8,
                "levels.unit.places": 6,
                "levels.iop.waitlist.at_most": 6,
                "payers.public.authorization.denied": 0.3,
                "money.billing.hours_per_day_at_least": 3,
                "money.revenue.iop.private": 333.33,
            },
        },
        {
            "from": _day(27),
            "set": {"staff.therapist.posts": 4, "levels.iop.groups.early.seats": 5, "rooms.main.cost_per_week": 99.9},
        },
    ],
}  # fmt: skip
