"""`iopsim export`: finished results as a workbook."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path

import click

__all__ = ["command"]


@click.command("export")
@click.argument("results", type=click.Path(path_type=Path), metavar="RESULTS")
@click.option(
    "--xlsx",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="Workbook to write, as in answers.xlsx; must not exist.",
)
def command(results: Path, xlsx: Path) -> None:
    """Write the RESULTS folder of a run or a comparison as a workbook for spreadsheets; nothing is simulated.

    It has the answers by theme with their intervals, all metrics, the weekly series with charts, groups, staff, money,
    replications, and the scenario with its sources. Takes the extra: pip install "iopsim[report]".
    """
    from iopsim.experiment.disk import replacing, told_as_machine_error
    from iopsim.report.workbook import write_workbook
    from iopsim.report.workbook.book import xlsxwriter

    _check(xlsx)
    xlsxwriter()
    content = BytesIO()
    write_workbook(results, content)
    with told_as_machine_error(xlsx.parent, "--xlsx"), replacing(xlsx) as file:
        file.write(content.getbuffer())
    click.echo(f"workbook: {xlsx}")


def _check(xlsx: Path) -> None:
    """Refuse a file that is there already, or that no spreadsheet would open.

    Raises:
        InputError: It cannot be written.
    """
    from iopsim.errors import Fault, InputError, Mark

    if os.path.lexists(xlsx):
        message = f"{xlsx} exists already; give a file that does not exist yet"
    elif xlsx.suffix.lower() != ".xlsx":
        message = f"a workbook's name ends with .xlsx (got {xlsx}); spreadsheets open no other"
    else:
        return
    raise InputError(Fault("xlsx-file", message, mark=Mark("--xlsx")))
