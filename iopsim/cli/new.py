"""`iopsim new`: a short scenario to start from."""

from __future__ import annotations

from pathlib import Path

import click

from iopsim.errors import Fault, InputError, MachineError, Mark

__all__ = ["command"]

_TEMPLATE = """\
# One program, one door. Change the numbers, then:  iopsim run {file}
# `iopsim schema` and docs/scenario.md know every word; `extends: other.yaml` starts from another file.
name: {name}
sources:
  community: {{to: iop, per_week: 2}}          # referrals a week, and the level they are for
levels:
  iop:
    places: 12                                 # or groups with weekdays and seats
    stay_days: {{gamma: {{mean: 42, cv: 0.6}}}}    # or phases of weekly sessions
    waitlist: {{patience_days: {{exponential: {{mean: 40}}}}}}    # how long people wait before they give up
targets: [{{metric: iop.wait_days.p90, at_most: 14}}]
notes:
  sources.community.per_week: "assumption: write where each number comes from"
"""


@click.command("new")
@click.argument("file", type=click.Path(path_type=Path), default="scenario.yaml")
def command(file: Path) -> None:
    """Write a short commented scenario to FILE (default: scenario.yaml), which must not exist."""
    from iopsim.scenario.load import name_from

    text = _TEMPLATE.format(file=file, name=name_from(file))
    try:
        with file.open("x", encoding="utf-8") as stream:
            try:
                stream.write(text)
                stream.flush()
            except BaseException:  # half of it would be in the way of the next attempt
                file.unlink()
                raise
    except FileExistsError:
        message = "exists already; give another name"
        raise InputError(Fault("file-exists", message, mark=Mark(str(file)))) from None
    except OSError as error:
        raise MachineError(f"{file} cannot be written ({error.strerror}); choose another folder") from None
    click.echo(f"wrote {file}; next: iopsim run {file}")
