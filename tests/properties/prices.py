"""Prices for programs of every kind: tiers, rules of billing, salaries, rents, and dates on which they change."""

from __future__ import annotations

import datetime as dt
from typing import Any

from hypothesis import strategies as st

from tests.properties.clinics import START, Plain
from tests.properties.programs import PAYERS, ROLES, programs
from tests.properties.test_dated import changeable

__all__ = ["price", "priced"]

_amounts = st.sampled_from((0, 100.1, 269.19, 333.33))
_tiers = st.lists(st.integers(1, 5), min_size=1, max_size=3, unique=True).map(
    lambda edges: [{"from_services": edge, "pay": 60.7 + 101.3 * edge} for edge in edges]
)
_pay: st.SearchStrategy[Any] = st.one_of(_amounts, _tiers)


@st.composite
def priced(draw: st.DrawFn) -> Plain:
    """A program in which everything has a price, some of them another from a date on."""
    return price(draw, draw(programs()))


def price(draw: st.DrawFn, program: Plain) -> Plain:
    """The program with a price for everything."""
    names = sorted(program["levels"])
    levels = {name: draw(_level(program["levels"][name])) for name in names}
    own = [name for name in names if not {"cost_per_day", "cost_per_attended_day"} & levels[name].keys()]
    staff = {name: role | {"salary_per_year": draw(_salaries)} for name, role in program["staff"].items()}
    rooms = {"main": {"seats": 99, "cost_per_week": draw(st.sampled_from((0, 350.5)))}}
    rooms |= program.get("rooms", {})
    services = {name: one | {"cost": 12.3} for name, one in program["services"].items()}
    services |= draw(_services(names))
    new = {"levels": levels, "staff": staff, "rooms": rooms, "services": services, "money": draw(_money(own))}
    program = {**program, **new}
    if draw(st.booleans()):
        program["changes"] = draw(_changes(program, own))
    return program


_salaries = st.sampled_from((0, 61_490, 149_180.5))


@st.composite
def _level(draw: st.DrawFn, level: Plain) -> Plain:
    more: dict[str, st.SearchStrategy[Any]] = {"hours_per_week_at_least": st.sampled_from((4, 9, 20))}
    if "groups" not in level:
        more |= {
            "days_per_week": st.sampled_from((2, 5, 7)),
            "hours_per_day": st.sampled_from((2.5, 4)),
            "attendance": st.just({"mean": 0.83}),
        }
    told = {key: draw(value) for key, value in more.items() if draw(st.booleans())}
    outside = draw(st.sampled_from(({}, {"cost_per_day": 1050.5}, {}, {"cost_per_attended_day": 310.3}, {})))
    return {**level, **told, **outside}


@st.composite
def _services(draw: st.DrawFn, names: list[str]) -> Plain:
    """Services that wait for nobody: by the calendar, inside groups, once, and to each session."""

    def service(**terms: Any) -> Plain:
        levels = draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
        share = {} if terms.get("per") == "session" else {"share": draw(st.sampled_from((0.5, 1)))}
        return {"levels": levels, "role": draw(st.sampled_from(ROLES)), **share, **terms}

    return {
        "talk": service(minutes=50, every_weeks=draw(st.sampled_from((0.5, 1))), cost=7.7),
        "skills": service(minutes=60, every_weeks=1, within_group=True, cost=3.1),
        "first": service(minutes=45, per="admission", cost=80),
        "notes": service(indirect_minutes=15, per="session", cost=5.05),
    }


@st.composite
def _money(draw: st.DrawFn, own: list[str]) -> Plain:
    overhead = draw(st.sampled_from(({}, {"overhead_share_of_cost": 0.31}, {"overhead_per_year": 100_000.1})))
    billing = {
        "hours_per_day_at_least": st.sampled_from((0, 2, 3.5)),
        "below_minimum": st.sampled_from((0, 77.7)),
        "claims_denied": st.sampled_from((0, 0.05, 0.125)),
    }
    return {
        "benefits": draw(st.sampled_from((0, 0.3))),
        "revenue": {name: {payer: draw(_pay) for payer in PAYERS if draw(st.booleans())} for name in own},
        "billing": {key: draw(value) for key, value in billing.items()},
        **overhead,
    }


@st.composite
def _changes(draw: st.DrawFn, program: Plain, own: list[str]) -> list[Plain]:
    """Other prices from dates on, and other capacity beside."""
    money = program["money"]
    paths: dict[str, st.SearchStrategy[Any]] = {
        "money.benefits": st.just(0.25),
        "rooms.main.cost_per_week": st.just(99.9),
        "services.talk.cost": st.just(11.11),
        "services.notes.cost": st.just(0),
        "money.billing.hours_per_day_at_least": st.sampled_from((0, 3)),
        "money.billing.below_minimum": st.just(50.5),
        "money.billing.claims_denied": st.sampled_from((0, 0.2)),
        **{f"staff.{name}.salary_per_year": _salaries for name in program["staff"]},
        **{f"money.revenue.{name}.{payer}": _pay for name in own for payer in PAYERS},
        **{key: st.sampled_from(values) for key, values in changeable(program).items()},
    }
    paths |= {f"money.{key}": st.just(0.2) for key in ("overhead_share_of_cost",) if key in money}
    paths |= {f"money.{key}": st.just(5e4) for key in ("overhead_per_year",) if key in money}
    some = st.lists(st.sampled_from(sorted(paths)), min_size=1, max_size=6, unique=True)
    days = draw(st.lists(st.integers(-6, 24), min_size=1, max_size=3, unique=True))
    return [
        {
            "from": START + dt.timedelta(days=day),
            "set": {path: draw(paths[path]) for path in draw(some)},
        }
        for day in days
    ]
