"""The laws of chance that a scenario can name.

A law is written as one name with its parameters, or as a bare number when nothing varies:

    stay_days:  {lognormal: {mean: 10, cv: 0.75, at_most: 60}}
    delay_days: 2

Every law is sampled by inverting one uniform, so that a patient keeps their rank when a parameter changes.
`law.py` says what a law is, `families.py` holds them all (a new law is one class there, and everything else
follows), `sample_file.py` reads data for the empirical law (and `csv_file.py` any columns of a file), and
`notation.py` is how a scenario writes one.
"""

from iopsim.scenario.distributions.families import (
    Beta,
    Constant,
    Discrete,
    Empirical,
    Exponential,
    Gamma,
    Lognormal,
    Triangular,
    Uniform,
    Weibull,
)
from iopsim.scenario.distributions.law import Law
from iopsim.scenario.distributions.notation import LAW_NAMES, AnyLaw, DaysLaw

__all__ = [
    "LAW_NAMES",
    "AnyLaw",
    "Beta",
    "Constant",
    "DaysLaw",
    "Discrete",
    "Empirical",
    "Exponential",
    "Gamma",
    "Law",
    "Lognormal",
    "Triangular",
    "Uniform",
    "Weibull",
]
