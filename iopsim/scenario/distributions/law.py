"""What a law of chance is: its base, and the two kinds, with a density and with separate values."""

from __future__ import annotations

import inspect
import math
from abc import abstractmethod
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from functools import cached_property, partial
from itertools import accumulate
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    ValidationInfo,
    model_validator,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

__all__ = ["LAWS", "Atomic", "Continuous", "Inverse", "Law", "Number", "Positive", "Share", "Variation"]

Inverse = Callable[[float, float], float]

LAWS: dict[str, type[Law]] = {}
"""Every law by its name."""

_LARGEST = 1e12  # beyond every quantity of a clinic, and far below where arithmetic overflows
_LEAST_CV = 0.001  # below it, differences of nearly equal numbers would be all rounding
_LEAST_KEPT = 1e-6  # the share that a truncation must leave, or rounding would shape the rest
_TINY = math.ulp(0.0)  # stands for a probability of 0, where a quantile may be infinite


def _check_variation(cv: object) -> object:
    if isinstance(cv, int | float) and not isinstance(cv, bool) and 0 <= cv < _LEAST_CV:
        raise ValueError(
            f"must be at least {_LEAST_CV:g} (got {cv:g}); for what never varies write a number, such as 10"
        )
    return cv


Number = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=-_LARGEST, le=_LARGEST)]
Positive = Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0, le=_LARGEST)]
Share = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0, le=1)]
Variation = Annotated[
    float,
    Field(strict=True, allow_inf_nan=False, gt=0, le=100, description="Standard deviation over mean"),
    BeforeValidator(_check_variation),
]


