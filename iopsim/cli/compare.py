"""`iopsim compare`: plans side by side, with the same patients in each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from iopsim.cli.options import set_option

if TYPE_CHECKING:
    from iopsim.experiment.compare import Difference
    from iopsim.experiment.store import Run
    from iopsim.measures.registry import Outcome
    from iopsim.scenario.schema import Scenario

__all__ = ["command"]


@click.command("compare")
@click.argument("scenarios", nargs=-1, required=True, metavar="SCENARIO SCENARIO…")
@set_option
@click.option(
    "--metric", "metrics", multiple=True, metavar="NAME", help="Compare this metric too; may be repeated."
)
@click.option("--replications", type=click.IntRange(1, 1_000_000), help="How many replications of each plan.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Seed of all chance.")
@click.option("--workers", type=click.IntRange(1), help="Processes that simulate (default: one per core).")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder for the table and the figure; must not exist."
)
@click.option("--no-figures", is_flag=True, help="Do not draw the figure.")
@click.option("--json", "as_json", is_flag=True, help="Print the differences as JSON instead of a table.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors and the results folder.")
def command(
    scenarios: tuple[str, ...],
    sets: tuple[str, ...],
    metrics: tuple[str, ...],
    replications: int | None,
    seed: int | None,
    workers: int | None,
    out: Path | None,
    no_figures: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Simulate each SCENARIO with the same patients and print what differs from the first one.

    Compares the metrics of the first scenario's targets, and those given with --metric. --set changes every plan.
    """
    from iopsim.cli.options import load, with_run_options
    from iopsim.experiment.compare import comparable, compare

    assignments = with_run_options(sets, replications, seed)
    plans = _by_name([load(path, assignments).scenario for path in scenarios], scenarios)
    with _opened(plans, comparable(plans, metrics), out) as run:
        outcomes = _simulate(plans, workers, quiet=quiet or as_json)
        differences = compare(plans, outcomes, metrics)
        folder = _write(run, plans, differences, figures=not no_figures)
    if as_json:
        click.echo(_as_json(differences))
    elif quiet:
        click.echo(folder)
    else:
        from iopsim.report.console import console, print_differences

        screen = console()
        print_differences(screen, next(iter(plans)), differences)
        screen.print(f"results: {folder}", soft_wrap=True)


def _by_name(plans: list[Scenario], paths: tuple[str, ...]) -> dict[str, Scenario]:
    """The plans by their names; by their files where two have one name."""
    names = [plan.name for plan in plans]
    labels = [name if names.count(name) == 1 else path for name, path in zip(names, paths, strict=True)]
    if len(set(labels)) < len(labels):
        from iopsim.errors import Fault, InputError

        raise InputError(Fault("same-plan", "the same file is given twice; give each plan once"))
    return dict(zip(labels, plans, strict=True))


def _simulate(
    plans: dict[str, Scenario], workers: int | None, *, quiet: bool
) -> dict[str, list[dict[str, Outcome]]]:
    from iopsim.cli.progress import Reporter
    from iopsim.experiment.executors import default_workers
    from iopsim.experiment.run import simulate_all

    reporter = Reporter(quiet=quiet)
    outcomes = {}
    for name, plan in plans.items():
        with reporter.progress(name) as progress:
            replications = simulate_all(plan, workers=workers or default_workers(), progress=progress)
        outcomes[name] = [dict(replication.outcomes) for replication in replications]
    return outcomes


def _opened(plans: dict[str, Scenario], metrics: tuple[str, ...], out: Path | None) -> Run:
    """The folder of the comparison; opened first, so that one that cannot be written is told at once."""
    from iopsim.experiment.run import key_of
    from iopsim.experiment.store import open_run, run_key
    from iopsim.model import MODEL_VERSION

    run = next(iter(plans.values())).run
    identity = {name: key_of(plan) for name, plan in plans.items()} | {"metrics": metrics}
    key = run_key(identity, seed=run.seed, replications=run.replications, model_version=MODEL_VERSION)
    about = {"model_version": MODEL_VERSION, "seed": run.seed, "plans": list(plans)}
    return open_run(Path("results"), "comparisons", key, replications=run.replications, out=out, about=about)


def _write(run: Run, plans: dict[str, Scenario], differences: list[Difference], *, figures: bool) -> Path:
    from iopsim.experiment.compare import difference_rows
    from iopsim.scenario import resolved_text

    for number, plan in enumerate(plans.values()):
        run.write(f"plans/{number}-{plan.name}.resolved.yaml", resolved_text(plan))
    run.write_csv("differences.csv", *difference_rows(differences))
    if figures:
        from iopsim.report.figures import draw_differences

        for name, content in draw_differences(differences, next(iter(plans))):
            run.write(f"figures/{name}", content)
    return run.finish()


def _as_json(differences: list[Difference]) -> str:
    import json

    from iopsim.experiment.compare import difference_rows

    columns, rows = difference_rows(differences)
    plain = [[None if cell != cell else cell for cell in row] for row in rows]  # noqa: PLR0124  (JSON has no NaN)
    return json.dumps([dict(zip(columns, row, strict=True)) for row in plain], indent=2, ensure_ascii=False)
