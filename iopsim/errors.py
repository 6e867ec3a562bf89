"""What can go wrong, as one tree.

    IopsimError
    ├── InputError            exit 2: what was typed or written cannot be used; holds all its faults
    ├── MachineError          exit 5: the disk, a folder or a worker refused
    └── Interrupted           exit 130: the user pressed Ctrl-C; what was finished is kept

Anything else that is raised is a bug and leaves with exit 1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Fault", "InputError", "Interrupted", "IopsimError", "MachineError", "Mark"]

_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")  # of names and values: they would begin new lines


class IopsimError(Exception):
    """Base of everything that iopsim raises on purpose; `exit_code` is what the command line ends with."""

    exit_code = 1


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in a file: `line` and `column` count from 1; `line` 0 means the file (or option) as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with an input; as text one line, whatever it quotes.

    Attributes:
        code: A short stable name of the kind of fault, such as `unknown-key`.
        message: What is wrong, what was got, and what to do, in one line.
        path: Where in the scenario, dotted (`levels.iop.stay_days`); empty when it is the whole file.
        mark: Where in which file, when that is known.
    """

    code: str
    message: str
    path: str = ""
    mark: Mark | None = None

    def __str__(self) -> str:
        where = f"{self.mark}: " if self.mark else ""
        path = f"{self.path}: " if self.path else ""
        return _UNSEEN.sub(lambda found: repr(found[0])[1:-1], f"{where}error: {path}{self.message}")


class InputError(IopsimError):
    """A scenario, an option or a data file cannot be used; every fault found is in `faults`."""

    exit_code = 2

    def __init__(self, *faults: Fault) -> None:
        self.faults = faults
        super().__init__("\n".join(str(fault) for fault in faults))

    def __reduce__(self) -> tuple[type[InputError], tuple[Fault, ...]]:
        return type(self), self.faults


class MachineError(IopsimError):
    """The machine refused: a full disk, a folder that cannot be written, a worker that died again and again."""

    exit_code = 5


class Interrupted(IopsimError):
    """The user stopped the run; the message says what was kept and how to go on."""

    exit_code = 130
