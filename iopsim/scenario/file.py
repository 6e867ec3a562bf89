"""Scenario files to trees: reading, `extends`, `--set`; the only place that knows the YAML reader."""

from __future__ import annotations

import itertools
import os
import pathlib
import re
import stat
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from iopsim.errors import Fault, InputError, Mark
from iopsim.scenario.findings import select
from iopsim.scenario.tree import Node, Step, dotted, locate, merge, plain, put, without_nulls
from iopsim.scenario.yaml_text import TreeBuilder, colon_hint, dump, mark_at, refusal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from iopsim.scenario.tree import Path, Replaces

__all__ = ["assign", "dump", "open_tree", "parse", "read", "steps_of", "survey"]

_BYTES_AT_MOST = 1_000_000
_BASES_AT_MOST = 20
_STEPS_AT_MOST = 40


def parse(text: str, name: str) -> Node:
    """Read YAML text; `name` is the file that marks and faults show. Empty text is null.

    Raises:
        InputError: With every fault that could be seen.
    """
    tree, faults = _compose(text, name)
    if tree is None or faults:
        raise InputError(*faults)
    return tree


def read(path: str | os.PathLike[str], replaces: Replaces, laws: Collection[str] = ()) -> Node:
    """Read a scenario file and the files it extends into one tree, without `extends` and without nulls.

    Args:
        path: The file; faults show it as it was typed.
        replaces: As for `tree.merge`.
        laws: As for `tree.merge`.

    Raises:
        InputError: With every fault that could be seen in the file and its bases.
    """
    tree, faults = survey(path, replaces, laws)
    if tree is None or faults:
        raise InputError(*faults)
    return tree


def survey(
    path: str | os.PathLike[str], replaces: Replaces, laws: Collection[str] = ()
) -> tuple[Node | None, list[Fault]]:
    """As `read`, but return the faults beside the tree, so that a validator can add its own to them.

    Returns:
        The tree, or None when there is nothing to go on with, and the faults. Of a key that stands twice the
        tree holds the first; a value that cannot be read stands in it as text.
    """
    layers, faults = _layers(os.fspath(path))
    if not layers:
        return None, faults
    layers = [_valued(layer, replaces, faults) for layer in layers]
    tree = layers.pop()
    while layers:
        tree = merge(tree, layers.pop(), replaces, laws)
    return without_nulls(tree), faults


def _valued(layer: Node, replaces: Replaces, faults: list[Fault]) -> Node:
    """The tree with text for null where a dated change sets a value: left out, it would pass over what was meant."""
    sentence = "null is no value, and a change takes nothing away; write one, or drop the line"
    for path, value in select(plain(layer), "changes.*.set.*"):
        if value is None:
            mark = locate(layer, path)[1]
            faults.append(Fault("change", sentence, dotted(path), mark))
            steps = tuple(Step(str(step), mark, bracketed=isinstance(step, int)) for step in path)
            layer = put(layer, steps, Node("null", mark), replaces)
    return layer


_STEP = re.compile(r'(?:^|(?<=.)\.)(?:"(?P<quoted>[^"]+)"|(?P<name>[^.=\[\]\s"]+))|\[(?P<item>[0-9]{1,9})\]')


def assign(root: Node, assignment: str, replaces: Replaces, laws: Collection[str] = ()) -> Node:
    """Apply one `--set`, such as `levels.iop.groups.mood_day.seats=14`, by the rules of `tree.put`.

    The value is YAML. A list item is `phases[0].weeks` or `phases.0.weeks`; a key that holds a dot is quoted.

    Raises:
        InputError: The assignment cannot be read, or its path leads nowhere.
    """
    steps, end = steps_of(assignment, Mark("--set", 1, 1))
    value_text = assignment[end + 1 :]
    if not steps or steps[0].bracketed or assignment[end : end + 1] != "=" or not value_text.strip():
        sentence = f'expected path=value, such as run.seed=7 (null removes a key); got "{assignment[:60]}"'
        raise InputError(Fault("bad-assignment", sentence, "", Mark("--set", 1, end + 1)))
    if len(steps) > _STEPS_AT_MOST:
        sentence = f"the path has more than {_STEPS_AT_MOST} steps; write a shorter one"
        raise InputError(Fault("too-deep", sentence, "", steps[0].mark))
    # The spaces make the columns in marks those of the whole assignment.
    path = tuple(int(step.name) if step.bracketed else step.name for step in steps)
    value, faults = _compose(" " * (end + 1) + value_text, "--set", path)
    if value is None or faults:
        raise InputError(*faults)
    return put(root, steps, value, replaces, laws)


def steps_of(text: str, at: Mark) -> tuple[tuple[Step, ...], int]:
    """The steps of the dotted path that a text begins with, such as `phases[0].weeks`, and where they end.

    Args:
        text: The path, and what follows it.
        at: Where the text stands.
    """
    steps: list[Step] = []
    end = 0
    while found := _STEP.match(text, end):
        kind = found.lastgroup or ""
        mark = replace(at, column=at.column + found.start(kind))
        steps.append(Step(found[kind], mark, bracketed=kind == "item"))
        end = found.end()
    return tuple(steps), end


