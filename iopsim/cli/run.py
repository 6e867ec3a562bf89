"""`iopsim run`: simulate a scenario and write its results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from iopsim.cli.options import scenario_argument, set_option

if TYPE_CHECKING:
    from iopsim.cli.progress import Reporter
    from iopsim.experiment.store import Run
    from iopsim.experiment.summary import Estimate
    from iopsim.scenario.schema import Scenario

__all__ = ["command"]


@click.command("run")
@scenario_argument
@set_option
@click.option(
    "--replications",
    type=click.IntRange(1, 1_000_000),
    help="How many replications, instead of the scenario's.",
)
@click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), help="Seed of all chance, instead of the scenario's."
)
@click.option("--out", type=click.Path(path_type=Path), help="Results folder to write; must not exist.")
@click.option("--workers", type=click.IntRange(1), help="Processes that simulate (default: one per core).")
@click.option("--events", is_flag=True, help="Also write every event of every patient (events.csv.gz).")
@click.option("--no-figures", is_flag=True, help="Do not draw figures.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON instead of a table.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors and the results folder.")
def command(
    scenario: str,
    sets: tuple[str, ...],
    replications: int | None,
    seed: int | None,
    out: Path | None,
    workers: int | None,
    events: bool,
    no_figures: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Simulate SCENARIO: warm-up, measured window and run-out, in all replications, on all cores.

    Prints the answers and writes them with figures to results/<scenario>/. Ctrl-C keeps what has finished; the same
    command completes it. Nothing of --workers, --events, --no-figures, --json and --quiet changes a result.
    """
    from iopsim.cli.options import load, with_run_options
    from iopsim.cli.progress import Reporter

    plan = load(scenario, with_run_options(sets, replications, seed)).scenario
    reporter = Reporter(quiet=quiet or as_json)
    reporter.warn_about(plan)
    run, found = _simulate(plan, out, workers, events, not no_figures, reporter)
    if as_json:
        click.echo(_as_json(plan, run.path, found))
    elif quiet:
        click.echo(run.path)
    else:
        from iopsim.report.console import console, print_summary

        screen = console()
        print_summary(screen, plan, found)
        screen.print(f"results: {run.path}", soft_wrap=True)


def _simulate(
    plan: Scenario, out: Path | None, workers: int | None, events: bool, figures: bool, reporter: Reporter
) -> tuple[Run, list[Estimate]]:
    from iopsim.experiment.executors import default_workers
    from iopsim.experiment.run import complete, key_of, write_events, write_tables
    from iopsim.experiment.store import open_run
    from iopsim.model import MODEL_VERSION

    number = workers or default_workers()
    about = {"model_version": MODEL_VERSION, "seed": plan.run.seed, "workers": number, "events": events}
    opened = open_run(
        Path("results"), plan.name, key_of(plan), replications=plan.run.replications, out=out, about=about
    )
    with opened as run:
        with reporter.progress(plan.name) as progress:
            replications = complete(plan, run, workers=number, progress=progress)
        found = write_tables(plan, run, replications)
        if events:
            write_events(plan, run, workers=number)
        if figures:
            reporter.say("drawing figures")
            from iopsim.report.figures import draw_all

            for name, content in draw_all(run.folder):
                run.write(f"figures/{name}", content)
        run.finish()
    return run, found


def _as_json(plan: Scenario, folder: Path, found: list[Estimate]) -> str:
    import json

    from iopsim.experiment.summary import flags, limiting, summary_rows

    columns, rows = summary_rows(found)
    summary = {
        "scenario": plan.name,
        "results": str(folder),
        "metrics": [dict(zip(columns, map(_plain, row), strict=True)) for row in rows],
        "notes": flags(found, plan),
        "limits": limiting(found, plan),
    }
    return json.dumps(summary, indent=2, ensure_ascii=False)


def _plain(value: object) -> object:
    """JSON knows no NaN."""
    return None if isinstance(value, float) and value != value else value  # noqa: PLR0124
