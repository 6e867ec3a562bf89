"""`iopsim compare`: plans side by side, with the same patients in each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from iopsim.cli.options import (
    RESULTS,
    at_work,
    cache_option,
    dask_option,
    figures_option,
    json_option,
    md_option,
    out_option,
    precision_option,
    quiet_option,
    replications_option,
    seed_option,
    set_option,
    workers_option,
)

if TYPE_CHECKING:
    from iopsim.experiment.compare import Comparison
    from iopsim.experiment.contenders import Contender, Entry
    from iopsim.experiment.store import Run
    from iopsim.scenario.schema import Scenario

__all__ = ["command", "contender"]


@click.command("compare")
@click.argument("plans", nargs=-1, required=True, metavar="PLAN PLAN…")
@set_option
@click.option(
    "--metric", "metrics", multiple=True, metavar="NAME", help="Compare this metric too; may be repeated."
)
@replications_option
@precision_option
@seed_option
@workers_option
@dask_option
@cache_option
@out_option
@figures_option
@json_option
@md_option
@quiet_option
def command(
    plans: tuple[str, ...],
    sets: tuple[str, ...],
    metrics: tuple[str, ...],
    replications: int | None,
    precision: float | None,
    seed: int | None,
    workers: int | None,
    dask: str | None,
    cache: Path | None,
    out: Path | None,
    no_figures: bool,
    as_json: bool,
    as_md: bool,
    quiet: bool,
) -> None:
    """Compare each PLAN with the first one: the same patients meet them all.

    A PLAN is a scenario, which is simulated, or the results folder of a finished run, which is read. Compares the
    metrics of the first plan's targets, and those given with --metric. --set, --replications, --precision and --seed
    change every scenario; results stand as they are.
    """
    from iopsim.cli.options import with_run_options
    from iopsim.cli.progress import Reporter
    from iopsim.experiment.compare import compared
    from iopsim.experiment.contenders import entered, settled

    contenders = _contenders(plans, with_run_options(sets, replications, precision, seed))
    _check(contenders, metrics)
    reporter = Reporter(quiet=quiet or as_json)
    with at_work(workers, dask, cache) as (kept, executor):
        with reporter.progress("warm-up") as progress:
            contenders, notes = settled(contenders, kept, executor, progress)
        scenarios = _check(contenders, metrics)
        with _opened(contenders, metrics, out) as run:
            with reporter.progress(f"{len(contenders)} plans") as progress:
                entries, more = entered(contenders, kept, executor, progress)
            notes += more
            comparison = compared(scenarios, entries, metrics)
            folder = _write(run, contenders, comparison, entries, notes, figures=not no_figures)
    if as_json:
        click.echo(_as_json(comparison, entries, notes, folder))
    elif quiet:
        click.echo(folder)
    elif as_md:
        click.echo(_as_md(comparison, notes))
    else:
        from iopsim.report.console import console, print_differences

        screen = console()
        print_differences(screen, comparison, notes)
        screen.print(f"results: {folder}", soft_wrap=True)


def contender(path: str, sets: tuple[str, ...] = ()) -> Contender:
    """The plan of a scenario file, or of a results folder.

    Raises:
        InputError: With every fault of the file, or the reason why the folder cannot be used.
    """
    from iopsim.cli.options import load
    from iopsim.experiment.contenders import Contender, from_results
    from iopsim.experiment.store import PARTIAL

    if any(Path(folder).is_dir() for folder in (path, f"{path}{PARTIAL}")):
        return from_results(Path(path))
    return Contender(load(path, sets).scenario)


def _contenders(paths: tuple[str, ...], sets: tuple[str, ...]) -> dict[str, Contender]:
    """The plans by their names; by their files where two have one name.

    Raises:
        InputError: With the faults of all of them.
    """
    from iopsim.errors import Fault, InputError

    found: list[Contender] = []
    faults: list[Fault] = []
    for path in paths:
        try:
            found.append(contender(path, sets))
        except InputError as error:
            faults += error.faults
    if sets and found and all(one.results for one in found):
        message = "options that change a scenario have nothing to change: results stand as they are"
        faults.append(Fault("nothing-to-set", f"{message}; simulate the scenarios again with them"))
    names = [one.scenario.name for one in found]
    labels = [name if names.count(name) == 1 else path for name, path in zip(names, paths, strict=False)]
    if len(set(labels)) < len(labels):
        faults.append(Fault("same-plan", "the same file is given twice; give each plan once"))
    if faults:
        raise InputError(*dict.fromkeys(faults))
    return dict(zip(labels, found, strict=True))


def _check(contenders: dict[str, Contender], metrics: tuple[str, ...]) -> dict[str, Scenario]:
    """The scenarios, if they can be compared."""
    from iopsim.experiment.compare import comparable

    scenarios = {plan: one.scenario for plan, one in contenders.items()}
    comparable(scenarios, metrics, {plan: one.version for plan, one in contenders.items()})
    return scenarios


def _opened(contenders: dict[str, Contender], metrics: tuple[str, ...], out: Path | None) -> Run:
    """The folder of the comparison; opened first, so that one that cannot be written is told at once."""
    from iopsim.experiment.keys import content_key
    from iopsim.experiment.run import key_of
    from iopsim.experiment.store import open_run

    plans = {
        name: one.results.manifest["key"] if one.results else key_of(one.scenario)
        for name, one in contenders.items()
    }
    seed = next(iter(contenders.values())).scenario.run.seed
    about = {"kind": "comparison", "seed": seed, "plans": list(plans)}
    key = content_key({"comparison": list(plans.items()), "metrics": metrics})
    return open_run(RESULTS, "comparisons", key, out=out, about=about)


def _write(
    run: Run,
    contenders: dict[str, Contender],
    comparison: Comparison,
    entries: dict[str, Entry],
    notes: list[str],
    *,
    figures: bool,
) -> Path:
    from iopsim.experiment.compare import difference_rows, plan_rows

    for number, one in enumerate(contenders.values()):
        run.write(f"plans/{number}-{one.scenario.name}.resolved.yaml", one.text)
    run.write_csv("plans.csv", *plan_rows(comparison, entries))
    run.write_csv("differences.csv", *difference_rows(comparison.differences))
    if figures:
        from iopsim.report.figures import draw_comparison

        for name, content in draw_comparison(comparison):
            run.write(f"figures/{name}", content)
    return run.finish(replications=comparison.count, notes=notes)


def _as_json(comparison: Comparison, entries: dict[str, Entry], notes: list[str], folder: Path) -> str:
    import json

    from iopsim.experiment.compare import difference_rows, plan_rows

    def listed(columns: list[str], rows: list[list[object]]) -> list[dict[str, object]]:
        plain = [[None if cell != cell else cell for cell in row] for row in rows]  # noqa: PLR0124  (JSON has no NaN)
        return [dict(zip(columns, row, strict=True)) for row in plain]

    summary = {
        "base": comparison.base,
        "results": str(folder),
        "replications": comparison.count,
        "plans": listed(*plan_rows(comparison, entries)),
        "differences": listed(*difference_rows(comparison.differences)),
        "notes": notes,
    }
    return json.dumps(summary, indent=2, ensure_ascii=False)


def _as_md(comparison: Comparison, notes: list[str]) -> str:
    from iopsim.report.besides import besides
    from iopsim.report.console import difference_texts, differences_title
    from iopsim.report.markdown import escaped, table
    from iopsim.report.wording import matched_text

    text = [differences_title(comparison), table(*difference_texts(comparison), align="llrrrrlrl")]
    more = [
        "\n".join([escaped(one.heading), "", *(f"- {escaped(line)}" for line in one.lines)])
        for one in besides(comparison)
    ]
    after = [matched_text(comparison.matched), *(f"Note: {note}" for note in notes)]
    return "\n\n".join([escaped(text[0]), text[1], *more, *map(escaped, after)])
