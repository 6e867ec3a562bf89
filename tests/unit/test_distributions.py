"""The laws of chance: a battery for every law, anchors by hand, and how a scenario writes them."""

from __future__ import annotations

import math
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from iopsim.scenario.distributions import (
    LAW_NAMES,
    AnyLaw,
    Beta,
    Constant,
    DaysLaw,
    Discrete,
    Empirical,
    Exponential,
    Gamma,
    Law,
    Lognormal,
    Triangular,
    Uniform,
    Weibull,
)
from iopsim.scenario.distributions.law import LAWS, Continuous

if TYPE_CHECKING:
    from pathlib import Path

    from iopsim.scenario.distributions.law import Inverse

CONTINUOUS: list[dict] = [
    {"exponential": {"mean": 40}},
    {"exponential": {"mean": 10, "at_least": 25}},
    {"exponential": {"mean": 10, "at_least": 1, "at_most": 30}},
    {"weibull": {"shape": 0.659, "scale": 267}},
    {"weibull": {"mean": 40, "cv": 1.5}},
    {"weibull": {"mean": 40, "cv": 0.05}},
    {"weibull": {"shape": 2, "scale": 10, "at_most": 9}},
    {"lognormal": {"mean": 10, "cv": 0.75}},
    {"lognormal": {"median": 8, "cv": 0.75}},
    {"lognormal": {"mean": 10, "cv": 0.75, "at_most": 60}},
    {"lognormal": {"mean": 10, "cv": 0.75, "at_least": 2, "at_most": 4}},
    {"gamma": {"mean": 21, "cv": 0.5}},
    {"gamma": {"mean": 120, "cv": 1.4}},
    {"gamma": {"mean": 21, "cv": 0.5, "at_least": 7, "at_most": 42}},
    {"uniform": {"min": -2, "max": 5}},
    {"uniform": {"min": -2, "max": 5, "at_least": 0}},
    {"triangular": {"min": 1, "mode": 2, "max": 5}},
    {"triangular": {"min": 1, "mode": 1, "max": 5}},
    {"triangular": {"min": 1, "mode": 5, "max": 5}},
    {"triangular": {"min": 1, "mode": 2, "max": 5, "at_most": 4}},
    {"beta": {"mean": 0.86, "sd": 0.1}},
    {"beta": {"mean": 0.3, "cv": 0.9}},
    {"beta": {"mean": 30, "sd": 10, "min": 10, "max": 90, "at_most": 60}},
]
ATOMIC: list[dict] = [
    {"constant": 56},
    {"constant": 0},
    {"discrete": {"values": [28, 7, 14], "shares": [0.5, 0.25, 0.25]}},
    {"empirical": {"csv": "stays.csv", "column": "days"}},
]
ANY, DAYS = TypeAdapter(AnyLaw), TypeAdapter(DaysLaw)


