"""What YAML text means in a scenario: its plain scalars, the tree that it makes, and values written back.

The reader itself is in `file`. The tree is built from its events, without recursion, so that places,
duplicate keys, aliases and limits are in our hands. Plain scalars follow the core schema of YAML 1.2
and add dates: `no` and `9:30` are text.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from iopsim.errors import Fault, InputError, Mark
from iopsim.scenario.tree import Node, dotted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iopsim.scenario.tree import Path, Scalar

__all__ = ["TreeBuilder", "colon_hint", "dump", "mark_at", "refusal"]

_VALUES_AT_MOST = 10_000  # aliases expanded; a full scenario has about a thousand
_DEPTH_AT_MOST = 40
_KEY_AT_MOST = 200  # characters
_WIDTH = 100  # of a dumped line

_UNSEEN = re.compile(
    r"[^\t\n\r\x20-\x7e\xa0-\u200a\u200c-\u2027\u202f-\u205f\u206a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_UNSEEN_SENTENCE = "the character U+{:04X} cannot be seen; remove it"
_REFUSED = (
    (_UNSEEN, "bad-character", _UNSEEN_SENTENCE),
    (re.compile("^%", re.MULTILINE), "directive", "lines that start with % are not read; remove it"),
    # Over some long lines the reader takes a time that grows with the square of their length.
    (re.compile("^.{100001}", re.MULTILINE), "long-line", "a line has at most 100,000 characters; break it"),
    (
        re.compile(r"\A(?:.*\n){20000}"),
        "too-many-lines",
        "a scenario has under 20,000 lines; data goes in CSV",
    ),
)
_PLAIN = re.compile(
    r"""(?P<null>  null|Null|NULL|~|)
      | (?P<true>  true|True|TRUE)
      | (?P<false> false|False|FALSE)
      | (?P<int>   [-+]?[0-9]+ | 0o[0-7]+ | 0x[0-9a-fA-F]+)
      | (?P<float> [-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)
      | (?P<infinite> [-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))
      | (?P<date>  [0-9]{4}-[0-9]{2}-[0-9]{2})
      | (?P<time>  [0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}[0-9:.Zz \t+-]*)""",
    re.VERBOSE,
)


def mark_at(text: str, name: str) -> Mark:
    """The place of the end of `text` when a file begins with it."""
    return Mark(name, text.count("\n") + 1, len(text) - text.rfind("\n"))


def refusal(text: str, name: str) -> Fault | None:
    """Why a text is not even given to the reader, if there is a reason."""
    for pattern, code, sentence in _REFUSED:
        if found := pattern.search(text):
            return Fault(code, sentence.format(ord(found[0][0])), "", mark_at(text[: found.start()], name))
    return None


def colon_hint(text: str) -> str:
    """What to write when a key and its value are run together, as in `seats:12`; empty when they are not."""
    found = re.match(r"\s*(?:- +)?([A-Za-z_]\w*):([^\s:/,{}\[\]][^,{}\[\]]*)", text)
    return f"put a space after the colon: `{found[1]}: {found[2].strip()}`" if found else ""


def _kind(text: str) -> str:
    """What a plain scalar is read as: a group of `_PLAIN`, or `text`."""
    found = _PLAIN.fullmatch(text)
    return (found.lastgroup if found else None) or "text"


def _scalar(text: str) -> Scalar:
    """The value of a plain scalar; a ValueError says what to write instead."""
    match _kind(text):
        case "null":
            return None
        case "true" | "false" as kind:
            return kind == "true"
        case "int":
            base = {"0o": 8, "0x": 16}.get(text[:2], 10)
            if len(text) <= 20 and abs(whole := int(text, base)) < 10**18:
                return whole
            raise ValueError(f"{text[:30]} has more than 18 digits; write a smaller number")
        case "float" if math.isfinite(number := float(text)):
            return number
        case "float" | "infinite":
            raise ValueError(f"{text[:30]} is not a finite number; write a number")
        case "date":
            try:
                return dt.date.fromisoformat(text)
            except ValueError:
                raise ValueError(f"{text} is not a day of the calendar; write year-month-day") from None
        case "time":
            raise ValueError(f"{text[:30]} is a date with a time; write the date alone, or text in quotes")
        case _:
            return text


@dataclass(slots=True)
class _Open:
    """A mapping or list that is still being read; `key_mark` is set while a key awaits its value."""

    node: Node
    anchor: str | None
    braces: bool
    key: str = ""
    key_mark: Mark | None = None
    kept: bool = True


class TreeBuilder:
    """Makes a tree of the reader's events; faults are collected, or raised where one cannot read on."""

    def __init__(self, name: str, path: Path) -> None:
        self.root: Node | None = None
        self.faults: list[Fault] = []
        self._name = name
        self._path = path
        self._open: list[_Open] = []
        self._anchors: dict[str, Node] = {}
        self._values = 0
        self._documents = 0

    def take(self, event: Any) -> None:
        """Take the next event."""
        mark = Mark(self._name, event.start_mark.line + 1, event.start_mark.column + 1)
        if getattr(event, "tag", None) is not None:
            tag = str(event.tag).replace("tag:yaml.org,2002:", "!!")
            self._fault("tag", f'tags such as "{tag}" are not read; remove it', mark)
        match type(event).__name__:
            case "ScalarEvent" if self._awaits_key():
                self._take_key(event.value, not event.style, mark)
            case "ScalarEvent":
                self._take_scalar(event, mark)
            case "AliasEvent":
                self._take_alias(event.anchor, mark)
            case "MappingStartEvent" | "SequenceStartEvent" as kind:
                self._start({} if kind == "MappingStartEvent" else [], event, mark)
            case "MappingEndEvent" | "SequenceEndEvent":
                done = self._open.pop()
                self._put(done.node, done.anchor)
            case "DocumentStartEvent":
                self._start_document(mark)

    def _start_document(self, mark: Mark) -> None:
        self._documents += 1
        if self._documents > 1:
            self._stop(
                "several-documents",
                "a second document starts here; one file is one scenario, so make two of them",
                mark,
            )

    def _awaits_key(self) -> bool:
        top = self._open[-1] if self._open else None
        return top is not None and isinstance(top.node.value, dict) and top.key_mark is None

    def _take_key(self, key: str, is_plain: bool, mark: Mark) -> None:
        top = self._open[-1]
        top.key, top.key_mark, top.kept = key, mark, False
        first = top.node.value.get(key) if isinstance(top.node.value, dict) else None
        if len(key) > _KEY_AT_MOST:
            top.key = f"{key[:30]}…"
            self._fault(
                "key",
                f"a key has at most {_KEY_AT_MOST} characters (got {len(key)}); write a shorter one",
                mark,
            )
        elif is_plain and key == "<<":
            self._fault("merge-key", "merge keys are not read; to build on another file use `extends:`", mark)
        elif is_plain and _kind(key) not in {"text", "int"}:
            self._fault(
                "key",
                f'"{key}" cannot be a key; write a whole number, or put it in quotes if it is a name',
                mark,
            )
        elif first is not None and first.key_mark:
            sentence = f'the key "{key}" is given twice, first in line {first.key_mark.line}; keep one'
            self._fault("duplicate-key", sentence, mark)
        else:
            top.kept = True
            self._check_seen(key, mark)

    def _take_scalar(self, event: Any, mark: Mark) -> None:
        text: str = event.value
        value: Scalar = text
        top = self._open[-1] if self._open else None
        if not event.style:
            try:
                value = _scalar(text)
            except ValueError as error:
                self._fault("bad-value", str(error), mark)
            if not text and top and top.braces and top.key_mark:
                # A key alone is null in YAML, and null means "not there": the planner would never know.
                hint = colon_hint(top.key) or "write `key: value`"
                self._fault("no-value", f"has no value; {hint}", top.key_mark)
        else:
            self._check_seen(text, mark)
        self._count(1, mark)
        self._put(Node(value, mark), event.anchor)

    def _take_alias(self, anchor: str, mark: Mark) -> None:
        if self._awaits_key():
            self._stop("key", "a key must be written out (got an alias); write the name itself", mark)
        if any(anchor == opened.anchor for opened in self._open):
            self._stop(
                "alias", f'"*{anchor}" stands within the value that it names; write the value out', mark
            )
        if anchor not in self._anchors:
            self._stop("alias", f'"*{anchor}" names nothing above; quote text that starts with *', mark)
        node = self._anchors[anchor]
        values, depth = _extent(node)
        self._count(values, mark)
        self._check_depth(depth, mark)
        self._put(replace(node, mark=mark), None)

    def _start(self, value: dict[str, Node] | list[Node], event: Any, mark: Mark) -> None:
        if self._awaits_key():
            got = "braces" if isinstance(value, dict) else "a list"
            self._stop(
                "key", f"a key must be a name; got {got} (a placeholder is to be filled in first)", mark
            )
        self._count(1, mark)
        self._check_depth(1, mark)
        self._open.append(_Open(Node(value, mark), event.anchor, bool(event.flow_style)))

    def _put(self, node: Node, anchor: str | None) -> None:
        """Hand a finished node to the mapping or list around it."""
        if anchor is not None:
            self._anchors[anchor] = node
        if not self._open:
            self.root = node
            return
        top = self._open[-1]
        if isinstance(top.node.value, list):
            top.node.value.append(node)
        elif isinstance(top.node.value, dict):
            if top.kept:
                top.node.value[top.key] = Node(node.value, node.mark, top.key_mark)
            top.key_mark = None

    def _count(self, values: int, mark: Mark) -> None:
        self._values += values
        if self._values > _VALUES_AT_MOST:
            sentence = f"the file (its aliases expanded) holds more than {_VALUES_AT_MOST:,} values"
            self._stop("too-many-values", f"{sentence}; data goes in CSV files", mark)

    def _check_depth(self, levels: int, mark: Mark) -> None:
        if len(self._open) + levels > _DEPTH_AT_MOST:
            self._stop(
                "too-deep",
                f"values are nested more than {_DEPTH_AT_MOST} deep; check the brackets and the indentation",
                mark,
            )

    def _check_seen(self, text: str, mark: Mark) -> None:
        if unseen := _UNSEEN.search(text):
            self._fault("bad-character", _UNSEEN_SENTENCE.format(ord(unseen[0])), mark)

    def _where(self) -> str:
        inner: list[str | int] = []
        for opened in self._open:
            if isinstance(opened.node.value, list):
                inner.append(len(opened.node.value))
            elif opened.key_mark:
                inner.append(opened.key)
        return dotted((*self._path, *inner))

    def _fault(self, code: str, sentence: str, mark: Mark) -> None:
        self.faults.append(Fault(code, sentence, self._where(), mark))

    def _stop(self, code: str, sentence: str, mark: Mark) -> None:
        raise InputError(Fault(code, sentence, "", mark))


def _extent(node: Node) -> tuple[int, int]:
    """How many values a node holds, itself counted, and how many levels."""
    match node.value:
        case dict(children):
            inner = [_extent(child) for child in children.values()]
        case list(items):
            inner = [_extent(item) for item in items]
        case _:
            return 1, 0
    return 1 + sum(values for values, _ in inner), 1 + max((depth for _, depth in inner), default=0)


_SAFE = re.compile(r"[A-Za-z][\w./()+'-]*(?: [\w./()+'-]+)*")
_OLD_BOOLEANS = {"y", "n", "yes", "no", "on", "off"}  # of YAML 1.1: quoted, so that other readers agree


def dump(plain_tree: object) -> str:
    """Write plain values as YAML text, which `parse` reads back exactly.

    Short mappings and lists stand on one line; the text depends on the values alone.

    Raises:
        TypeError: A value is not a mapping, list, tuple, text, number, date, boolean or None.
        ValueError: A number is not finite.
    """
    lines = _block(plain_tree, 0) if _depth(plain_tree) else [_flow(plain_tree)]
    return "\n".join(lines) + "\n"


def _block(tree: object, indent: int) -> list[str]:
    """The lines of a mapping or list that is not empty, each indented."""
    lines: list[str] = []
    pad = " " * indent
    for head, value in _entries(tree):
        flow = f"{pad}{head} {_flow(value)}"
        depth = _depth(value)
        if depth == 0 or (depth <= 2 and len(flow) <= _WIDTH):
            lines.append(flow)
        elif head == "-":
            first, *rest = _block(value, indent + 2)
            lines += [f"{pad}- {first[indent + 2 :]}", *rest]
        else:
            lines += [f"{pad}{head}", *_block(value, indent + 2)]
    return lines


def _entries(tree: object) -> Iterator[tuple[str, object]]:
    if isinstance(tree, Mapping):
        yield from ((f"{_key(key)}:", value) for key, value in tree.items())
    elif isinstance(tree, list | tuple):
        yield from (("-", item) for item in tree)


def _depth(tree: object) -> int:
    """Levels of mappings and lists that are not empty."""
    return max((1 + _depth(value) for _, value in _entries(tree)), default=0)


def _flow(value: object) -> str:
    """A value on one line."""
    match value:
        case Mapping():
            return "{" + ", ".join(f"{_key(key)}: {_flow(child)}" for key, child in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(_flow, value)) + "]"
        case _:
            return _written(value)


def _written(value: object) -> str:
    match value:
        case None | bool():
            return {None: "null", True: "true", False: "false"}[value]
        case str():
            return _quoted(value) if _needs_quotes(value) else str.__str__(value)
        case int():
            return int.__repr__(value)
        case float() if math.isfinite(value):
            digits = float.__repr__(value)
            return digits if "." in digits else digits.replace("e", ".0e")
        case float():
            raise ValueError(f"{value} is not a finite number")
        case dt.date() if not isinstance(value, dt.datetime):
            return value.isoformat()
        case _:
            raise TypeError(f"{type(value).__name__} has no form in a scenario file")


def _key(key: object) -> str:
    """A key; whole numbers need no quotes, since keys are read as their text."""
    if isinstance(key, str):
        return str.__str__(key) if _kind(key) == "int" else _flow(key)
    if isinstance(key, int) and not isinstance(key, bool):
        return int.__repr__(key)
    raise TypeError(f"a key must be text or a whole number, not {type(key).__name__}")


def _needs_quotes(text: str) -> bool:
    return not _SAFE.fullmatch(text) or _kind(text) != "text" or text.lower() in _OLD_BOOLEANS


def _quoted(text: str) -> str:
    named = {"\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}
    escaped = re.sub(r'["\\\n\r\t]', lambda found: named[found[0]], text)
    return '"' + _UNSEEN.sub(lambda found: f"\\U{ord(found[0]):08x}", escaped) + '"'
