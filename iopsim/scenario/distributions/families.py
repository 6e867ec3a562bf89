"""The laws. A new one is one class here: its parameters, and how it is inverted.

Source: Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions, vol. 1 (1994) and 2 (1995).
"""

from __future__ import annotations

import math
from abc import abstractmethod
from functools import cache, cached_property, partial
from pathlib import Path
from statistics import NormalDist
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, PrivateAttr, ValidationInfo

from iopsim.scenario.distributions.law import (
    LAWS,
    Atomic,
    Continuous,
    Inverse,
    Number,
    Positive,
    Share,
    Variation,
)
from iopsim.scenario.distributions.sample_file import read_sample

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

    from iopsim.scenario.distributions.law import Inverse

__all__ = [
    "LAWS",
    "Beta",
    "Constant",
    "Discrete",
    "Empirical",
    "Exponential",
    "Gamma",
    "Lognormal",
    "Triangular",
    "Uniform",
    "Weibull",
]

_LEAST_SPREAD = 0.001  # standard deviation over width: narrower beta laws are all rounding
_LEAST_SHAPE = 0.05  # of a beta law: nearly all of a lower one lies on its ends, a discrete law
_LEAST_TAIL = 1e-16  # farther out the inverse of the incomplete beta function may be no number
_standard_normal_inverse = NormalDist().inv_cdf


class Constant(Atomic):
    """Always the same value."""

    bare = "value"

    value: Number

    @property
    def _atoms(self) -> tuple[Sequence[float], Sequence[float]]:
        return (self.value,), (1.0,)


class Discrete(Atomic):
    """A few values, each with its share."""

    values: Annotated[tuple[Number, ...], Field(min_length=1)]
    shares: Annotated[tuple[Share, ...], Field(min_length=1, description="One for each value; sum to 1")]

    def _check(self, info: ValidationInfo) -> None:
        if len(self.values) != len(self.shares):
            raise ValueError(f"give each value one share (got {len(self.values)} and {len(self.shares)})")
        if len(set(self.values)) != len(self.values):
            raise ValueError("a value stands twice; give each once, with its whole share")
        if abs(math.fsum(self.shares) - 1.0) > 1e-6:
            raise ValueError(f"shares must sum to 1 (got {math.fsum(self.shares):.6g})")

    @property
    def _atoms(self) -> tuple[Sequence[float], Sequence[float]]:
        possible = sorted(pair for pair in zip(self.values, self.shares, strict=True) if pair[1])
        return tuple(value for value, _ in possible), tuple(share for _, share in possible)