def label(written: dict) -> str:
    return str(written).replace("'", "")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "stays.csv").write_text("id,days\na,30\nb,10\nc,20.5\nd,10\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def law(request: pytest.FixtureRequest, folder: Path) -> Law:
    return ANY.validate_python(request.param, context={"folder": folder})


def every(cases: list[dict]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("law", cases, ids=label, indirect=True)


# --- what every law does


def test_the_battery_covers_every_law() -> None:
    assert {name for case in CONTINUOUS + ATOMIC for name in case} == LAW_NAMES


@every(CONTINUOUS + ATOMIC)
def test_quantile_ascends_within_the_support(law: Law) -> None:
    low, high = law.support
    values = [
        law.quantile(u) for u in (0.0, 1e-15, *np.linspace(1e-6, 1 - 1e-6, 997).tolist(), 1 - 1e-15, 1.0)
    ]
    assert values == sorted(values)
    assert low <= values[0] <= values[-1] <= high
    assert all(type(value) is float and math.isfinite(value) for value in values)


@every(CONTINUOUS + ATOMIC)
def test_the_functions_by_themselves_give_the_same_and_so_does_a_copy_elsewhere(law: Law) -> None:
    law.quantile(0.5)  # what a law remembers travels to a worker with it
    quantile, hazard_time = law.quantile_function(), law.hazard_time_function()
    elsewhere = pickle.loads(pickle.dumps(law))
    for u in (0.0, 1e-15, 0.25, 0.5, 0.97, 1.0):
        assert quantile(u) == law.quantile(u) == elsewhere.quantile(u)
    for e in (0.0, 0.1, 1.0, 20.0, 600.0):
        assert hazard_time(e) == law.hazard_time(e) == elsewhere.hazard_time(e)


@every(CONTINUOUS)
def test_mean_and_cv_are_those_of_the_quantile_function(law: Law) -> None:
    y, step = np.linspace(
        -36.0, 36.0, 8001, retstep=True
    )  # u = 1/(1 + exp(-y)) is dense where quantiles are steep
    u = 1.0 / (1.0 + np.exp(-y))
    weights = u * (1.0 - u) * step
    x = np.array([law.quantile(p) for p in u.tolist()])
    mean = weights @ x
    sd = math.sqrt(weights @ (x - mean) ** 2)
    assert law.mean == pytest.approx(mean, rel=1e-6)
    assert law.sd == pytest.approx(sd, rel=1e-5)
    assert law.cv == pytest.approx(sd / abs(mean), rel=1e-5)


@every(CONTINUOUS)
def test_survival_inverts_quantile(law: Law) -> None:
    for u in (1e-9, 0.001, 0.1, 0.37, 0.5, 0.9, 0.999, 1 - 1e-9):
        assert law.survival(law.quantile(u)) == pytest.approx(1.0 - u, rel=1e-6, abs=1e-14)


@every(CONTINUOUS + ATOMIC)
def test_survival_falls_from_one_to_nothing(law: Law) -> None:
    low, high = law.support
    assert law.survival(low - 1.0) == 1.0
    assert law.survival(high) == 0.0
    assert 0.0 < law.survival((low + min(high, law.quantile(0.9))) / 2 - 1e-9) <= 1.0


@every(CONTINUOUS + ATOMIC)
def test_hazard_time_is_the_quantile_of_the_survivors(law: Law) -> None:
    times = [law.hazard_time(e) for e in (0.0, 1e-12, 0.1, 0.69, 1.0, 3.0, 20.0, 50.0, 600.0)]
    assert times == sorted(times)
    assert all(type(time) is float and law.support[0] <= time <= law.support[1] for time in times)
    for e in (1e-6, 0.1, 0.69, 1.0, 3.0, 12.0):
        assert law.hazard_time(e) == pytest.approx(law.quantile(-math.expm1(-e)), rel=1e-9)


@every([case for case in CONTINUOUS if not {"at_most", "max"} & set(*case.values()) and "beta" not in case])
def test_hazard_time_reaches_the_far_tail(law: Law) -> None:
    for e in (30.0, 100.0, 300.0):
        assert -math.log(law.survival(law.hazard_time(e))) == pytest.approx(e, rel=1e-8)


@every(
    [
        {"weibull": {"mean": 60, "cv": 0.001, "at_most": 600}},
        {"weibull": {"mean": 1e-6, "cv": 100}},
        {"gamma": {"mean": 1e12, "cv": 100}},
        {"gamma": {"mean": 60, "cv": 0.001, "at_least": 60}},
        {"lognormal": {"mean": 10, "cv": 100, "at_least": 3}},
        {
            "beta": {
                "mean": 32.62496195874611,
                "sd": 14.175109044552837,
                "min": -2.5855395792473524,
                "max": 67.9757161507608,
            }
        },
        {"beta": {"mean": 0.002, "sd": 0.001}},
    ]
)
def test_an_extreme_law_stays_a_law(law: Law) -> None:
    low, high = law.support
    values = [law.quantile(u) for u in (0.0, 1e-16, 0.01, 0.5, 0.99, 1 - 1e-16, 1.0)]
    assert values == sorted(values)
    assert low <= values[0] < values[-1] <= high
    assert low < law.mean < high
    assert law.survival(law.quantile(0.99)) == pytest.approx(0.01, rel=1e-6)


@every(CONTINUOUS + ATOMIC)
def test_a_pickled_law_is_equal_and_draws_the_same(law: Law) -> None:
    before = [law.quantile(u) for u in (0.1, 0.5, 0.9)]
    again = pickle.loads(pickle.dumps(law))
    assert again == law
    assert hash(again) == hash(law)
    assert [again.quantile(u) for u in (0.1, 0.5, 0.9)] == before
    assert (again.mean, again.cv, again.support) == (law.mean, law.cv, law.support)


@pytest.mark.parametrize("written", CONTINUOUS + ATOMIC, ids=label)
def test_a_law_is_dumped_as_it_was_written(written: dict, folder: Path) -> None:
    law = ANY.validate_python(written, context={"folder": folder})
    dumped = ANY.dump_python(law, mode="json")
    assert dumped == written
    assert [list(p) for p in dumped.values() if isinstance(p, dict)] == [
        list(p) for p in written.values() if isinstance(p, dict)
    ]
    assert ANY.validate_python(dumped, context={"folder": folder}) == law
    assert ANY.validate_json(ANY.dump_json(law), context={"folder": folder}) == law


@every([case for case in CONTINUOUS if not {"at_least", "at_most"} & set(*case.values())])
def test_truncation_conditions_on_the_window(law: Law) -> None:
    low, high = law.quantile(0.2), law.quantile(0.7)
    [(name, parameters)] = law.written().items()
    cut = ANY.validate_python({name: {**parameters, "at_least": low, "at_most": high}})
    assert cut.support == (low, high)
    for u in (0.0, 0.1, 0.5, 0.9, 1.0):
        assert cut.quantile(u) == pytest.approx(law.quantile(0.2 + u * 0.5), rel=1e-9)
    assert cut.survival(law.quantile(0.45)) == pytest.approx(0.5, rel=1e-9)
    assert cut.survival(low - 1) == 1.0
    assert cut.survival(high + 1) == 0.0


@every([case for case in CONTINUOUS if not {"at_least", "at_most"} & set(*case.values())])
def test_a_truncation_outside_the_range_changes_nothing(law: Law) -> None:
    [(name, parameters)] = law.written().items()
    ends = {"at_least": law.support[0] - 1} | (
        {"at_most": law.support[1] + 1} if law.support[1] < 1e9 else {}
    )
    uncut = ANY.validate_python({name: {**parameters, **ends}})
    assert (uncut.mean, uncut.cv, uncut.support) == (law.mean, law.cv, law.support)
    assert [uncut.quantile(u) for u in (0.01, 0.5, 0.99)] == [law.quantile(u) for u in (0.01, 0.5, 0.99)]


def test_a_new_law_is_one_class() -> None:
    class Pareto(Continuous):
        """Survival 1/t³ from 1 day on."""

        @property
        def _range(self) -> tuple[float, float]:
            return 1.0, math.inf

        @property
        def _whole(self) -> tuple[float, float]:
            return 1.5, math.sqrt(0.75)

        @property
        def _inverse(self) -> Inverse:
            return lambda p, s: s ** (-1 / 3)

        def _above(self, t: float) -> float:
            return t**-3

    try:
        law = TypeAdapter(DaysLaw).validate_python({"pareto": {"at_least": 2}})
        assert law.quantile(0.875) == pytest.approx(4.0)  # 2 days or more: the law again, twice as long
        assert (law.mean, law.cv) == (pytest.approx(3.0), pytest.approx(math.sqrt(0.75) / 1.5, rel=1e-6))
        assert law.hazard_time(math.log(8)) == pytest.approx(4.0)
    finally:
        del LAWS["pareto"]


# --- anchors by hand


def test_exponential_by_hand() -> None:
    law = Exponential(mean=40)
    assert law.quantile(0.5) == pytest.approx(40 * math.log(2))
    assert law.hazard_time(1000.0) == 40_000.0
    assert (law.mean, law.cv, law.support) == (40.0, 1.0, (0.0, math.inf))
    beyond = Exponential(mean=40, at_least=10)  # no memory: 10 days and then the same law again
    assert (beyond.mean, beyond.sd) == (pytest.approx(50.0), pytest.approx(40.0))
    within = Exponential(mean=40, at_most=40)
    assert within.mean == pytest.approx(40 * (1 - 2 / math.e) / (1 - 1 / math.e))


def test_weibull_by_hand() -> None:
    law = Weibull(shape=2, scale=10)
    assert law.mean == pytest.approx(5 * math.sqrt(math.pi))
    assert law.cv == pytest.approx(math.sqrt(4 / math.pi - 1))
    assert law.quantile(1 - 1 / math.e) == pytest.approx(10.0)
    assert law.hazard_time(4.0) == pytest.approx(20.0)
    same = Weibull(mean=law.mean, cv=law.cv)
    assert [same.quantile(u) for u in (0.01, 0.5, 0.99)] == pytest.approx(
        [law.quantile(u) for u in (0.01, 0.5, 0.99)], rel=1e-11
    )
    memoryless = Weibull(mean=40, cv=1)
    assert memoryless.quantile(0.8) == pytest.approx(Exponential(mean=40).quantile(0.8), rel=1e-12)


@pytest.mark.parametrize("shape", [0.14, 0.5, 0.659, 0.999, 1.0, 3.6, 40.0, 1000.0])
def test_weibull_shape_is_found_from_its_cv(shape: float) -> None:
    law = Weibull(shape=shape, scale=1)
    same = Weibull(mean=law.mean, cv=law.cv)
    # A narrow law tells of its shape in few digits of its cv, but its times hardly depend on it.
    assert same.hazard_time(2.0) == pytest.approx(law.hazard_time(2.0), rel=1e-11)


def test_lognormal_by_hand() -> None:
    law = Lognormal(mean=10, cv=0.75)  # 1 + cv² = 25/16
    sigma = math.sqrt(math.log(25 / 16))
    assert law.quantile(0.5) == pytest.approx(8.0)
    assert law.quantile(0.975) == pytest.approx(8 * math.exp(1.959963984540054 * sigma))
    assert law.survival(8 * math.exp(sigma)) == pytest.approx(0.15865525393145707)
    assert Lognormal(median=8, cv=0.75).mean == pytest.approx(10.0)


def test_gamma_by_hand() -> None:
    law = Gamma(mean=20, cv=0.5)  # four exponential phases of mean 5
    assert law.survival(20.0) == pytest.approx(math.exp(-4) * (1 + 4 + 8 + 32 / 3))
    assert law.quantile(1 - math.exp(-4) * (1 + 4 + 8 + 32 / 3)) == pytest.approx(20.0)
    assert Gamma(mean=40, cv=1).quantile(0.3) == pytest.approx(-40 * math.log(0.7))


def test_beta_by_hand() -> None:
    law = Beta(mean=0.5, sd=math.sqrt(0.05))  # density 6x(1 − x)
    assert law.survival(0.25) == pytest.approx(1 - (3 / 16 - 2 / 64))
    assert law.quantile(3 / 16 - 2 / 64) == pytest.approx(0.25)
    assert (Beta(mean=0.5, cv=0.2).sd, Beta(mean=0.86, sd=0.1).support) == (0.1, (0.0, 1.0))
    wide = Beta(mean=20, sd=20 * math.sqrt(0.05), min=10, max=30)
    assert wide.quantile(3 / 16 - 2 / 64) == pytest.approx(15.0)
    assert (wide.mean, wide.support) == (20.0, (10.0, 30.0))


def test_uniform_and_triangular_by_hand() -> None:
    assert Uniform(min=2, max=6).quantile(0.25) == 3.0
    assert Uniform(min=2, max=6).survival(3) == 0.75
    law = Triangular(min=0, mode=1, max=4)  # a quarter lies below the mode
    assert (law.quantile(0.0625), law.quantile(0.25), law.quantile(0.8125)) == (0.5, 1.0, 2.5)
    assert law.survival(2.5) == 0.1875
    assert (law.mean, law.sd) == (pytest.approx(5 / 3), pytest.approx(math.sqrt(13 / 18)))


def test_constant_and_discrete_by_hand() -> None:
    law = Discrete(values=[28, 7, 14], shares=[0.5, 0.25, 0.25])
    assert [law.quantile(u) for u in (0.1, 0.25, 0.26, 0.5, 0.51, 0.99)] == [7, 7, 14, 14, 28, 28]
    assert [law.survival(t) for t in (6.9, 7, 13, 14, 28)] == [1.0, 0.75, 0.75, 0.5, 0.0]
    assert (law.mean, law.sd, law.support) == (
        19.25,
        pytest.approx(math.sqrt(453.25 - 19.25**2)),
        (7.0, 28.0),
    )
    assert law.hazard_time(math.log(2) + 1e-9) == 28.0
    assert Discrete(values=[1, 2, 3], shares=[0, 0.4, 0.6]).support == (2.0, 3.0)
    assert Discrete(values=[-1, 1], shares=[0.5, 0.5]).cv == math.inf
    assert (Constant(value=56).quantile(0.3), Constant(value=56).cv) == (56.0, 0.0)
    assert (Constant(value=56).survival(55.9), Constant(value=56).survival(56)) == (1.0, 0.0)


def test_empirical_by_hand(folder: Path) -> None:
    law = ANY.validate_python(
        {"empirical": {"csv": "stays.csv", "column": "days"}}, context={"folder": folder}
    )
    assert [law.quantile(u) for u in (0.01, 0.5, 0.51, 0.75, 0.76, 0.99)] == [10, 10, 20.5, 20.5, 30, 30]
    assert (law.mean, law.support) == (17.625, (10.0, 30.0))
    assert law.sd == pytest.approx(math.sqrt((2 * 100 + 20.5**2 + 900) / 4 - 17.625**2))
    assert law.survival(10) == 0.5


# --- how a scenario writes a law


class Level(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    stay_days: DaysLaw | None = None
    change: AnyLaw | None = None


class Clinic(BaseModel):
    levels: dict[str, Level]


def faults(written: object, field: str = "stay_days") -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as caught:
        Clinic.model_validate({"levels": {"day": {field: written}}})
    return [(".".join(map(str, fault["loc"])), fault["msg"]) for fault in caught.value.errors()]


def test_a_bare_number_is_a_constant_and_a_law_stands_for_itself() -> None:
    law = Lognormal(mean=10, cv=0.75)
    assert Level(stay_days=56).stay_days == Constant(value=56)
    assert Level(stay_days=law).stay_days is law
    assert Level(stay_days=law).model_dump(mode="json") == {
        "stay_days": {"lognormal": {"mean": 10.0, "cv": 0.75}},
        "change": None,
    }
    assert Level.model_validate({"change": {"uniform": {"min": -5, "max": 5}}}).change == Uniform(
        min=-5, max=5
    )


@pytest.mark.parametrize(
    ("written", "place", "message"),
    [
        ({"lognormal": {"mean": 10, "cv": 0.5, "cvv": 1}}, ".lognormal.cvv", "Extra inputs"),
        ({"exponential": None}, ".exponential.mean", "Field required"),
        ({"exponential": {"mean": 0}}, ".exponential.mean", "greater than 0"),
        ({"exponential": {"mean": "40"}}, ".exponential.mean", "valid number"),
        ({"exponential": {"mean": True}}, ".exponential.mean", "valid number"),
        ({"exponential": {"mean": math.nan}}, ".exponential.mean", "finite"),
        ({"exponential": {"mean": 2e6}}, "", "mean of 2e+06 days, over 1,000,000; check the unit"),
        (
            {"exponential": 40},
            ".exponential",
            "takes its parameters by name: mean, at_least, at_most (got 40)",
        ),
        (
            {"lognorml": {"mean": 10}},
            ".lognorml",
            'unknown law (did you mean "lognormal"?); the laws are beta, con',
        ),
        ({"gamma": {}, "lognormal": {}}, "", "must name one law"),
        ({}, "", "must name one law"),
        (
            "10 days",
            "",
            'must be a number, or a law such as {lognormal: {mean: 10, cv: 0.75}} (got text "10 days")',
        ),
        (True, "", "must be a number, or a law"),
        ([1, 2], "", "must be a number, or a law"),
        (math.inf, ".constant.value", "finite"),
        ({"constant": {"value": 3}}, ".constant.value", "valid number"),
        (-5, "", "may be negative (from -5)"),
        ({"uniform": {"min": -1, "max": 5}}, "", "may be negative (from -1)"),
        ({"gamma": {"mean": 21, "cv": 0}}, ".gamma.cv", "for what never varies write a number"),
        ({"gamma": {"mean": 21, "cv": -1}}, ".gamma.cv", "greater than 0"),
        ({"gamma": {"mean": 21, "cv": 101}}, ".gamma.cv", "less than or equal to 100"),
        ({"weibull": {"mean": 21}}, ".weibull", "give shape and scale, or mean and cv (got mean)"),
        ({"weibull": {"shape": 1, "mean": 2, "cv": 1}}, ".weibull", "(got shape and mean and cv)"),
        ({"lognormal": {"cv": 1}}, ".lognormal", "give mean, or median (got none of them)"),
        ({"uniform": {"min": 6, "max": 5}}, ".uniform", "min must be below max (got 6 and 5)"),
        ({"triangular": {"min": 1, "mode": 7, "max": 5}}, ".triangular", "must ascend (got 1, 7 and 5)"),
        ({"beta": {"mean": 0.86, "sd": 0.4}}, ".beta", "standard deviation must lie between 0.001 and 0.29"),
        ({"beta": {"mean": 3, "cv": 0.1}}, ".beta", "mean must lie between 0 and 1 (got 3)"),
        ({"beta": {"mean": 0.5}}, ".beta", "give cv, or sd (got none of them)"),
        ({"discrete": {"values": [1, 2], "shares": [0.5, 0.4]}}, ".discrete", "must sum to 1 (got 0.9)"),
        ({"discrete": {"values": [1, 1], "shares": [0.5, 0.5]}}, ".discrete", "stands twice"),
        ({"discrete": {"values": [1], "shares": [0.5, 0.5]}}, ".discrete", "one share (got 1 and 2)"),
        ({"discrete": {"values": [1, "x"], "shares": [0.5, 0.5]}}, ".discrete.values.1", "valid number"),
        (
            {"gamma": {"mean": 9, "cv": 1, "at_least": 9, "at_most": 9}},
            ".gamma",
            "leave nothing (from 9 to 9)",
        ),
        ({"exponential": {"mean": 10, "at_least": 2000}}, ".exponential", "under a millionth of the law"),
    ],
    ids=str,
)
def test_a_fault_says_where_and_what(written: object, place: str, message: str) -> None:
    [(where, what)] = faults(written)
    assert where == f"levels.day.stay_days{place}"
    assert message in what


def test_only_a_law_of_days_is_never_negative() -> None:
    assert Level(change=-5).change == Constant(value=-5)
    assert Level.model_validate({"stay_days": {"uniform": {"min": -1, "max": 5, "at_least": 0}}}).stay_days


def test_all_faults_of_a_law_come_at_once() -> None:
    found = faults({"gamma": {"mean": -1, "cv": 500, "sd": 2}})
    assert [where.rpartition(".")[2] for where, _ in found] == ["mean", "cv", "sd"]


def test_the_json_schema_describes_both_forms() -> None:
    for mode in ("validation", "serialization"):
        schema = Level.model_json_schema(mode=mode)
        number, named, null = schema["properties"]["stay_days"]["anyOf"]
        assert null == {"type": "null"}
        assert schema["$defs"]["Constant"]["type"] == "number"
        assert number == {"$ref": "#/$defs/Constant"}
        assert (named["type"], named["minProperties"], named["maxProperties"]) == ("object", 1, 1)
        assert named["additionalProperties"] is False
        assert set(named["properties"]) == LAW_NAMES
        weibull = schema["$defs"]["Weibull"]
        assert set(weibull["properties"]) == {"shape", "scale", "mean", "cv", "at_least", "at_most"}
        assert weibull["oneOf"] == [{"required": ["shape", "scale"]}, {"required": ["mean", "cv"]}]
        assert schema["$defs"]["Gamma"]["required"] == ["mean", "cv"]


# --- data behind an empirical law


def read(folder: Path, column: str = "days", name: str = "stays.csv") -> Law:
    return DAYS.validate_python({"empirical": {"csv": name, "column": column}}, context={"folder": folder})


def refusal(folder: Path, column: str = "days", name: str = "stays.csv") -> tuple[str, str]:
    with pytest.raises(ValidationError) as caught:
        read(folder, column, name)
    [fault] = caught.value.errors()
    return ".".join(map(str, fault["loc"])), fault["msg"].removeprefix("Value error, ")


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfdays,id\r\n30,a\r\n10,b\r\n20.5,c\r\n10,d\r\n",
        b"id;days\na;30\nb;10\n;\nc;20.5\n\nd;10",
        b'"stay, id";"days"\n"a";"30"\n"b";10\nc; 20.5 \nd;1e1\n',
        b"id\tdays\na\t10\nb\t10\nc\t20.5\nd\t30\n",
        b'id;"stay, in days, at discharge";days\na;1;10\nb;2;10\nc;3;20.5\nd;4;30\n',
        b"days\n10\n10\n20.5\n30\n",
    ],
)
def test_the_dialects_of_csv_give_the_same_law(folder: Path, content: bytes) -> None:
    plain = read(folder)
    (folder / "stays.csv").write_bytes(content)
    law = read(folder)
    assert law == plain
    assert law.content_hash == plain.content_hash
    assert len(law.content_hash) == 64


def test_values_take_part_in_equality_and_stay_out_of_the_dump(folder: Path) -> None:
    before = read(folder)
    (folder / "stays.csv").write_text("id,days\na,30\nb,10\nc,20.5\nd,11\n", encoding="utf-8")
    after = read(folder)
    assert before != after
    assert before.content_hash != after.content_hash
    assert DAYS.dump_python(before) == DAYS.dump_python(after)
    assert pickle.loads(pickle.dumps(before)) == before


@pytest.mark.parametrize(
    ("content", "place", "message"),
    [
        ("id,dayz\na,1\n", "column", 'stays.csv:1: column "days" is missing (did you mean "dayz"?)'),
        ("days,days\n1,1\n", "column", 'stays.csv:1: column "days" stands twice'),
        ("id,days\na,1\nb,Smith\nc,2\n", "column", 'stays.csv:3: column "days" is not a number; write'),
        (
            "id,days\n\na,-1\nb,nan\nc,\nd\n",
            "column",
            'stays.csv:3: column "days" is negative (and 3 more such lines)',
        ),
        ("id,days\na,1\nb\n", "column", 'stays.csv:3: column "days" is empty'),
        (
            "days\n10\n1,5\n\n2,5\n2,6\n",
            "csv",
            "stays.csv:3: more cells than headings (and 2 more such lines); put",
        ),
        ("id;days\na;1,5\n", "column", 'stays.csv:2: column "days" is not a number'),
        ("id,days\n", "csv", "stays.csv: no values stand below the headings"),
        ("", "column", 'stays.csv:1: column "days" is missing; the first line is to hold the headings'),
        ("days\n" + "1" * 200_000, "csv", "stays.csv: is no CSV file"),
        (b"d\xe9jours\n1\n", "csv", "stays.csv: is not UTF-8 text"),
        (b"days\n" + b"1\n" * 5_000_000, "csv", "stays.csv: is larger than 10 MB"),
    ],
    ids=range(12),
)
def test_a_fault_of_the_data_names_the_line_and_no_content(
    folder: Path, content: str | bytes, place: str, message: str
) -> None:
    (folder / "stays.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    where, what = refusal(folder)
    assert where == f"empirical.{place}"
    assert what.startswith(message)
    assert "Smith" not in what


def test_the_data_lie_in_the_folder_of_the_scenario(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = folder / "inner"
    inner.mkdir()
    (inner / "link.csv").symlink_to(folder / "stays.csv")
    for name in ("../stays.csv", str(folder / "stays.csv"), "link.csv", "x/../../stays.csv"):
        assert "lies outside the scenario's folder" in refusal(inner, name=name)[1]
    assert "lies outside the scenario's folder" in refusal(folder, name="inner/../stays.csv")[1]
    (inner / "data").mkdir()
    (inner / "data" / "stays.csv").write_text("days\n7\n", encoding="utf-8")
    assert read(inner, name="data/stays.csv").mean == 7.0
    assert (
        'no such file in the scenario\'s folder (did you mean "stays.csv"?)'
        in refusal(folder, name="stay.csv")[1]
    )
    assert "is a folder" in refusal(inner, name="data")[1]
    assert refusal(inner, name="x" * 5000)[0] == "empirical.csv"
    monkeypatch.chdir(folder)
    assert Empirical(csv="stays.csv", column="days") == read(folder)


# --- weight


def test_numpy_and_scipy_stay_out_until_a_law_needs_them() -> None:
    code = (
        "import sys\n"
        "from iopsim.scenario.distributions import Gamma, Lognormal, Weibull\n"
        "for law in (Lognormal(mean=10, cv=1, at_most=60), Weibull(mean=10, cv=1), Gamma(mean=21, cv=0.5)):\n"
        "    law.mean, law.cv\n"
        "assert not {'numpy', 'scipy', 'pandas'} & set(sys.modules)\n"
        "assert Gamma(mean=21, cv=1).quantile(0.5) and 'scipy.special' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