def open_tree(path: str | os.PathLike[str], asked: Fault | None = None) -> tuple[Node | None, list[Fault]]:
    """The tree of one file as it stands, with its nulls, and its faults; `extends` is a key like any other.

    Args:
        path: The file.
        asked: Where it is asked for; what cannot be opened is a fault there.
    """
    name = os.fspath(path)
    try:
        return _compose(_text(name, asked or Fault("", "", "", Mark(name))), name)
    except InputError as error:
        return None, list(error.faults)


def _layers(name: str) -> tuple[list[Node], list[Fault]]:
    """The trees of a file and of its bases, nearest first; no tree when one of them could not be read."""
    layers: list[Node] = []
    faults: list[Fault] = []
    chain: dict[pathlib.Path, str] = {}
    asked = Fault("", "", "", Mark(name))  # where this file is asked for
    while True:
        try:
            text = _text(name, asked)
            _extend_chain(chain, name, asked)
            tree, found = _compose(text, name)
            faults += found
            if tree is None:
                return [], faults
            layer, base = _split(tree, name)
        except InputError as error:
            return [], [*faults, *error.faults]
        layers.append(layer)
        if base is None:
            return layers, faults
        asked = Fault("", "", "extends", base.key_mark)
        name = os.path.normpath(pathlib.Path(name).parent / str(base.value))


def _extend_chain(chain: dict[pathlib.Path, str], name: str, asked: Fault) -> None:
    place = pathlib.Path(name).resolve()
    if place in chain:
        circle = " → ".join([*itertools.dropwhile(lambda shown: shown != chain[place], chain.values()), name])
        sentence = f"the files extend each other: {circle}; drop one `extends`"
        raise InputError(replace(asked, code="extends-cycle", message=sentence))
    if len(chain) > _BASES_AT_MOST:
        sentence = f"more than {_BASES_AT_MOST} files extend one another; flatten the chain"
        raise InputError(replace(asked, code="extends-chain", message=sentence))
    chain[place] = name


def _split(tree: Node, name: str) -> tuple[Node, Node | None]:
    """A file's tree without `extends`, and the node of `extends`."""
    if tree.value is None:
        sentence = "the file is empty; `iopsim new` writes a scenario to start from"
        raise InputError(Fault("empty", sentence, "", Mark(name)))
    if not isinstance(tree.value, dict):
        word = re.fullmatch(r"\S{1,40}", str(tree.value))  # of a longer text, nobody knows whose it is
        got = "a list" if isinstance(tree.value, list) else f'"{word[0]}"' if word else "text"
        sentence = f"a scenario is made of `key: value` lines; got {got}"
        raise InputError(Fault("not-a-mapping", sentence, "", Mark(name)))
    base = tree.value.get("extends")
    if base is not None and base.value is not None and not (isinstance(base.value, str) and base.value):
        sentence = "must be the name of one scenario file, such as baseline.yaml"
        raise InputError(Fault("extends", sentence, "extends", base.mark))
    rest = {key: node for key, node in tree.value.items() if key != "extends"}
    return replace(tree, value=rest), base if base is not None and base.value else None