class Law(BaseModel):
    """A law of chance.

    A field with a trailing underscore is what was written where the law has a quantity of that name:
    `mean_` is the mean before truncation, `mean` the law's own.

    Attributes:
        name: How a scenario calls it.
        ways: The sets of parameters of which exactly one must be given.
        bare: The parameter that is written without its name, for a law that has no other.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=lambda field: field.rstrip("_"))

    name: ClassVar[str]
    ways: ClassVar[tuple[tuple[str, ...], ...]] = ()
    bare: ClassVar[str | None] = None

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        if not inspect.isabstract(cls):
            cls.name = cls.__name__.lower()
            LAWS[cls.name] = cls

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema: JsonSchemaValue = handler.resolve_ref_schema(handler(core))
        if cls.bare:
            schema = {"description": schema["description"], **schema["properties"][cls.bare]}
        if cls.ways:
            schema["oneOf"] = [{"required": list(way)} for way in cls.ways]
        return schema

    @model_validator(mode="after")
    def _validate(self, info: ValidationInfo) -> Self:
        given = tuple(key for key in self._given() if any(key in way for way in self.ways))
        if self.ways and given not in self.ways:
            ways = ", or ".join(" and ".join(way) for way in self.ways)
            raise ValueError(f"give {ways} (got {' and '.join(given) or 'none of them'})")
        self._check(info)
        return self

    def _check(self, info: ValidationInfo) -> None:
        """Raise ValueError when parameters that are each in range make no law together."""

    @classmethod
    def parameters(cls) -> dict[str, str]:
        """The parameters as a scenario calls them, the truncation last, each with its field here."""
        fields = sorted(cls.model_fields, key=lambda field: field.startswith("at_"))
        return {field.rstrip("_"): field for field in fields}

    def _given(self) -> dict[str, Any]:
        fields = type(self).model_fields
        written = {key: (getattr(self, field), fields[field]) for key, field in self.parameters().items()}
        return {key: value for key, (value, field) in written.items() if value != field.default}

    def written(self) -> dict[str, Any]:
        """The law as a scenario writes it: its name, and the parameters that were given."""
        given = {key: list(got) if isinstance(got, tuple) else got for key, got in self._given().items()}
        return {self.name: given[self.bare] if self.bare else given}

    @property
    @abstractmethod
    def support(self) -> tuple[float, float]:
        """The smallest and the largest value that can occur."""

    @property
    @abstractmethod
    def _moments(self) -> tuple[float, float]:
        """Mean and standard deviation."""

    @property
    def mean(self) -> float:
        """The mean, after truncation."""
        return self._moments[0]

    @property
    def sd(self) -> float:
        """The standard deviation, after truncation."""
        return self._moments[1]

    @property
    def cv(self) -> float:
        """Standard deviation over mean, after truncation; infinite for a law that varies around 0."""
        mean, sd = self._moments
        return 0.0 if sd == 0.0 else sd / abs(mean) if mean else math.inf

    @abstractmethod
    def quantile(self, u: float) -> float:
        """The value that an outcome exceeds with probability 1 − `u`: one uniform in (0, 1), inverted."""

    @abstractmethod
    def survival(self, t: float) -> float:
        """The probability of more than `t`."""

    def hazard_time(self, exponential: float) -> float:
        """Where the cumulative hazard, −log of the survival, reaches a unit `exponential`."""
        return self.quantile(-math.expm1(-exponential))

    def quantile_function(self) -> Callable[[float], float]:
        """`quantile` by itself, for whoever asks often: what does not depend on `u` is looked up here."""
        return self.quantile

    def hazard_time_function(self) -> Callable[[float], float]:
        """`hazard_time` by itself, in the same way."""
        return self.hazard_time


class Atomic(Law):
    """A law of separate values."""

    @property
    @abstractmethod
    def _atoms(self) -> tuple[Sequence[float], Sequence[float]]:
        """The values, ascending, and their weights, in any unit."""

    @cached_property
    def _steps(self) -> tuple[list[float], list[float]]:
        """The values, ascending, and the probability of not exceeding each."""
        values, weights = self._atoms
        cumulative = list(accumulate(weights))
        return list(values), [weight / cumulative[-1] for weight in cumulative]

    @property
    def support(self) -> tuple[float, float]:
        """The first and the last value."""
        values = self._atoms[0]
        return values[0], values[-1]

    @cached_property
    def _moments(self) -> tuple[float, float]:
        values, weights = self._atoms
        return _mean_and_sd(values, weights)

    def quantile(self, u: float) -> float:
        """The first value whose cumulative probability reaches `u`."""
        values, cumulative = self._steps
        return values[bisect_left(cumulative, u)]

    def survival(self, t: float) -> float:
        """The weight of the values above `t`."""
        values, cumulative = self._steps
        passed = bisect_right(values, t)
        return 1.0 - cumulative[passed - 1] if passed else 1.0


class Continuous(Law):
    """A law with a density, which `at_least` and `at_most` may truncate.

    Truncation conditions on the window [a, b]: quantile(u) = F⁻¹(F(a) + u (F(b) − F(a))), still one uniform.
    """

    at_least: Number | None = Field(
        None, description="Smaller values cannot occur; mean and cv are without this"
    )
    at_most: Number | None = Field(
        None, description="Larger values cannot occur; mean and cv are without this"
    )

    @property
    @abstractmethod
    def _inverse(self) -> Inverse:
        """Gives the value with probability `p` below and `s` = 1 − `p` above it, before truncation.

        Both are passed since the smaller one is exact where the other is rounded.
        """

    @abstractmethod
    def _above(self, t: float) -> float:
        """The probability of more than a `t` within the range, before truncation."""

    @property
    @abstractmethod
    def _whole(self) -> tuple[float, float]:
        """Mean and standard deviation before truncation."""

    @property
    def _range(self) -> tuple[float, float]:
        """The support before truncation."""
        return 0.0, math.inf

    @cached_property
    def support(self) -> tuple[float, float]:
        """The range of the law within its truncation."""
        low, high = self._range
        return (
            low if self.at_least is None else max(low, self.at_least),
            high if self.at_most is None else min(high, self.at_most),
        )

    @cached_property
    def _window(self) -> tuple[float, float, float] | None:
        """The probabilities before, within and beyond the truncation; None when it cuts nothing."""
        low, high = self.support
        if (low, high) == self._range:
            return None
        above_low, above_high = self._tail(low), self._tail(high)
        return 1.0 - above_low, above_low - above_high, above_high

    def _check(self, info: ValidationInfo) -> None:
        low, high = self.support
        if low >= high:
            raise ValueError(f"at_least and at_most leave nothing (from {low:g} to {high:g}); exchange them")
        if self._window and self._window[1] < _LEAST_KEPT:
            raise ValueError(
                f"at_least and at_most leave under a millionth of the law (from {low:g} to {high:g}, "
                f"mean {self._whole[0]:g} without them); check the unit"
            )

    @cached_property
    def _moments(self) -> tuple[float, float]:
        return _integrate(self._within) if self._window else self._whole

    def _tail(self, t: float) -> float:
        low, high = self._range
        return 1.0 if t <= low else 0.0 if t >= high else self._above(t)

    def _within(self, p: float, s: float) -> float:
        """`_inverse` within the truncation."""
        if self._window is None:
            return self._inverse(p or _TINY, s or _TINY)
        before, kept, beyond = self._window
        low, high = self.support
        return min(max(self._inverse(before + p * kept or _TINY, beyond + s * kept or _TINY), low), high)

    def quantile(self, u: float) -> float:
        """The distribution function inverted, within the truncation."""
        return self._within(u, 1.0 - u)

    def quantile_function(self) -> Callable[[float], float]:
        """`quantile` by itself, for whoever asks often: what does not depend on `u` is looked up here."""
        return partial(_quantile, self._inverse) if self._window is None else self.quantile

    def survival(self, t: float) -> float:
        """The probability of more than `t`, given that it lies within the truncation."""
        if self._window is None:
            return self._tail(t)
        _, kept, beyond = self._window
        return min(max((self._tail(t) - beyond) / kept, 0.0), 1.0)

    def hazard_time(self, exponential: float) -> float:
        """The survival inverted, exact into the far tail where 1 − exp(−e) is rounded to 1."""
        return self._within(-math.expm1(-exponential), math.exp(-exponential))


def _quantile(inverse: Inverse, u: float) -> float:
    return inverse(u or _TINY, 1.0 - u or _TINY)


def _mean_and_sd(values: Sequence[float], weights: Sequence[float]) -> tuple[float, float]:
    total = math.fsum(weights)
    mean = math.fsum(w * x for x, w in zip(values, weights, strict=True)) / total
    squares = math.fsum(w * (x - mean) ** 2 for x, w in zip(values, weights, strict=True))
    return mean, math.sqrt(squares / total)


def _integrate(inverse: Callable[[float, float], float]) -> tuple[float, float]:
    """Mean and standard deviation by integrating the quantile function over (0, 1).

    The double-exponential rule reaches both ends within 1e-270, so that a heavy tail is not cut.

    Source: Takahasi and Mori (1974), Double exponential formulas for numerical integration.
    """
    values, weights = [], []
    for step in range(-192, 193):
        y = math.pi * math.sinh(step / 32)
        p, s = 1.0 / (1.0 + math.exp(-y)), 1.0 / (1.0 + math.exp(y))
        values.append(inverse(p, s))
        weights.append(math.cosh(step / 32) * p * s)
    return _mean_and_sd(values, weights)
