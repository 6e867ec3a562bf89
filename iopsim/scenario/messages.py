"""What validation finds, in a planner's words: what is wrong, what was got, what to do."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from inspect import isclass
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core.core_schema import ErrorType

from iopsim.scenario.distributions import LAW_NAMES, Law
from iopsim.scenario.distributions.faults import closest
from iopsim.scenario.distributions.law import LAWS
from iopsim.scenario.findings import MISSING, Finding, words
from iopsim.scenario.schema import Scenario
from iopsim.scenario.tree import locate

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    from iopsim.scenario.tree import Node, Path

__all__ = ["findings", "keys_of", "types_at"]

_BOUNDS = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}
_LENGTHS = {"too_short", "too_long", "string_too_short", "string_too_long"}
_ANSWERS = {"yes": "true", "on": "true", "no": "false", "off": "false"}
_TYPES = {float: "a number", int: "a whole number", str: "text"}


def findings(error: ValidationError, root: Node, whole: type[BaseModel] = Scenario) -> list[Finding]:
    """Every fault of a validation of the tree at `root` as a `whole`, one for each key."""
    found = [
        _finding(details, locate(root, details["loc"])[0], whole)
        for details in error.errors(include_url=False)
        if not _is_cut_short(details)
    ]
    meant = {
        (*finding.path[:-1], near[1])
        for finding in found
        if finding.code == "unknown-key" and (near := re.search(r'did you mean "(.+)"', finding.message))
    }
    return [
        finding
        for finding in dict.fromkeys(found)
        if finding.code != MISSING or not any(_is_for(finding.path, path, whole) for path in meant)
    ]


def _is_cut_short(details: ErrorDetails) -> bool:
    """Whether a list seems to be too short only because some of its items are wrong."""
    got, wanted = details["input"], details.get("ctx", {}).get("min_length", 0)
    return details["type"] == "too_short" and isinstance(got, list | tuple) and len(got) >= wanted


def _is_for(missing: Path, meant: Path, whole: type[BaseModel]) -> bool:
    """Whether what was meant, and misspelled, is the missing key, or belongs to another form of its part."""
    forms = [keys for kind in types_at(meant[:-1], whole) if meant[-1] in (keys := keys_of(kind))]
    return missing[:-1] == meant[:-1] and (missing == meant or not any(missing[-1] in keys for keys in forms))


def _finding(details: ErrorDetails, path: Path, whole: type[BaseModel]) -> Finding:
    if details["type"] == "missing":
        key = details["loc"][-1]
        return Finding(MISSING, (*path, key), f"needs `{key}`")
    code, message = _explained(details, _said_at(path), whole)
    return Finding(code, path, message)


def _said_at(path: Path) -> Path:
    """The place that a value of a dated change is for; any other path as it is."""
    match path:
        case ("changes", _, "set", str(place), *below):
            return (*place.split("."), *below)
        case _:
            return path


def _explained(details: ErrorDetails, path: Path, whole: type[BaseModel]) -> tuple[str, str]:
    kind, got = details["type"], details["input"]
    if kind == "extra_forbidden":
        return "unknown-key", f"unknown key{_hint(path, whole)}"
    if kind in _BOUNDS:
        return "out-of-range", _out_of_range(details)
    if kind in _LENGTHS:
        return "length", _wrong_length(details)
    if kind == "value_error":
        of_key = (
            f"a key here must be a whole number (got {_got(got)})" if details["loc"][-1] == "[key]" else ""
        )
        return "bad-value", of_key or str(details["ctx"]["error"])
    if kind not in get_args(ErrorType):
        return kind.replace("_", "-"), details["msg"]
    types = types_at(path, whole)
    last = details["loc"][-1]
    if path and path[-1] != last:  # a bare value was written for a part, such as a share for a destination
        types = [inner for part in filter(_is_part, types) for inner in _inside(part, last)] or types
    expected = words(dict.fromkeys(word for kind in types for word in _described(kind)), "or")
    return "wrong-type", f"must be {expected} (got {_got(got)}){_remedy(types, got)}"


def types_at(path: Path, whole: type[BaseModel] = Scenario) -> list[Any]:
    """The types that a value at `path` of a `whole` may have; none if there is no such place in the language."""
    types: list[Any] = [whole]
    for step in path:
        types = [inner for outer in types for inner in _inside(outer, step)]
    return [kind for kind in types if kind is not type(None)]


def _is_part(kind: Any) -> bool:
    return isclass(kind) and issubclass(kind, BaseModel)


def _inside(kind: Any, step: str | int) -> Iterator[Any]:
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Law:
        yield from [LAWS[step]] if step in LAWS else []
    elif _is_part(kind):
        fields = {field.alias or name: field for name, field in kind.model_fields.items()}
        yield from _members(fields[str(step)].annotation) if step in fields else ()
    elif origin is tuple if isinstance(step, int) else origin is Mapping:
        yield from _members(inner[0] if origin is tuple else inner[1])


def _members(annotation: Any) -> Iterator[Any]:
    """The alternatives of a type."""
    if get_origin(annotation) is Annotated:
        yield from _members(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, UnionType):
        for member in get_args(annotation):
            yield from _members(member)
    else:
        yield annotation


def keys_of(kind: Any) -> list[str]:
    """The keys that the language knows in a mapping of that type; none where names stand."""
    if kind is Law:
        return sorted(LAW_NAMES)
    if _is_part(kind):
        return [field.alias or name for name, field in kind.model_fields.items()]
    return []


def _hint(path: Path, whole: type[BaseModel]) -> str:
    keys = [key for kind in types_at(path[:-1], whole) for key in keys_of(kind)]
    return (
        closest(str(path[-1]), keys)
        or f"; the key{'s here are' if len(keys) > 1 else ' here is'} {words(keys)}"
    )


def _described(kind: Any) -> Iterator[str]:
    """What may stand where a type is wanted, each alternative by itself."""
    origin = get_origin(kind)
    if origin is Literal:
        yield from (f"`{choice}`" for choice in get_args(kind))
    elif kind is bool:
        yield from ("true", "false")
    elif keys := keys_of(kind):
        yield f"a mapping with the key{'s' * (len(keys) > 1)} {words(keys)}"
    elif kind is dt.date or origin is tuple:
        yield "a list" if origin is tuple else "a date such as 2027-01-04"
    else:
        numbered = origin is Mapping and int in _members(get_args(kind)[0])
        yield _TYPES.get(kind, f"a mapping such as {'{0: 0.8}' if numbered else '{name: value}'}")


def _got(value: object) -> str:
    if isinstance(value, str):
        return f'text "{value[:40]}"'
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    return str(value)


def _remedy(types: list[Any], got: object) -> str:
    """What to write instead, where the value shows what was meant."""
    if isinstance(got, str):
        return _text_remedy(types, got)
    if str in types and isinstance(got, int | float | dt.date):
        return "; put it in quotes"
    if int in types and isinstance(got, float) and got.is_integer():
        return f"; write {got:.0f}"
    if isinstance(got, Mapping):
        return '; write it as an item of a list, after "- "' if any(map(_is_part, _items(types))) else ""
    return f"; write [{got}]" if _is_plain(got) and not all(map(_is_part, _items(types))) else ""


def _items(types: list[Any]) -> list[Any]:
    """The types that items may have where a list may stand."""
    return [item for kind in types if get_origin(kind) is tuple for item in _members(get_args(kind)[0])]


def _is_plain(got: object) -> bool:
    """Whether it is a value that could be one of a list."""
    return isinstance(got, int | float | dt.date) and not isinstance(got, bool)


def _text_remedy(types: list[Any], got: str) -> str:
    choices = [choice for kind in types if get_origin(kind) is Literal for choice in get_args(kind)]
    if near := closest(got, map(str, choices)):
        return f"; {near[2:-1]}"
    if bool in types and got.lower() in _ANSWERS:
        return f"; write {_ANSWERS[got.lower()]}"
    if dt.date in types and re.fullmatch(r"\d{4}-\d\d-\d\d", got):
        return "; write it without quotes"
    if dt.date in types and re.search(r"\d", got):
        return "; write year-month-day"
    if not all(map(_is_part, _items(types))):
        return f"; write [{got}]"
    return _number_remedy(got) if {int, float} & set(types) else ""


def _number_remedy(got: str) -> str:
    if re.fullmatch(r"[-+]?\d+(\.\d+)?", got):
        return "; write it without quotes"
    if percent := re.fullmatch(r"(\d+(?:\.\d+)?) *%", got):
        return f"; write {float(percent[1]) / 100:g}"
    return "; write the number alone, its unit is in the key" if re.match(r"[-+]?\d", got) else ""


def _out_of_range(details: ErrorDetails) -> str:
    key, word = _BOUNDS[details["type"]]
    bound, got = details["ctx"][key], details["input"]
    is_percent = bound == 1 and key in ("le", "lt") and 1 < got <= 100
    remedy = f"; {got:g} % is written {got / 100:g}" if is_percent else ""
    return f"must be {word} {_number(bound)} (got {_number(got)}){remedy}"


def _number(value: object) -> str:
    """A number with marks at the thousands, or a date."""
    if isinstance(value, float):
        return f"{value:,.15g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _wrong_length(details: ErrorDetails) -> str:
    context = details["ctx"]
    bound = context.get("min_length") or context.get("max_length")
    if details["type"].startswith("string"):
        few = "at least" if "min_length" in context else "at most"
        return f'needs {few} {bound} character{"s" * (bound != 1)} (got "{details["input"][:40]}")'
    if bound == 1:
        return "is empty; it needs at least one entry"
    return f"needs {bound} values (got {context['actual_length']})"