class Empirical(Atomic):
    """Values of a data file, each as likely as the others.

    They are read at validation from the folder in the context (`{"folder": Path}`), or the current one.
    """

    csv: Annotated[str, Field(min_length=1, description="A file in the scenario's folder")]
    column: Annotated[str, Field(min_length=1, description="The heading of the column with the values")]
    _sample: tuple[float, ...] = PrivateAttr(default=())

    def _check(self, info: ValidationInfo) -> None:
        folder = Path((info.context or {}).get("folder", "."))
        self._sample = read_sample(folder, self.csv, self.column)

    @property
    def _atoms(self) -> tuple[Sequence[float], Sequence[float]]:
        return self._sample, (1,) * len(self._sample)

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of the sorted values: equal for files that give the same law."""
        from hashlib import sha256

        return sha256(" ".join(map(repr, self._sample)).encode()).hexdigest()


class _ByHazard(Continuous):
    """A law whose cumulative hazard at t is (t ÷ scale)^(1 ÷ power)."""

    @property
    @abstractmethod
    def _scale_power(self) -> tuple[float, float]:
        """Scale, and the power to which a unit exponential is raised."""

    @cached_property
    def _inverse(self) -> Inverse:
        return partial(_inverse_by_hazard, *self._scale_power)

    def _above(self, t: float) -> float:
        scale, power = self._scale_power
        return math.exp(-math.exp(min(math.log(t / scale) / power, 700.0)))  # exp(710) overflows

    def hazard_time(self, exponential: float) -> float:
        """In closed form, unless truncated."""
        if self._window is not None:
            return super().hazard_time(exponential)
        return _hazard_time(*self._scale_power, exponential)

    def hazard_time_function(self) -> Callable[[float], float]:
        """`hazard_time` by itself, for whoever asks often."""
        return self.hazard_time if self._window is not None else partial(_hazard_time, *self._scale_power)


def _inverse_by_hazard(scale: float, power: float, p: float, s: float) -> float:
    return scale * math.pow(-math.log1p(-p) if p < s else -math.log(s), power)


def _hazard_time(scale: float, power: float, exponential: float) -> float:
    return scale * math.pow(exponential, power)


class Exponential(_ByHazard):
    """No memory: the hazard is the same at every age."""

    mean_: Positive

    @cached_property
    def _scale_power(self) -> tuple[float, float]:
        return self.mean_, 1.0

    @property
    def _whole(self) -> tuple[float, float]:
        return self.mean_, self.mean_


class Weibull(_ByHazard):
    """A hazard that falls with age (shape below 1, cv above 1) or rises with it."""

    ways = (("shape", "scale"), ("mean", "cv"))

    shape: (
        Annotated[float, Field(strict=True, ge=0.13, le=1000, description="1 is the exponential law")] | None
    ) = None
    scale: Annotated[Positive, Field(description="The age that a share 1/e, 37 %, exceed")] | None = None
    mean_: Positive | None = None
    cv_: Variation | None = None

    @cached_property
    def _scale_power(self) -> tuple[float, float]:
        if self.shape is not None and self.scale is not None:
            return self.scale, 1.0 / self.shape
        assert self.mean_ is not None and self.cv_ is not None  # the other of the two ways
        power = _weibull_power(self.cv_)
        return self.mean_ / math.gamma(1.0 + power), power

    @property
    def _whole(self) -> tuple[float, float]:
        scale, power = self._scale_power
        mean = scale * math.gamma(1.0 + power)
        return mean, mean * math.sqrt(math.expm1(_weibull_log_spread(power)))


class Lognormal(Continuous):
    """The logarithm is normal: many short, a few very long."""

    ways = (("mean",), ("median",))

    mean_: Positive | None = None
    median: Positive | None = None
    cv_: Variation

    @cached_property
    def _mu_sigma(self) -> tuple[float, float]:
        variance = math.log1p(self.cv_**2)
        if self.median is not None:
            return math.log(self.median), math.sqrt(variance)
        assert self.mean_ is not None  # the other of the two ways
        return math.log(self.mean_) - variance / 2.0, math.sqrt(variance)

    @property
    def _whole(self) -> tuple[float, float]:
        mu, sigma = self._mu_sigma
        mean = self.mean_ or math.exp(mu + sigma**2 / 2.0)
        return mean, mean * self.cv_

    @cached_property
    def _inverse(self) -> Inverse:
        return partial(_inverse_lognormal, *self._mu_sigma)

    def _above(self, t: float) -> float:
        mu, sigma = self._mu_sigma
        return 0.5 * math.erfc((math.log(t) - mu) / (sigma * math.sqrt(2.0)))


def _inverse_lognormal(mu: float, sigma: float, p: float, s: float) -> float:
    return math.exp(mu + sigma * (_standard_normal_inverse(p) if p < s else -_standard_normal_inverse(s)))


class Gamma(Continuous):
    """A sum of exponential phases when 1 ÷ cv² is whole; above cv 1 most values are near 0."""

    mean_: Positive
    cv_: Variation

    @cached_property
    def _shape_scale(self) -> tuple[float, float]:
        return self.cv_**-2, self.mean_ * self.cv_**2

    @property
    def _whole(self) -> tuple[float, float]:
        return self.mean_, self.mean_ * self.cv_

    @cached_property
    def _inverse(self) -> Inverse:
        return partial(_inverse_gamma, *self._shape_scale)

    def _above(self, t: float) -> float:
        shape, scale = self._shape_scale
        above: float = _special().gammaincc(shape, t / scale)
        return above


def _inverse_gamma(shape: float, scale: float, p: float, s: float) -> float:
    phases: float = _special().gammaincinv(shape, p) if p < s else _special().gammainccinv(shape, s)
    return scale * phases


class Uniform(Continuous):
    """Every value of an interval equally likely."""

    min_: Number
    max_: Number

    @property
    def _range(self) -> tuple[float, float]:
        return self.min_, self.max_

    def _check(self, info: ValidationInfo) -> None:
        if self.min_ >= self.max_:
            raise ValueError(f"min must be below max (got {self.min_:g} and {self.max_:g})")
        super()._check(info)

    @property
    def _whole(self) -> tuple[float, float]:
        return (self.min_ + self.max_) / 2.0, (self.max_ - self.min_) / math.sqrt(12.0)

    @cached_property
    def _inverse(self) -> Inverse:
        return partial(_inverse_uniform, self.min_, self.max_)

    def _above(self, t: float) -> float:
        return (self.max_ - t) / (self.max_ - self.min_)


def _inverse_uniform(least: float, most: float, p: float, s: float) -> float:
    return least * s + most * p


class Triangular(Continuous):
    """Between a least and a greatest value, with the most likely one known: an expert's guess."""

    min_: Number
    mode: Number
    max_: Number

    @property
    def _range(self) -> tuple[float, float]:
        return self.min_, self.max_

    def _check(self, info: ValidationInfo) -> None:
        if not (self.min_ <= self.mode <= self.max_ and self.min_ < self.max_):
            raise ValueError(
                f"min, mode and max must ascend (got {self.min_:g}, {self.mode:g} and {self.max_:g})"
            )
        super()._check(info)

    @property
    def _whole(self) -> tuple[float, float]:
        left, right = self.mode - self.min_, self.max_ - self.mode
        mean = (self.min_ + self.mode + self.max_) / 3.0
        return mean, math.sqrt((left**2 + left * right + right**2) / 18.0)

    @cached_property
    def _inverse(self) -> Inverse:
        return partial(_inverse_triangular, self.min_, self.mode, self.max_)

    def _above(self, t: float) -> float:
        width, left, right = self.max_ - self.min_, self.mode - self.min_, self.max_ - self.mode
        if t < self.mode:
            return 1.0 - (t - self.min_) ** 2 / (width * left)
        return (self.max_ - t) ** 2 / (width * right)