def _text(name: str, asked: Fault) -> str:
    """The text of a regular file in UTF-8; a device or pipe is refused without being opened."""

    def refused(code: str, sentence: str) -> InputError:
        return InputError(replace(asked, code=code, message=sentence))

    path = pathlib.Path(name)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise refused("no-file", f'"{name}" is a folder; name a scenario file in it')
        if not stat.S_ISREG(mode):
            raise refused("no-file", f'"{name}" is a device or a pipe; name a scenario file')
        with path.open("rb") as stream:
            data = stream.read(_BYTES_AT_MOST + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise refused("no-file", f'there is no file "{name}"{_near(path)}') from None
    except PermissionError:
        raise refused("no-file", f'"{name}" may not be read; check its permissions') from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise refused("no-file", f'"{name}" cannot be read ({reason}); check the file') from None
    if len(data) > _BYTES_AT_MOST:
        raise refused(
            "too-large", f'"{name}" is over 1 MB; a scenario is some hundred lines, data goes in CSV'
        )
    return _decoded(data, name)


def _near(path: pathlib.Path) -> str:
    """The hint for a file that is missing: its likely name, or that the folder is missing too."""
    import difflib

    if not path.parent.is_dir():
        return f', nor a folder "{path.parent}"; check the path'
    try:
        names = sorted(entry.name for entry in path.parent.iterdir() if entry.suffix in {".yaml", ".yml"})
    except OSError:
        names = []
    near = difflib.get_close_matches(path.name, names[:1000], 1)
    return f' (did you mean "{path.parent / near[0]}"?)' if near else "; check its name and folder"


def _decoded(data: bytes, name: str) -> str:
    half_is_zero = (data[0:4:2] == b"\0\0") != (data[1:4:2] == b"\0\0")
    if half_is_zero or data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        raise InputError(Fault("not-utf-8", "the file is in UTF-16; save it as UTF-8", "", Mark(name)))
    if b"\0" in data:
        raise InputError(Fault("not-text", "the file is not text; a scenario is a YAML file", "", Mark(name)))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        sentence = f"the byte {data[error.start]:#04x} is not UTF-8; save the file as UTF-8"
        mark = mark_at(data[: error.start].decode("utf-8-sig"), name)
        raise InputError(Fault("not-utf-8", sentence, "", mark)) from None


def _compose(text: str, name: str, path: Path = ()) -> tuple[Node | None, list[Fault]]:
    """The tree of a text, None when its end cannot be reached, and its faults; `path` leads to its root."""
    if refused := refusal(text, name):
        return None, [refused]
    # The reader in C takes a tenth of the time; what it stumbles over is for the one that says where and why.
    for events in (_quick_events(text), _events(text, name)):
        builder = TreeBuilder(name, path)
        try:
            for event in events:
                builder.take(event)
        except _Stumbled:
            continue
        except InputError as error:
            return None, [*builder.faults, *error.faults]
        break
    return builder.root or Node(None, Mark(name)), builder.faults


class _Stumbled(Exception):
    """The quick reader cannot read on."""


def _quick_events(text: str) -> Iterator[Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        yield from YAML(typ="safe", pure=False, plug_ins=[]).parse(text)
    except (YAMLError, ValueError):
        raise _Stumbled from None


def _events(text: str, name: str) -> Iterator[Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    events = YAML(typ="safe", pure=True, plug_ins=[]).parse(text)
    mark = Mark(name)
    while True:
        try:
            event = next(events, None)
        except MarkedYAMLError as error:
            raise InputError(_syntax_fault(error, text.splitlines(), name)) from None
        except (YAMLError, ValueError, OverflowError):
            # An escape beyond Unicode comes as a bare ValueError or OverflowError, without a place.
            sentence = (
                "text that follows has an escape of no letter; use single quotes, in which \\ is itself"
            )
            raise InputError(Fault("yaml-syntax", sentence, "", mark)) from None
        if event is None:
            return
        mark = Mark(name, event.end_mark.line + 1, event.end_mark.column + 1)
        yield event


# What the reader says, what we say, and whether we say it where the broken thing begins.
_SENTENCES = (
    (r"character '\\t'", "a tab stands here; use spaces", False),
    (r"character '(.)' that cannot start", 'text cannot start with "{0}"; put it in quotes', False),
    (r"unexpected end of stream", "the quote that opens here is never closed; close it", True),
    (
        r"expected ',' or '(.)'.*<stream end>",
        'the bracket that opens here is never closed; add "{0}" at its end',
        True,
    ),
    (
        r"expected ',' or '(.)'",
        'a "," or the closing "{0}" is missing between {start} and {here}; add it',
        False,
    ),
    (r"expected the node content", "a value is missing here; check brackets and commas", False),
    (r"mapping values", 'no ":" is expected here; check the indentation, quote text that holds ": "', False),
    (r"expected ':'", "expected `key: value`; there is no colon with a space after it", True),
    (r"sequence entries", 'a list item ("- …") starts on a line of its own; or write [a, b]', False),
    (r"escape character", "between double quotes a backslash starts an escape; use single quotes", False),
    (r"expected alphabetic", "text that starts with * or & goes in quotes", True),
    (r"expected <block end>", "this does not belong to what stands above; check {suspects}", False),
    (r"(.+)", "this is not YAML: {0}", False),
)


def _syntax_fault(error: Any, lines: list[str], name: str) -> Fault:
    """What the reader stumbled over, in a planner's words."""
    end = error.problem_mark or error.context_mark
    begin = error.context_mark or end
    problem = str(error.problem or error.context)
    if re.search("mapping values|expected ':'", problem):
        for number in sorted({begin.line, end.line - 1, end.line}):
            if 0 <= number < len(lines) and (hint := colon_hint(lines[number])):
                return Fault("yaml-syntax", hint, "", Mark(name, number + 1, lines[number].index(":") + 1))
    before = lines[end.line][: end.column].strip() if end.line < len(lines) else ""
    words = {
        "start": f"{begin.line + 1}:{begin.column + 1}",
        "here": f"{end.line + 1}:{end.column + 1}",
        "suspects": "quotes and brackets" if before else "the indentation",
    }
    groups, sentence, at_start = next(
        (found.groups(), sentence, at_start)
        for pattern, sentence, at_start in _SENTENCES
        if (found := re.search(pattern, problem))
    )
    spot = begin if at_start else end
    message = sentence.format(*groups, **words)
    return Fault("yaml-syntax", message, "", Mark(name, spot.line + 1, spot.column + 1))
