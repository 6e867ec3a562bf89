"""`iopsim schema`: the languages of scenarios and sweeps, for editors that complete and check YAML."""

from __future__ import annotations

import json

import click

__all__ = ["command"]


@click.command("schema")
@click.option("--sweep", is_flag=True, help="That of sweeps instead.")
def command(sweep: bool) -> None:
    """Print the JSON Schema of the scenario language.

    Editors use it to complete and check scenarios; it is shipped as scenarios/scenario.schema.json, and that of sweeps
    as scenarios/sweeps/sweep.schema.json.
    """
    if sweep:
        from iopsim.scenario.sweeps.schema import json_schema
    else:
        from iopsim.scenario.schema import json_schema
    click.echo(json.dumps(json_schema(), indent=2))
