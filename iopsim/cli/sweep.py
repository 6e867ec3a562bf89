"""`iopsim sweep`: many plans of one scenario, and which of them is the cheapest that meets the targets."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import click

from iopsim.cli.judging import judging_options
from iopsim.cli.options import (
    RESULTS,
    at_work,
    cache_option,
    dask_option,
    figures_option,
    json_option,
    md_option,
    out_option,
    parts_option,
    precision_option,
    quiet_option,
    replications_option,
    set_option,
    shard_option,
    workers_option,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor
    from pathlib import Path

    from iopsim.cli.progress import Reporter
    from iopsim.experiment.cache import Cache
    from iopsim.experiment.plans import Plan
    from iopsim.experiment.sweep.load import Design
    from iopsim.report.sweep import Told

__all__ = ["command"]


@click.command("sweep")
@click.argument("sweep", metavar="SWEEP")
@set_option
@replications_option
@precision_option
@out_option
@workers_option
@dask_option
@cache_option
@shard_option
@parts_option
@click.option(
    "--dry-run", is_flag=True, help="Only say how many points there are, and how long they would take."
)
@click.option("--yes", is_flag=True, help="More than 10,000 points are meant.")
@figures_option
@judging_options
@json_option
@md_option
@quiet_option
def command(
    sweep: str,
    sets: tuple[str, ...],
    replications: int | None,
    precision: float | None,
    out: Path | None,
    workers: int | None,
    dask: str | None,
    cache: Path | None,
    shard: tuple[int, int] | None,
    parts: tuple[Path, ...],
    dry_run: bool,
    yes: bool,
    no_figures: bool,
    fail_on_target: bool,
    junit_xml: Path | None,
    as_json: bool,
    as_md: bool,
    quiet: bool,
) -> int:
    """Simulate every point of SWEEP, a file that names a scenario and the values that its parameters take.

    The same patients meet all points. Prints the frontier of cost against wait and the cheapest point that meets all
    targets, and writes the tables with figures to results/<sweep>/. --set, --replications and --precision change the
    scenario of all points. Every finished replication is kept, and never simulated again: the same command goes on
    where it was stopped.
    """
    from iopsim.cli.judging import must_have_targets
    from iopsim.cli.options import with_run_options
    from iopsim.cli.progress import Reporter
    from iopsim.experiment.sweep.load import load

    if as_json and as_md:
        raise click.UsageError("--json and --md exclude each other")
    design = load(sweep, with_run_options(sets, replications, precision, None), many=yes)
    gc.freeze()  # all of it stays; to look through it for garbage takes as long as to read the replications
    must_have_targets(design.base.targets, fail_on_target=fail_on_target, junit_xml=junit_xml)
    if dry_run:
        for line in _forecast(design, workers, cache):
            click.echo(line)
        return 0
    reporter = Reporter(quiet=quiet or as_json)
    with at_work(workers, dask, cache) as (kept, executor):
        plans, notes = _settled(design, kept, executor, reporter)
        if shard:
            click.echo(_shard(design, plans, shard, out, kept, executor, reporter))
            return 0
        if parts:
            _add(design, plans, parts, kept)
        folder, told = _simulate(design, plans, notes, out, not no_figures, kept, executor, reporter)
    _print(folder, told, as_json=as_json, as_md=as_md, quiet=quiet)
    return _judged(folder, told, fail_on_target=fail_on_target, junit_xml=junit_xml)


def _forecast(design: Design, workers: int | None, cache: Path | None) -> Iterator[str]:
    """What the sweep would take: points, replications, and time by that of one replication."""
    from iopsim.cli.options import cache_of
    from iopsim.cli.progress import duration
    from iopsim.experiment.executors import default_workers
    from iopsim.experiment.plans import Plan
    from iopsim.experiment.replicate import replicate

    run, kept = design.base.run, cache_of(cache)
    fewest = run.rule.min if run.rule else run.most_replications
    keys = {Plan.of(scenario).key for scenario in design.scenarios} if run.is_settled else set()
    number = len(keys) or len(design.points)
    there = sum(run.most_replications - len(kept.missing(key, range(run.most_replications))) for key in keys)
    each = f"{fewest}" if fewest == run.most_replications else f"{fewest} to {run.most_replications}"
    alike = (
        f" ({len(design.points) - number} of them are the same scenario as another)"
        if number < len(design.points)
        else ""
    )
    yield f"{len(design.points):,} points of {each} replications{alike}"
    least, most = (max(0, number * count - there) for count in (fewest, run.most_replications))
    amount = f"{most:,}" if least == most else f"{least:,} to {most:,}"
    yield f"{there:,} replications are kept already, {amount} are to be simulated"
    replicate(design.scenarios[0], 0)  # the first one also loads and compiles
    seconds = replicate(design.scenarios[0], 0).seconds
    width = workers or default_workers()
    times = [duration(seconds * count / width) for count in dict.fromkeys((least, most))]
    pilots = "" if run.is_settled else ", besides the pilot runs that find the warm-up"
    where = f"{width} worker{'s' * (width > 1)}"
    yield f"about {' to '.join(times)} on {where}, by {seconds:.2f} s for one of the first point{pilots}"


def _settled(
    design: Design, kept: Cache, executor: Executor, reporter: Reporter
) -> tuple[list[Plan], list[str]]:
    """The plan of each point with its warm-up found, and what is to be said of that."""
    from iopsim.experiment.plans import Plan
    from iopsim.experiment.warm_up import settle

    with reporter.progress(f"{design.name}, warm-up") as progress:
        scenarios, warm_up = settle(design.scenarios, kept, executor, progress)
    return [Plan.of(scenario) for scenario in scenarios], warm_up.notes() if warm_up else []


def _shard(
    design: Design,
    plans: list[Plan],
    part: tuple[int, int],
    out: Path | None,
    kept: Cache,
    executor: Executor,
    reporter: Reporter,
) -> Path:
    from iopsim.experiment.shards import simulate_share, write_shard
    from iopsim.experiment.sweep.folder import key_of

    with reporter.progress(f"{design.name}, part {part[0]} of {part[1]}") as progress:
        entries = simulate_share(plans, part, kept, executor, progress)
    return write_shard(RESULTS, design.name, key_of(design), part, entries, kept, out)


def _add(design: Design, plans: list[Plan], parts: tuple[Path, ...], kept: Cache) -> None:
    from iopsim.experiment.shards import add_shards
    from iopsim.experiment.sweep.folder import key_of

    add_shards(parts, key_of(design), plans, kept)


def _simulate(
    design: Design,
    plans: list[Plan],
    notes: list[str],
    out: Path | None,
    figures: bool,
    kept: Cache,
    executor: Executor,
    reporter: Reporter,
) -> tuple[Path, Told]:
    from iopsim.experiment.plans import gather
    from iopsim.experiment.store import open_run
    from iopsim.experiment.sweep.folder import key_of, write_tables
    from iopsim.report.sweep import Told, notes_on

    about = {"kind": "sweep", "seed": design.base.run.seed}
    with open_run(RESULTS, design.name, key_of(design), out=out, about=about) as run:
        with reporter.progress(design.name) as progress:
            gathered = gather(plans, kept, executor, progress)
        reporter.say("making tables")
        judged, answer = write_tables(design, gathered, run, kept)
        told = Told(design, judged, answer, [*notes, *notes_on(design, judged)])
        if figures:
            reporter.say("drawing figures")
            from iopsim.report.figures import draw_sweep

            for name, content in draw_sweep(run.folder):
                run.write(f"figures/{name}", content)
        replications = sum(one.count for one in gathered)
        folder = run.finish(points=len(judged), replications=replications, notes=told.notes)
    return folder, told


def _print(folder: Path, told: Told, *, as_json: bool, as_md: bool, quiet: bool) -> None:
    from iopsim.report import sweep

    if as_json:
        click.echo(sweep.as_json(told, str(folder)))
    elif quiet:
        click.echo(folder)
    elif as_md:
        click.echo(sweep.as_markdown(told))
    else:
        from iopsim.report.console import console

        screen = console()
        sweep.print_sweep(screen, told)
        screen.print(f"results: {folder}", soft_wrap=True)


def _judged(folder: Path, told: Told, *, fail_on_target: bool, junit_xml: Path | None) -> int:
    from iopsim.cli.judging import judged
    from iopsim.experiment.store import read_run
    from iopsim.report.judgment import cases_in
    from iopsim.report.sweep import as_markdown

    cases = cases_in(read_run(folder)) if told.design.base.targets else []
    more = as_markdown(told)
    return judged(told.design.name, cases, fail_on_target=fail_on_target, junit_xml=junit_xml, more=more)
