"""`iopsim verify`: whether this installation simulates what theory knows exactly."""

from __future__ import annotations

from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from iopsim.cli.options import json_option, workers_option

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from iopsim.verification.case import Case
    from iopsim.verification.judge import Judgment

__all__ = ["command"]

_WIDTH = 80


@click.command("verify")
@click.argument("names", nargs=-1, metavar="[CASE]…")
@click.option("--list", "only_list", is_flag=True, help="List the cases by theme; simulate nothing.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Another chance than that of the cases.")
@click.option(
    "--replications",
    type=click.IntRange(2, 1_000_000),
    help="Of each case (default: enough to tell, its own number).",
)
@workers_option
@click.option(
    "--csv",
    "csv_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Also write the table as CSV.",
)
@json_option
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def command(
    names: tuple[str, ...],
    only_list: bool,
    seed: int | None,
    replications: int | None,
    workers: int | None,
    csv_file: Path | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Simulate clinics whose exact answer theory knows, and compare; every CASE, or those that are named.

    Each case is a scenario file that ships. A claim agrees if the simulated number lies within 4 of its own standard
    errors of the exact one, and that error is small enough to tell. The exit code is 0 if all agree, 3 if any differs,
    and otherwise 4 if any is undecided.
    """
    from iopsim.report import verification as report

    chosen = _chosen(names)
    if only_list:
        for line in report.case_lines(chosen.values(), _WIDTH):
            click.echo(line)
        return 0
    with _file(csv_file) as table:  # first, so that two minutes of work have a place to go
        found = _verified(chosen, seed, replications, workers, quiet=quiet or as_json)
        if as_json:
            click.echo(report.as_json(found))
        elif not quiet:
            from iopsim.report.console import console

            report.print_judgments(console(), chosen, found)
        table.write(report.as_csv(found).encode())
    return report.exit_code(found)


def _chosen(names: Sequence[str]) -> Mapping[str, Case]:
    """The cases of these names, in the order of the list; all if there are none.

    Raises:
        InputError: With every name that no case has.
    """
    from iopsim.verification.case import cases

    known = cases()
    if unknown := [name for name in dict.fromkeys(names) if name not in known]:
        from iopsim.errors import Fault, InputError
        from iopsim.experiment.names import nearest

        faults = []
        for name in unknown:
            near = nearest(name, known)
            hint = f' (did you mean "{near}"?)' if near else "; `iopsim verify --list` lists them"
            faults.append(Fault("unknown-case", f'no case "{name}"{hint}'))
        raise InputError(*faults)
    return {name: case for name, case in known.items() if name in names or not names}


def _verified(
    chosen: Mapping[str, Case],
    seed: int | None,
    replications: int | None,
    workers: int | None,
    *,
    quiet: bool,
) -> Sequence[Judgment]:
    """Judge the claims of the cases.

    Raises:
        Interrupted: The user stopped.
    """
    from iopsim.cli.progress import Reporter
    from iopsim.errors import Interrupted
    from iopsim.experiment.executors import open_executor
    from iopsim.verification.judge import verify

    try:
        with open_executor(workers) as executor, Reporter(quiet=quiet).progress("cases") as progress:
            return verify(
                [*chosen.values()], executor, seed=seed, replications=replications, on_done=progress
            )
    except KeyboardInterrupt:
        raise Interrupted("nothing is kept of cases; give the same command again") from None


@contextmanager
def _file(path: Path | None) -> Iterator[IO[bytes]]:
    """A file that is there when all is done, or one that nobody asked for.

    Raises:
        MachineError: It cannot be written.
    """
    if path is None:
        yield BytesIO()
        return
    from iopsim.experiment.disk import replacing, told_as_machine_error

    with told_as_machine_error(path.parent, "--csv"), replacing(path) as file:
        yield file
