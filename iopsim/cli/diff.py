"""`iopsim diff`: what differs between two scenarios or results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from iopsim.cli.compare import contender
from iopsim.cli.options import json_option, md_option

if TYPE_CHECKING:
    from iopsim.experiment.differ import Change, Differences, Outcome
    from iopsim.experiment.statistics import Interval

__all__ = ["command"]


@click.command("diff")
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@json_option
@md_option
def command(a: str, b: str, as_json: bool, as_md: bool) -> None:
    """Say what differs between A and B: scenarios, or results folders of finished runs. Nothing is simulated.

    Prints every value that differs in the resolved scenarios; of two results folders, also the metrics that differ, by
    paired intervals where seed, window and model version agree.
    """
    from iopsim.experiment.differ import differ

    found = differ(contender(a), contender(b))
    if as_json:
        import json

        click.echo(json.dumps(_plain(found, a, b), indent=2, ensure_ascii=False, default=str))
        return
    from iopsim.report.differing import as_markdown, print_diff

    if as_md:
        click.echo(as_markdown(found, (a, b)))
        return
    from iopsim.report.console import console

    print_diff(console(), found, (a, b))


def _plain(found: Differences, a: str, b: str) -> dict[str, Any]:
    """The same as plain data; what is not known is null."""

    def changes(listed: tuple[Change, ...]) -> list[dict[str, Any]]:
        return [{"what": change.what, "a": change.a, "b": change.b} for change in listed]

    return {
        "a": a,
        "b": b,
        "simulated_with": changes(found.facts),
        "scenarios": changes(found.changes),
        "same_replications": found.same_replications,
        "results": _results(found.outcome) if found.outcome else None,
    }


def _results(outcome: Outcome) -> dict[str, Any]:
    return {
        "replications": outcome.replications,
        "unpaired": outcome.unpaired,
        "compared": outcome.compared,
        "metrics": [
            {
                "metric": gap.metric,
                "unit": gap.unit,
                "a": _interval(gap.a),
                "b": _interval(gap.b),
                "difference": _interval(gap.difference),
                "by_more_than_chance": gap.by_more_than_chance,
            }
            for gap in outcome.gaps
        ],
        "only_a": outcome.only_a,
        "only_b": outcome.only_b,
    }


def _interval(interval: Interval) -> dict[str, float | None]:
    parts = {"estimate": interval.estimate, "ci_low": interval.low, "ci_high": interval.high}
    return {name: None if part != part else part for name, part in parts.items()}  # noqa: PLR0124  (JSON has no NaN)
