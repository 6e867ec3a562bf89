"""`iopsim run`: simulate a scenario and write its results."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import click

from iopsim.cli.judging import judging_options
from iopsim.cli.options import (
    RESULTS,
    at_work,
    cache_option,
    dask_option,
    figures_option,
    json_option,
    out_option,
    parts_option,
    precision_option,
    quiet_option,
    replications_option,
    scenario_argument,
    seed_option,
    set_option,
    shard_option,
    workers_option,
)

if TYPE_CHECKING:
    from concurrent.futures import Executor
    from pathlib import Path

    from iopsim.cli.progress import Reporter
    from iopsim.experiment.cache import Cache
    from iopsim.experiment.plans import Gathered, Plan
    from iopsim.experiment.run import Written
    from iopsim.scenario.schema import Scenario

__all__ = ["command"]


class _Finished(NamedTuple):
    """What a run found: its folder, how many replications were enough, its tables, and what is said of them."""

    folder: Path
    gathered: Gathered
    written: Written
    notes: list[str]


class _Extras(NamedTuple):
    """What else is written: events, figures, the ids of patients on a list."""

    events: bool
    figures: bool
    named: bool


@click.command("run")
@scenario_argument
@set_option
@replications_option
@precision_option
@seed_option
@out_option
@workers_option
@dask_option
@cache_option
@shard_option
@parts_option
@click.option("--events", is_flag=True, help="Also write every event of every patient (events.csv.gz).")
@click.option(
    "--name-patients",
    is_flag=True,
    help="Write the ids of those on a list today into starts.csv; else nothing of the files is in the results.",
)
@figures_option
@judging_options
@json_option
@quiet_option
def command(
    scenario: str,
    sets: tuple[str, ...],
    replications: int | None,
    precision: float | None,
    seed: int | None,
    out: Path | None,
    workers: int | None,
    dask: str | None,
    cache: Path | None,
    shard: tuple[int, int] | None,
    parts: tuple[Path, ...],
    events: bool,
    name_patients: bool,
    no_figures: bool,
    fail_on_target: bool,
    junit_xml: Path | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Simulate SCENARIO: warm-up, measured window and run-out, in all replications, on all cores.

    Prints the answers and writes them with figures to results/<scenario>/. Every finished replication is kept, and
    never simulated again: Ctrl-C loses nothing, and asking for more adds what is missing. Only --set, --replications,
    --precision and --seed change a result.
    """
    from iopsim.cli.judging import judges_nothing, must_have_targets
    from iopsim.cli.options import load, with_run_options
    from iopsim.cli.progress import Reporter

    if shard:
        judges_nothing("--shard", fail_on_target=fail_on_target, junit_xml=junit_xml)
    loaded = load(scenario, with_run_options(sets, replications, precision, seed)).scenario
    if name_patients and not loaded.from_today:
        raise click.UsageError("--name-patients names those on a list today: it goes with `from_today`")
    must_have_targets(loaded.targets, fail_on_target=fail_on_target, junit_xml=junit_xml)
    reporter = Reporter(quiet=quiet or as_json)
    reporter.warn_about(loaded)
    with at_work(workers, dask, cache) as (kept, executor):
        plan, notes = _settled(loaded, kept, executor, reporter)
        if shard:
            click.echo(_shard(plan, shard, out, kept, executor, reporter))
            return 0
        if parts:
            _add(plan, parts, kept)
        extras = _Extras(events, not no_figures, name_patients)
        finished = _simulate(plan, notes, out, extras, kept, executor, reporter)
    if as_json:
        click.echo(_as_json(finished))
    elif quiet:
        click.echo(finished.folder)
    else:
        from iopsim.report.console import console, print_summary

        screen, written = console(), finished.written
        today = written if plan.scenario.from_today else None
        print_summary(
            screen, plan.scenario, written.estimates, finished.gathered.count, finished.notes, today
        )
        screen.print(f"results: {finished.folder}", soft_wrap=True)
    from iopsim.cli.judging import judged
    from iopsim.report.judgment import cases_of

    cases = cases_of(finished.written.estimates)
    return judged(plan.scenario.name, cases, fail_on_target=fail_on_target, junit_xml=junit_xml)


