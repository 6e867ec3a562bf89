"""`iopsim schema`: the scenario language for editors that complete and check YAML."""

from __future__ import annotations

import json

import click

__all__ = ["command"]


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of the scenario language.

    Editors use it to complete and check scenarios; it is shipped as scenarios/scenario.schema.json.
    """
    from iopsim.scenario.schema import json_schema

    click.echo(json.dumps(json_schema(), indent=2))