def _inverse_triangular(least: float, mode: float, most: float, p: float, s: float) -> float:
    width, left, right = most - least, mode - least, most - mode
    if p * width < left:
        return least + math.sqrt(p * width * left)
    return most - math.sqrt(s * width * right)


class Beta(Continuous):
    """A share that differs from one to the next, or another quantity between `min` and `max`."""

    ways = (("cv",), ("sd",))

    mean_: Number
    cv_: Variation | None = None
    sd_: Annotated[Positive, Field(description="Standard deviation")] | None = None
    min_: Number = 0.0
    max_: Number = 1.0

    @property
    def _range(self) -> tuple[float, float]:
        return self.min_, self.max_

    def _check(self, info: ValidationInfo) -> None:
        if not self.min_ < self.mean_ < self.max_:
            raise ValueError(
                f"mean must lie between {self.min_:g} and {self.max_:g} (got {self.mean_:g}); "
                "on another scale than 0 to 1 give min and max"
            )
        sd, least = self._whole[1], _LEAST_SPREAD * (self.max_ - self.min_)
        left, right = self.mean_ - self.min_, self.max_ - self.mean_
        most = math.sqrt(left * right / (1.0 + _LEAST_SHAPE * (left + right) / min(left, right)))
        if not least <= sd <= most:
            raise ValueError(
                f"the standard deviation must lie between {least:g} and {most:g} for this mean (got {sd:g})"
            )
        super()._check(info)

    @cached_property
    def _shapes(self) -> tuple[float, float]:
        width = self.max_ - self.min_
        mean, sd = (self.mean_ - self.min_) / width, self._whole[1] / width
        both = mean * (1.0 - mean) / sd**2 - 1.0
        return mean * both, (1.0 - mean) * both

    @property
    def _whole(self) -> tuple[float, float]:
        return self.mean_, self.sd_ if self.sd_ is not None else (self.cv_ or 0.0) * abs(self.mean_)

    @cached_property
    def _inverse(self) -> Inverse:
        return partial(_inverse_beta, *self._shapes, self.min_, self.max_)

    def _above(self, t: float) -> float:
        a, b = self._shapes
        above: float = _special().betaincc(a, b, (t - self.min_) / (self.max_ - self.min_))
        return above


def _inverse_beta(a: float, b: float, least: float, most: float, p: float, s: float) -> float:
    p, s, special = max(p, _LEAST_TAIL), max(s, _LEAST_TAIL), _special()
    unit: float = special.betaincinv(a, b, p) if p < s else special.betainccinv(a, b, s)
    return least + (most - least) * unit


@cache
def _special() -> ModuleType:
    """The incomplete gamma and beta functions for single Python floats, loaded when one is drawn from."""
    from scipy.special import cython_special

    return cython_special


def _weibull_log_spread(power: float) -> float:
    """log(1 + cv²) of a Weibull law of shape 1 ÷ `power`."""
    return math.lgamma(1.0 + 2.0 * power) - 2.0 * math.lgamma(1.0 + power)


def _weibull_power(cv: float) -> float:
    """1 ÷ shape of the Weibull law with this `cv`, halving the interval until no float lies within."""
    low, high, aim = 0.0, 10.0, math.log1p(cv**2)
    while low < (middle := (low + high) / 2.0) < high:
        low, high = (middle, high) if _weibull_log_spread(middle) < aim else (low, middle)
    return high
