"""`iopsim metrics`: what is measured, and what each number means."""

from __future__ import annotations

import click

from iopsim.cli.options import set_option

__all__ = ["command"]


@click.command("metrics")
@click.argument("words", nargs=-1, metavar="[SCENARIO] [NAME]")
@set_option
def command(words: tuple[str, ...], sets: tuple[str, ...]) -> None:
    """List the metric families, those of SCENARIO by their full names, or explain NAME.

    NAME is a full name such as iop.wait_days.p90 or a part of one such as wait_days.
    """
    from iopsim.errors import Fault, InputError
    from iopsim.measures.registry import registered

    files = [word for word in words if word.endswith((".yaml", ".yml"))]
    names = [word for word in words if word not in files]
    if len(files) > 1 or len(names) > 1:
        raise click.UsageError("give at most one scenario and one name")
    if files and not names:
        _list_of_scenario(files[0], sets)
        return
    families = list(registered().values())
    if names:
        wanted = names[0]
        families = [family for family in families if _speaks_of(family.pattern, wanted)]
        if not families:
            known = ", ".join(sorted({_head(family.pattern) for family in registered().values()}))
            raise InputError(Fault("unknown-metric", f'no metric speaks of "{wanted}"; there are: {known}'))
    for family in families:
        statistics = f".{{{','.join(family.statistics)}}}" if family.statistics else ""
        better = "" if family.better == "neither" else f", {family.better} is better"
        click.secho(f"{family.pattern}{statistics}", bold=True)
        click.echo(f"    {family.unit}{better}")
        click.echo(f"    {family.definition}")


def _list_of_scenario(path: str, sets: tuple[str, ...]) -> None:
    from iopsim.experiment.names import reported
    from iopsim.scenario import load

    for name, entry in reported(scenario := load(path, sets)).items():
        click.echo(f"{name}\t{entry.unit_in(scenario)}")


def _head(pattern: str) -> str:
    """The fixed words of a pattern: `wait_days` of `<level>[.<track>].wait_days`."""
    return ".".join(word for word in pattern.replace("[", "").replace("]", "").split(".") if word[:1] != "<")


def _speaks_of(pattern: str, wanted: str) -> bool:
    """Whether a full or partial name is of the family: all fixed words of the pattern stand in it, or it in them."""
    fixed = _head(pattern)
    return wanted in fixed or f".{fixed}" in f".{wanted}".rsplit("=", maxsplit=1)[0]
