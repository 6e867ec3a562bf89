"""`iopsim metrics`: what is measured, and what each number means."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from iopsim.cli.options import set_option

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from iopsim.errors import InputError
    from iopsim.measures.registry import Metric

__all__ = ["command"]


@click.command("metrics")
@click.argument("words", nargs=-1, metavar="[SCENARIO] [NAME]")
@set_option
def command(words: tuple[str, ...], sets: tuple[str, ...]) -> None:
    """List the metric families, those of SCENARIO by their full names, or explain NAME.

    NAME is a full name such as iop.wait_days.p90 or a part of one such as wait_days; with a SCENARIO too, its full
    names that hold NAME are listed.
    """
    from iopsim.measures.registry import registered

    files = [word for word in words if word.endswith((".yaml", ".yml"))]
    names = [word for word in words if word not in files]
    if len(files) > 1 or len(names) > 1:
        raise click.UsageError("give at most one scenario and one name")
    name = names[0] if names else ""
    if files:
        _list_of_scenario(files[0], sets, name)
        return
    families = list(registered().values())
    for family in _meant(name, families) if name else families:
        statistics = f".{{{','.join(family.statistics)}}}" if family.statistics else ""
        better = "" if family.better == "neither" else f", {family.better} is better"
        click.echo(f"{family.pattern}{statistics}")
        click.echo(f"    {family.unit.replace('{currency}', 'currency')}{better}")
        click.echo(f"    {family.definition}")


def _list_of_scenario(path: str, sets: tuple[str, ...], part: str) -> None:
    from iopsim.experiment.names import reported
    from iopsim.scenario import load

    scenario = load(path, sets)
    entries = reported(scenario)
    found = {name: entry for name, entry in entries.items() if part in name}
    if not found:
        raise _unknown(part, entries)
    for name, entry in found.items():
        click.echo(f"{name}\t{entry.unit_in(scenario)}")


def _meant(name: str, families: Sequence[Metric]) -> list[Metric]:
    """The families that the name is a part of, or of those that it is a full name of the most particular."""
    found = [family for family in families if any(name in words for words in _spoken(family))]
    if not found:
        full = [family for family in families if _is_full_name(name, family)]
        blanks = [family.pattern.count("<") for family in full]
        found = [family for family, number in zip(full, blanks, strict=True) if number == min(blanks)]
    if not found:
        raise _unknown(name, map(_fixed_words, (family.pattern for family in families)))
    return found


def _spoken(family: Metric) -> list[str]:
    """The fixed words of a family, alone and with each statistic."""
    fixed = _fixed_words(family.pattern)
    return [fixed, *(f"{fixed}.{statistic}" for statistic in family.statistics)]


def _fixed_words(pattern: str) -> str:
    """`wait_days` of `<level>[.<track>].wait_days`."""
    return ".".join(word for word in pattern.replace("[", "").replace("]", "").split(".") if word[:1] != "<")


def _is_full_name(name: str, family: Metric) -> bool:
    """Whether the name fills in the blanks of the pattern, with or without one of its statistics."""
    stem = re.sub(r"\[(.*?)\]", r"(\1)?", family.pattern.replace(".", r"\."))
    statistic = "|".join(family.statistics)
    return re.fullmatch(re.sub(r"<\w+>", r"\\w+", stem) + rf"(\.({statistic}))?", name) is not None


def _unknown(name: str, known: Iterable[str]) -> InputError:
    from iopsim.errors import Fault, InputError
    from iopsim.experiment.names import nearest

    near = nearest(name, known)
    hint = f' (did you mean "{near}"?)' if near else "; `iopsim metrics` lists those that exist"
    return InputError(Fault("unknown-metric", f'no metric speaks of "{name}"{hint}'))
