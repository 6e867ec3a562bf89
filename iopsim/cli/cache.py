"""`iopsim cache`: what is kept of finished replications, and how to be rid of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from iopsim.cli.options import cache_of, cache_option, json_option

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from iopsim.experiment.cache import Kept

__all__ = ["command"]


@click.group("cache")
def command() -> None:
    """Every finished replication is kept, and never simulated again; clearing costs only the time to do so."""


@command.command("info")
@cache_option
@json_option
def info(cache: Path | None, as_json: bool) -> None:
    """Say how many replications are kept, of how many scenarios, and how much room they take."""
    from iopsim.experiment.keys import program_version

    kept = cache_of(cache)
    contents = kept.contents()
    if as_json:
        import json

        versions = [one._asdict() for one in contents]
        known = {"folder": str(kept.root), "program_version": program_version(), "versions": versions}
        click.echo(json.dumps(known, indent=2))
        return
    click.echo(f"{kept.root}: {_said(contents)}")
    for one in contents:
        whose = "this version" if one.program_version == program_version() else "another version, not used"
        click.echo(f"  {one.program_version} ({whose}): {_said([one])}")


@command.command("clear")
@cache_option
@click.option("--stale", is_flag=True, help="Only what other versions of iopsim wrote.")
def clear(cache: Path | None, stale: bool) -> None:
    """Remove what is kept; finished results folders stay as they are."""
    kept = cache_of(cache)
    click.echo(f"{kept.root}: removed {_said(kept.clear(stale_only=stale))}")


def _said(contents: Sequence[Kept]) -> str:
    replications, scenarios = (
        sum(one.replications for one in contents),
        sum(one.scenarios for one in contents),
    )
    if not replications:
        return "nothing"
    size = sum(one.bytes for one in contents) / 1e6
    many = f"{replications:,} replication{'s' * (replications != 1)}"
    return f"{many} of {scenarios:,} scenario{'s' * (scenarios != 1)}, {size:,.1f} MB"