def _settled(loaded: Scenario, kept: Cache, executor: Executor, reporter: Reporter) -> tuple[Plan, list[str]]:
    """The plan with its warm-up found, and what is to be said of that."""
    from iopsim.experiment.plans import Plan
    from iopsim.experiment.warm_up import settle

    with reporter.progress(f"{loaded.name}, warm-up") as progress:
        (settled,), warm_up = settle([loaded], kept, executor, progress)
    return Plan.of(settled), warm_up.notes() if warm_up else []


def _shard(
    plan: Plan,
    part: tuple[int, int],
    out: Path | None,
    kept: Cache,
    executor: Executor,
    reporter: Reporter,
) -> Path:
    from iopsim.experiment.run import key_of
    from iopsim.experiment.shards import simulate_share, write_shard

    name, key = plan.scenario.name, key_of(plan.scenario)
    with reporter.progress(f"{name}, part {part[0]} of {part[1]}") as progress:
        entries = simulate_share([plan], part, kept, executor, progress)
    return write_shard(RESULTS, name, key, part, entries, kept, out)


def _add(plan: Plan, parts: tuple[Path, ...], kept: Cache) -> None:
    from iopsim.experiment.run import key_of
    from iopsim.experiment.shards import add_shards

    add_shards(parts, key_of(plan.scenario), [plan], kept)


def _simulate(
    plan: Plan,
    notes: list[str],
    out: Path | None,
    extras: _Extras,
    kept: Cache,
    executor: Executor,
    reporter: Reporter,
) -> _Finished:
    from iopsim.experiment.plans import gather
    from iopsim.experiment.run import key_of, write_events, write_tables
    from iopsim.experiment.store import open_run
    from iopsim.scenario import identity
    from iopsim.scenario.trace import traced

    scenario = plan.scenario
    about = {
        "kind": "run",
        "seed": scenario.run.seed,
        "events": extras.events,
        "data": identity(scenario)["data"],
        "traced": traced(scenario),
    }
    with open_run(RESULTS, scenario.name, key_of(scenario), out=out, about=about) as run:
        with reporter.progress(scenario.name) as progress:
            (gathered,) = gather([plan], kept, executor, progress)
        notes = [*notes, *_of_precision(gathered)]
        written = write_tables(gathered, run, kept, named=extras.named)
        notes = [*notes, *written.notes]
        if extras.events:
            write_events(gathered, run, executor)
        if extras.figures:
            reporter.say("drawing figures")
            from iopsim.report.figures import draw_all

            for name, content in draw_all(run.folder):
                run.write(f"figures/{name}", content)
        today = {"today": written.answers} if scenario.from_today else {}
        folder = run.finish(replications=gathered.count, notes=notes, **today)
    return _Finished(folder, gathered, written, notes)


def _of_precision(gathered: Gathered) -> list[str]:
    """Whether the replications were enough, where the scenario says what is."""
    rule = gathered.plan.scenario.run.rule
    if rule is None:
        return []
    if not gathered.short_of:
        return [f"Precise to {100 * rule.precision:.12g} % after {gathered.count} replications."]
    return [
        f"Not yet as precise as asked after {gathered.count} replications, the most allowed "
        f"(run.replications.max): {'; '.join(map(str, gathered.short_of))}."
    ]


def _as_json(finished: _Finished) -> str:
    import json

    from iopsim.experiment.sentences import flags, limiting
    from iopsim.experiment.summary import summary_rows

    scenario, found = finished.gathered.plan.scenario, finished.written.estimates
    columns, rows = summary_rows(found)
    summary = {
        "scenario": scenario.name,
        "results": str(finished.folder),
        "replications": finished.gathered.count,
        "metrics": [dict(zip(columns, map(_plain, row), strict=True)) for row in rows],
        "notes": [*finished.notes, *flags(found, scenario)],
        "limits": limiting(found, scenario),
        **({"today": finished.written.answers} if scenario.from_today else {}),
    }
    return json.dumps(summary, indent=2, ensure_ascii=False)


def _plain(value: object) -> object:
    """JSON knows no NaN."""
    return None if isinstance(value, float) and value != value else value  # noqa: PLR0124
