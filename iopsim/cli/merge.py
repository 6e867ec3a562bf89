"""`iopsim merge`: the parts that --shard made, joined to what one machine would have written."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import click

from iopsim.cli.judging import judging_options
from iopsim.cli.options import (
    cache_option,
    figures_option,
    json_option,
    out_option,
    precision_option,
    quiet_option,
    replications_option,
    seed_option,
    set_option,
)

__all__ = ["command"]


@click.command("merge")
@click.argument("file", metavar="FILE")
@click.argument("parts", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PART PART…")
@set_option
@replications_option
@precision_option
@seed_option
@out_option
@cache_option
@figures_option
@judging_options
@json_option
@quiet_option
@click.pass_context
def command(ctx: click.Context, /, file: str, seed: int | None, **options: Any) -> object:
    """Join all PARTs of FILE, a scenario or a sweep, that `--shard` made on other machines.

    Give FILE and the options that change results as the parts were made with. Parts that lack, or belong to something
    else, are named. What is written is what one machine would have written, byte for byte.
    """
    from iopsim.scenario.sweeps import is_sweep

    if is_sweep(file):
        if seed is not None:
            raise click.UsageError("a sweep has the seed of its base; give --set run.seed=…")
        name, options["sweep"] = "sweep", file
    else:
        name, options["scenario"], options["seed"] = "run", file, seed
    return ctx.invoke(importlib.import_module(f"iopsim.cli.{name}").command, **options)
