"""`iopsim show`: a scenario as iopsim understands it."""

from __future__ import annotations

import click

from iopsim.cli.options import scenario_argument, set_option

__all__ = ["command"]


@click.command("show")
@scenario_argument
@set_option
@click.option("--resolved", is_flag=True, help="Fill in all defaults.")
def command(scenario: str, sets: tuple[str, ...], resolved: bool) -> None:
    """Print SCENARIO with `extends` and --set carried out; with --resolved, also every default."""
    from iopsim.scenario import load_with_marks, resolved_text
    from iopsim.scenario.file import dump
    from iopsim.scenario.tree import plain

    loaded = load_with_marks(scenario, sets)
    click.echo(resolved_text(loaded.scenario) if resolved else dump(plain(loaded.root)), nl=False)
