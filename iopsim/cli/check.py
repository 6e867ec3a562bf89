"""`iopsim check`: whether finished results meet the targets they were asked to meet."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from iopsim.cli.judging import junit_option
from iopsim.cli.options import json_option, md_option

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from iopsim.errors import Fault
    from iopsim.experiment.store import Results
    from iopsim.report.judgment import Case, Suites

    Judged = Mapping[str, tuple[Results, Sequence[Case]]]

__all__ = ["command"]


@click.command("check")
@click.argument("results", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RESULTS…")
@junit_option
@json_option
@md_option
def command(results: tuple[Path, ...], junit_xml: Path | None, as_json: bool, as_md: bool) -> int:
    """Print the verdict on each target of finished RESULTS folders, of runs or of sweeps; nothing is simulated.

    A target is met or missed where its whole interval says so, and undecided otherwise. A sweep asks for one point that
    meets all its targets. The exit code is 0 if all are met, 3 if any is missed, and otherwise 4.
    """
    from iopsim.cli.judging import tell
    from iopsim.report.judgment import exit_code

    if as_json and as_md:
        raise click.UsageError("--json and --md exclude each other")
    judged = _read(results)
    suites = {title: cases for title, (_, cases) in judged.items()}
    code = exit_code(case for cases in suites.values() for case in cases)
    if as_json:
        click.echo(_as_json(judged, code))
    elif as_md:
        from iopsim.report.ci import job_summary

        click.echo(job_summary(suites), nl=False)
    else:
        for line in _lines(suites):
            click.echo(line)
    tell(suites, junit_xml, annotate=True)
    return code


def _read(folders: Sequence[Path]) -> Judged:
    """The results and their cases, by name, or by name and folder where two share a name.

    Raises:
        InputError: With every folder that cannot be judged.
    """
    from iopsim.errors import InputError
    from iopsim.experiment.store import read_run
    from iopsim.report.judgment import cases_in

    read: list[tuple[Results, Sequence[Case]]] = []
    faults: list[Fault] = []
    for folder in dict.fromkeys(folders):
        try:
            results = read_run(folder)
            read.append((results, cases_in(results)))
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError(*faults)
    names = [str(results.manifest.get("name")) for results, _ in read]
    titles = (
        name if names.count(name) == 1 else f"{name} ({results.path})"
        for name, (results, _) in zip(names, read, strict=True)
    )
    return dict(zip(titles, read, strict=True))


def _lines(suites: Suites) -> Iterator[str]:
    """How many targets of each folder are met, and a line for each; broken only on a terminal that is too narrow."""
    from iopsim.report.judgment import tally

    cases = [case for cases in suites.values() for case in cases]
    verdict_width = max(len(case.verdict) for case in cases)
    name_width = max(len(case.name) for case in cases)
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else sys.maxsize
    for title, judged in suites.items():
        lines = (
            f"  {one.verdict:<{verdict_width}}  {one.name:<{name_width}}  {one.message}" for one in judged
        )
        for line in (f"{title}: {tally(judged)}", *lines):
            yield click.wrap_text(line, columns, subsequent_indent=" " * 6)


def _as_json(judged: Judged, code: int) -> str:
    import json

    from iopsim.report.judgment import overall

    return json.dumps(
        {
            "verdict": overall(case for _, cases in judged.values() for case in cases),
            "exit_code": code,
            "results": [
                {
                    "name": results.manifest.get("name"),
                    "results": str(results.path),
                    "verdict": overall(cases),
                    "targets": [
                        {"name": case.name, "verdict": case.verdict, "message": case.message, **case.facts}
                        for case in cases
                    ],
                }
                for results, cases in judged.values()
            ],
        },
        indent=2,
        ensure_ascii=False,
    )
