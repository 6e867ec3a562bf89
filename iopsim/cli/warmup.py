"""`iopsim warmup`: how long a clinic that opens empty takes to settle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from iopsim.cli.options import (
    RESULTS,
    at_work,
    cache_option,
    dask_option,
    figures_option,
    json_option,
    out_option,
    quiet_option,
    scenario_argument,
    set_option,
    workers_option,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor
    from pathlib import Path

    from iopsim.cli.progress import Reporter
    from iopsim.experiment.cache import Cache
    from iopsim.experiment.warm_up import WarmUp
    from iopsim.scenario.schema import Run, Scenario

__all__ = ["command"]


@click.command("warmup")
@scenario_argument
@set_option
@click.option(
    "--replications", "pilots", type=click.IntRange(1, 10_000), default=10, help="How many pilot runs."
)
@out_option
@workers_option
@dask_option
@cache_option
@figures_option
@json_option
@quiet_option
def command(
    scenario: str,
    sets: tuple[str, ...],
    pilots: int,
    out: Path | None,
    workers: int | None,
    dask: str | None,
    cache: Path | None,
    no_figures: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Find how long the warm-up of SCENARIO has to be.

    Pilot runs open empty, without seasons, growth, closed days and dated changes. The weekly census and waitlist of
    every level say when they have settled (MSER-5); the warm-up is as long as the slowest of them takes, and at least
    three times the slowest mean stay or delay. `run.warm_up_weeks: auto` does the same before a run.
    """
    from iopsim.cli.options import load
    from iopsim.cli.progress import Reporter
    from iopsim.errors import InputError

    loaded = load(scenario, sets)
    plan = loaded.scenario
    if plan.from_today:
        message = "a run from today has no warm-up: it begins with those who are there; use `iopsim run`"
        raise InputError(loaded.fault("no-warm-up", ("from_today",), message))
    reporter = Reporter(quiet=quiet or as_json)
    with at_work(workers, dask, cache) as (kept, executor):
        found, folder = _found(plan, pilots, out, not no_figures, kept, executor, reporter)
    if as_json:
        click.echo(_as_json(plan, found, folder))
    elif quiet:
        click.echo(folder)
    else:
        for line in _lines(plan, found):
            click.echo(line)
        click.echo(f"results: {folder}")


def _found(
    plan: Scenario,
    pilots: int,
    out: Path | None,
    figures: bool,
    kept: Cache,
    executor: Executor,
    reporter: Reporter,
) -> tuple[WarmUp, Path]:
    """What the pilots say, and the folder that it is written to."""
    from iopsim.experiment.keys import content_key, replication_key
    from iopsim.experiment.store import open_run
    from iopsim.experiment.warm_up import WarmUp, pilot_rows, recommend
    from iopsim.scenario import resolved_text

    key = content_key({"warm_up_of": replication_key(plan), "pilots": pilots})
    about = {"kind": "warm-up", "seed": plan.run.seed}
    with open_run(RESULTS, plan.name, key, out=out, about=about) as run:
        with reporter.progress(f"{plan.name}, warm-up") as progress:
            (piloted,) = recommend([plan], kept, executor, progress, pilots)
        run.write("scenario.resolved.yaml", resolved_text(plan))
        run.write_csv("warmup.csv", *pilot_rows(piloted))
        if figures:
            from iopsim.report.figures.warm_up import draw_warm_up

            for name, content in draw_warm_up(piloted):
                run.write(f"figures/{name}", content)
        folder = run.finish(replications=pilots, warm_up_weeks=piloted.weeks)
    return WarmUp(piloted.weeks, (piloted,)), folder


def _lines(plan: Scenario, found: WarmUp) -> Iterator[str]:
    (piloted,) = found.plans
    rows = [
        (one.words, one.truncation.weeks, "not settled half-way" * one.truncation.capped)
        for one in piloted.series
    ]
    rows.append(("three times the slowest", piloted.floor.weeks, piloted.floor.words))
    width = max(len(name) for name, *_ in rows)
    yield f"{plan.name}: {piloted.pilots} pilot runs of {piloted.pilot_weeks} weeks\n"
    yield f"  {'settled (MSER-5)':<{width}}  weeks"
    for name, weeks, remark in rows:
        yield f"  {name:<{width}}  {weeks:5d}  {remark}".rstrip()
    yield ""
    yield from found.notes()
    yield _verdict(plan.run, found.weeks, settled=not any(one.truncation.capped for one in piloted.series))


def _verdict(run: Run, weeks: int, *, settled: bool) -> str:
    """How the scenario's own warm-up compares."""
    if not run.is_settled:
        return "The scenario says `auto`: this is what its runs take."
    own = f"The scenario's own is {run.warm_up_weeks}"
    if not settled:
        return f"{own}; no number can be advised as long as something never settles."
    if run.warm_up_weeks < weeks:
        return f"{own}, which is too short: set run.warm_up_weeks to {weeks}, or to auto."
    return f"{own}, which is enough."


def _as_json(plan: Scenario, found: WarmUp, folder: Path) -> str:
    import json

    (piloted,) = found.plans
    answer = {
        "scenario": plan.name,
        "results": str(folder),
        "warm_up_weeks": found.weeks,
        "why": piloted.why,
        "own_warm_up_weeks": plan.run.warm_up,
        "pilots": piloted.pilots,
        "pilot_weeks": piloted.pilot_weeks,
        "floor": piloted.floor._asdict(),
        "series": [
            {"name": one.name, "weeks": one.truncation.weeks, "capped": one.truncation.capped}
            for one in piloted.series
        ],
        "notes": found.notes(),
    }
    return json.dumps(answer, indent=2, ensure_ascii=False)
