"""How `run`, `sweep` and `check` tell verdicts on targets to continuous integration."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from iopsim.report.judgment import Case, Suites

__all__ = ["judged", "judges_nothing", "judging_options", "junit_option", "must_have_targets", "tell"]

_Command = TypeVar("_Command", bound="Callable[..., object]")

junit_option = click.option(
    "--junit-xml",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Also write the verdicts on targets as a JUnit report.",
)


def judging_options(command: _Command) -> _Command:
    """Add --fail-on-target and --junit-xml to a command that simulates."""
    fail_option = click.option(
        "--fail-on-target",
        is_flag=True,
        help="Exit with 3 if a target is missed, with 4 if one is undecided.",
    )
    return fail_option(junit_option(command))


def must_have_targets(targets: Collection[object], *, fail_on_target: bool, junit_xml: Path | None) -> None:
    """Refuse to judge without targets, before anything is simulated.

    Raises:
        InputError: A verdict is asked for, and there are no targets.
    """
    if (fail_on_target or junit_xml) and not targets:
        from iopsim.errors import InputError
        from iopsim.report.judgment import no_targets

        raise InputError(no_targets())


def judges_nothing(what: str, *, fail_on_target: bool, junit_xml: Path | None) -> None:
    """Refuse to judge where no verdict will be there at the end.

    Raises:
        UsageError: A verdict is asked for.
    """
    if fail_on_target or junit_xml:
        option = "--fail-on-target" if fail_on_target else "--junit-xml"
        raise click.UsageError(f"{what} gives no verdict for {option}; judge the whole")


def judged(
    title: str, cases: Sequence[Case], *, fail_on_target: bool, junit_xml: Path | None, more: str = ""
) -> int:
    """Tell what came of the targets to whoever asked, and give the exit code of a command that simulated.

    Args:
        title: What was simulated.
        cases: Its targets (`judgment.cases_of`); may be empty if nobody asked for a verdict.
        fail_on_target: Whether a target that is not met is to end the command with 3 or 4.
        junit_xml: Where to write a report.
        more: Markdown that follows the verdicts in the job summary.

    Raises:
        InputError: A verdict is asked for, and there are no cases.
        MachineError: The report cannot be written.
    """
    must_have_targets(cases, fail_on_target=fail_on_target, junit_xml=junit_xml)
    from iopsim.report.judgment import exit_code

    tell({title: cases} if cases else {}, junit_xml, annotate=fail_on_target, more=more)
    return exit_code(cases) if fail_on_target else 0


def tell(suites: Suites, junit_xml: Path | None, *, annotate: bool, more: str = "") -> None:
    """Write the report, and where the environment is that of GitHub Actions, the job summary and annotations.

    Annotations go to standard error, which is read for them as well, so that --json prints nothing but JSON.

    Raises:
        MachineError: The report cannot be written. A summary that cannot is only warned of.
    """
    from iopsim.report import ci

    if junit_xml:
        _write_report(junit_xml, ci.junit_xml(suites))
    if (summary := os.environ.get("GITHUB_STEP_SUMMARY")) and (suites or more):
        _append(Path(summary), ci.job_summary(suites, more))
    if annotate and os.environ.get("GITHUB_ACTIONS") == "true":
        for command in ci.workflow_commands(suites):
            click.echo(command, err=True)


def _write_report(path: Path, text: str) -> None:
    from iopsim.experiment.disk import replacing

    try:
        with replacing(path) as file:
            file.write(text.encode())
    except OSError as error:
        from iopsim.errors import MachineError

        message = (
            f"{path} cannot be written ({error.strerror or error}); choose another file with --junit-xml"
        )
        raise MachineError(message) from error


def _append(summary: Path, text: str) -> None:
    try:
        with summary.open("a", encoding="utf-8", newline="\n") as file:
            file.write(f"{text}\n")
    except OSError as error:
        reason = error.strerror or error
        click.echo(
            f"warning: no job summary: {summary} (GITHUB_STEP_SUMMARY) cannot be written ({reason})", err=True
        )
