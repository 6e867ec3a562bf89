"""Arguments and options that several commands share, and what stands behind them."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor

    from iopsim.experiment.cache import Cache
    from iopsim.scenario.load import Loaded

__all__ = [
    "RESULTS",
    "at_work",
    "cache_of",
    "cache_option",
    "dask_option",
    "figures_option",
    "json_option",
    "load",
    "md_option",
    "out_option",
    "parts_option",
    "precision_option",
    "quiet_option",
    "replications_option",
    "scenario_argument",
    "seed_option",
    "set_option",
    "shard_option",
    "with_run_options",
    "workers_option",
]

RESULTS = Path("results")
_CACHE = ".cache"


class _Precision(click.ParamType[float]):
    """`5%` or `0.05`: a share between 0 and 1."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        text = str(value)
        try:
            share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        except ValueError:
            share = 0.0
        if not 0 < share < 1:
            self.fail(f"expected a share such as 5% or 0.05 (got {text})", param, ctx)
        return share


class _Shard(click.ParamType[tuple[int, int]]):
    """`2/8`: the second of eight parts."""

    name = "i/n"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        number, _, of = str(value).partition("/")
        if not (number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of) <= 1_000_000):
            self.fail(f"expected i/n with i from 1 to n, such as 2/8 (got {value})", param, ctx)
        return int(number), int(of)


scenario_argument = click.argument("scenario", metavar="SCENARIO")
set_option = click.option(
    "--set",
    "sets",
    multiple=True,
    metavar="PATH=VALUE",
    help="Change one value, as in levels.iop.places=14; may be repeated.",
)
replications_option = click.option(
    "--replications",
    type=click.IntRange(1, 1_000_000),
    help="How many replications, instead of the scenario's; with --precision, at most so many.",
)
precision_option = click.option(
    "--precision",
    type=_Precision(),
    metavar="SHARE",
    help="Replications until the targets' intervals are so narrow, as in 5%.",
)
seed_option = click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), help="Seed of all chance, instead of the scenario's."
)
workers_option = click.option(
    "--workers", type=click.IntRange(1), help="Processes that simulate (default: one per core)."
)
dask_option = click.option(
    "--dask", metavar="ADDRESS", help='Simulate on a Dask cluster, as in tcp://head:8786; or "local".'
)
cache_option = click.option(
    "--cache",
    type=click.Path(path_type=Path),
    envvar="IOPSIM_CACHE",
    help=f"Folder that keeps every finished replication (default: {RESULTS / _CACHE}).",
)
shard_option = click.option(
    "--shard", type=_Shard(), metavar="I/N", help="Simulate one part of N only; `iopsim merge` joins them."
)
parts_option = click.option(  # what `iopsim merge` hands over
    "--part", "parts", multiple=True, type=click.Path(path_type=Path), hidden=True
)
out_option = click.option(
    "--out", type=click.Path(path_type=Path), help="Results folder to write; must not exist."
)
figures_option = click.option("--no-figures", is_flag=True, help="Do not draw figures.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
md_option = click.option("--md", "as_md", is_flag=True, help="Print Markdown instead of text.")
quiet_option = click.option("--quiet", is_flag=True, help="Print nothing but errors and the results folder.")


def load(path: str, sets: tuple[str, ...]) -> Loaded:
    """Read a scenario and check that every metric it names exists.

    Raises:
        InputError: With all faults.
    """
    from iopsim.errors import InputError
    from iopsim.experiment.names import check_names
    from iopsim.scenario import load_with_marks

    loaded = load_with_marks(path, sets)
    faults = []
    for wrong in check_names(loaded.scenario):
        hint = f' (did you mean "{wrong.suggestion}"?)' if wrong.suggestion else ""
        message = f'no metric "{wrong.name}"{hint}; `iopsim metrics {path}` lists those of this scenario'
        faults.append(loaded.fault("unknown-metric", wrong.path, message))
    if faults:
        raise InputError(*faults)
    return loaded


def with_run_options(
    sets: tuple[str, ...], replications: int | None, precision: float | None, seed: int | None
) -> tuple[str, ...]:
    """The --set assignments, with those that --replications, --precision and --seed stand for.

    --precision adds a rule to a scenario that has a number, and changes the rule of one that has a rule.
    """
    if precision is not None:
        most = (
            {}
            if replications is None
            else {"min": min(20, max(2, replications)), "max": max(2, replications)}
        )
        rule = ", ".join(f"{key}: {value}" for key, value in {**most, "precision": precision}.items())
        sets = (*sets, f"run.replications={{{rule}}}")
    elif replications is not None:
        sets = (*sets, f"run.replications={replications}")
    return sets if seed is None else (*sets, f"run.seed={seed}")


def cache_of(folder: Path | None) -> Cache:
    """Where replications are kept."""
    from iopsim.experiment.cache import Cache

    return Cache(folder or RESULTS / _CACHE)


@contextmanager
def at_work(workers: int | None, dask: str | None, cache: Path | None) -> Iterator[tuple[Cache, Executor]]:
    """Where replications are kept, and who simulates those that are not there yet."""
    from iopsim.experiment.executors import open_executor

    with open_executor(workers, dask) as executor:
        yield cache_of(cache), executor
