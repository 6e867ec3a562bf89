"""Wrong inputs that look right: shipped scenarios, sweeps and data files with a few things changed at random.

Most changes are made in the tree, so that what comes out is still YAML and reaches the checks behind the reader;
the others are made in its bytes, and in the cells of data files. An input is given by its number alone.
"""

from __future__ import annotations

import random
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from iopsim.scenario.distributions import LAW_NAMES
from iopsim.scenario.file import dump, parse, survey
from iopsim.scenario.load import replaces
from iopsim.scenario.tree import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["ENTRY", "Input", "input_number"]

ENTRY = "mine.yaml"
ROOT = Path(__file__).resolve().parents[2]
CLINIC = ROOT / "tests" / "corpus" / "clinic.yaml"
_LARGE = {"health-system.yaml"}  # takes seconds to be put to arithmetic, whatever is wrong in it

Tree = Any
Spot = tuple[Any, Any]
"""A mapping or list of a tree, and one of its keys or indices."""


class Input(NamedTuple):
    """What somebody might give to the program.

    Attributes:
        files: Content by name; `ENTRY` is what is opened.
        story: What was changed in what.
    """

    files: dict[str, bytes]
    story: str

    @property
    def is_sweep(self) -> bool:
        """Whether it is meant for `iopsim sweep`."""
        return self.story.startswith("sweep")


class _Seed(NamedTuple):
    """A sound input: its tree with all its bases laid in, and the files that lie beside it."""

    name: str
    tree: Tree
    beside: dict[str, bytes]


def input_number(number: int, first: int = 0) -> Input:
    """The input of a number: always the same one.

    Args:
        number: From 0.
        first: Names another series.
    """
    chance = random.Random(f"{first} {number}")
    seed = chance.choices(*_weighted())[0]
    tree, beside = _copied(seed.tree), dict(seed.beside)
    kinds: list[Callable[[], str]] = [lambda: _changed_tree(tree, chance)] * 6
    if beside:
        kinds += [lambda: _changed_cells(beside, chance)] * (4 if seed.name != "sweep" else 1)
    done = [chance.choice(kinds)() for _ in range(chance.choice((1, 1, 1, 2, 6)))]
    text = _written(tree, chance)
    if chance.random() < 0.15:
        text, story = _changed_bytes(text, chance)
        done.append(story)
    return Input({**beside, ENTRY: text}, f"{seed.name}: {', '.join(done)}")


@cache
def _seeds() -> dict[str, _Seed]:
    folder = ROOT / "scenarios"
    data = {path.name: path.read_bytes() for path in folder.glob("*.csv")}
    seeds = {"clinic": _Seed("clinic", _whole(CLINIC), {})}
    for path in sorted(folder.glob("*.yaml")):
        if path.name not in _LARGE:
            tree = _whole(path)
            beside = {name: content for name, content in data.items() if name in dump(tree)}
            seeds[path.stem] = _Seed(path.stem, tree, beside)
    for number, path in enumerate(sorted((folder / "sweeps").glob("*.yaml"))):
        tree = plain(parse(path.read_text(encoding="utf-8"), path.name)) | {"base": "base.yaml"}
        seeds[f"sweep{number}"] = _Seed("sweep", tree, {"base.yaml": dump(_whole(CLINIC)).encode()})
    whole = ROOT / "tests" / "unit" / "whole_language.yaml"
    tree = {
        key: value for key, value in _whole(whole).items() if key not in ("uncertain", "ranges", "search")
    }
    beside = {path.name: path.read_bytes() for path in whole.parent.glob("whole_language*.csv")}
    return seeds | {"whole": _Seed("whole", tree, beside)}


def _whole(path: Path) -> Tree:
    root, _ = survey(path, replaces, LAW_NAMES)
    assert root is not None
    return plain(root)


@cache
def _weighted() -> tuple[list[_Seed], list[float]]:
    """Small seeds, and those with data files, more often: they are soon read, and hold as many words."""
    often = {"clinic": 60, "minimal": 80, "sweep0": 2, "sweep1": 1, "replayed-referrals": 2, "from-today": 2}
    seeds = _seeds()
    return [*seeds.values()], [often.get(name, 0.5) for name in seeds]


def _copied(tree: Tree) -> Tree:
    if isinstance(tree, dict):
        return {key: _copied(value) for key, value in tree.items()}
    return [_copied(item) for item in tree] if isinstance(tree, list) else tree


# In the tree


class _Raw(str):
    """Text that stands in the file as it is, without quotes."""

    __slots__ = ()


NUMBERS = (
    0, 1, -1, 2, 3, 7, 0.5, 1.5, -0.001, 1e-9, 1e-300, 1e9, 10**12, 10**17, 1e12, 1e100, 1.7e308, 100, 1000, 10_000,
    1_000_000, 2**31, 2**63 - 1, 0.1, 0.999999, 1.000001, 36_525,
    *map(_Raw, (".inf", "-.inf", ".nan", "NaN", "1e400", "-1e400", "1_000", "0x7fffffff", "0o17", "1e", "+5", "-0.0",
                "0b1", "1,5", "½", "9" * 40, "12%", "3.", ".5", "1:30")),
)  # fmt: skip
TEXTS = (
    "", " ", "home", "returned", "all", "either", "seat", "open", "forever", "unlimited", "auto", "null", "true", "~",
    "../../etc/passwd", "/etc/passwd", "a/b", "..", ".", "CON", "=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)",
    "\t=1", "naïve", "İstanbul", "ß", "пример", "日本語", "🙂", "\u202eevil", "\u200b", "\ufeff",
    "x" * 250, "x" * 10_000,
    "{placeholder}", "%s", "${HOME}", "`x`", "a: b", "# no", "- x", "[", "{", "'", '"', "\\", "&a", "*a", "!!int 3",
    "2027-01-04", "2027-02-30", "09:00", "25:00", "24:00", "mon", "sunday", "csv", "lognormal", "levels.iop.places",
)  # fmt: skip
DATES = (
    "0001-01-01",
    "9999-12-31",
    "1949-12-31",
    "2200-01-02",
    "2027-02-29",
    "2027-01-04",
    "2026-12-31",
    "2027-1-4",
)
CONTROL = ("\0", "a\nb", "\x01", "\x1b[31m", "\x7f", "\x85", "\u2028")


def _changed_tree(tree: Tree, chance: random.Random) -> str:
    """Change one thing in a tree, and say what."""
    spots = list(_spots(tree))
    if not spots:
        return "nothing left"
    return chance.choices(_CHANGES, _OFTEN)[0](spots, chance)


def _spots(tree: Tree) -> Iterator[Spot]:
    items = tree.items() if isinstance(tree, dict) else enumerate(tree if isinstance(tree, list) else ())
    for key, child in list(items):
        yield tree, key
        yield from _spots(child)


def _drop(spots: list[Spot], chance: random.Random) -> str:
    part, key = chance.choice(spots)
    del part[key]
    return f"{key} dropped"


def _rename(spots: list[Spot], chance: random.Random) -> str:
    mappings = [spot for spot in spots if isinstance(spot[0], dict)]
    if not mappings:
        return "nothing to rename"
    part, key = chance.choice(mappings)
    typo = _typo(str(key), chance)
    new = chance.choice((typo, typo, typo, str(chance.choice(mappings)[1]), chance.choice(TEXTS)))
    renamed = {new if one == key else one: value for one, value in part.items()}
    part.clear()
    part.update(renamed)
    return f"{key} renamed"


def _typo(word: str, chance: random.Random) -> str:
    at = chance.randrange(len(word) + 1)
    return chance.choice((
        word[:at] + word[at + 1 :],
        word[:at] + chance.choice("aeixyz_-.* é") + word[at:],
        word[: at - 1] + word[at : at + 1] + word[at - 1 : at] + word[at + 1 :] if at else word.upper(),
        word.replace("_", "-"),
        word.capitalize(),
    ))  # fmt: skip


def _extreme(spots: list[Spot], chance: random.Random) -> str:
    """Another number where one stands, or where the unit of a key asks for one."""
    numbers = [(part, key) for part, key in spots if isinstance(part[key], int | float)]
    part, key = chance.choice(numbers or spots)
    there, number = part[key], chance.choice(NUMBERS)
    if chance.random() < 0.6 and isinstance(there, int | float):
        number = float(there) * chance.choice((0, -1, 0.5, 2, 2, 3, 10, 0.1, 1000, 1e6, 1e-6))
        number = int(number) if isinstance(there, int) and number.is_integer() else min(number, 1e308)
    part[key] = number
    return f"{key}: {number!s:.20}"


def _retype(spots: list[Spot], chance: random.Random) -> str:
    part, key = chance.choice(spots)
    value = part[key]
    several = [_copied(value) for _ in range(3)]
    part[key] = chance.choice(([], {}, [value], {"a": value}, True, False, str(value), several, _Raw("")))
    return f"{key} of another type"


def _word(spots: list[Spot], chance: random.Random) -> str:
    part, key = chance.choice(spots)
    part[key] = chance.choice((*TEXTS, *CONTROL, *map(_Raw, DATES)))
    return f"{key}: {part[key][:20]!a}"


def _splice(spots: list[Spot], chance: random.Random) -> str:
    """A piece of another scenario, most often one that stands under the same key there."""
    other = _pieces(chance.choice(sorted(_seeds())))
    part, key = chance.choice(spots)
    alike = [spot for spot in other if spot[1] == key]
    from_part, from_key = chance.choice(alike if alike and chance.random() < 0.7 else other)
    part[key] = _copied(from_part[from_key])
    return f"{from_key} put at {key}"


@cache
def _pieces(name: str) -> list[Spot]:
    return list(_spots(_seeds()[name].tree))


def _swap(spots: list[Spot], chance: random.Random) -> str:
    (part, key), (other, name) = chance.choice(spots), chance.choice(spots)
    part[key], other[name] = _copied(other[name]), _copied(part[key])
    return f"{key} and {name} changed places"


def _wrap(spots: list[Spot], chance: random.Random) -> str:
    part, key = chance.choice(spots)
    for _ in range(chance.choice((1, 5, 42))):
        part[key] = [part[key]] if chance.random() < 0.5 else {"a": part[key]}
    return f"{key} nested"


def _more(spots: list[Spot], chance: random.Random) -> str:
    """Many more of what a mapping or list holds."""
    parts = [(part, key) for part, key in spots if part[key] and isinstance(part[key], dict | list)]
    if not parts:
        return "nothing to repeat"
    part, key = chance.choice(parts)
    times = chance.choice((2, 2, 2, 10, 120))
    if isinstance(part[key], list):
        part[key] = [_copied(item) for item in part[key] * times]
    else:
        name, value = chance.choice(list(part[key].items()))
        part[key] |= {f"{name}_{number}": _copied(value) for number in range(times)}
    return f"{key} {times} times"


def _law(spots: list[Spot], chance: random.Random) -> str:
    """A law where another stands, or where none is expected."""
    laws = [
        spot for spot in spots if isinstance(spot[0][spot[1]], dict) and spot[0][spot[1]].keys() & LAW_NAMES
    ]
    part, key = chance.choice(laws or spots)
    names = (
        "mean",
        "cv",
        "median",
        "shape",
        "scale",
        "min",
        "max",
        "mode",
        "sd",
        "at_least",
        "at_most",
        "value",
    )
    given = {name: chance.choice(NUMBERS) for name in chance.sample(names, chance.randrange(4))}
    part[key] = {chance.choice(sorted(LAW_NAMES)): given}
    return f"{key}: a law"


_CHANGES = (_drop, _rename, _extreme, _retype, _word, _splice, _swap, _wrap, _more, _law)
_OFTEN = (3, 1, 6, 1, 1, 3, 1, 1, 1, 1)


# In bytes


def _written(tree: Tree, chance: random.Random) -> bytes:
    """The tree as YAML, in which what is raw stands without quotes."""
    raw: dict[str, str] = {}

    def marked(value: Tree) -> Tree:
        if isinstance(value, dict):
            return {_text(key): marked(child) for key, child in value.items()}
        if isinstance(value, list):
            return [marked(item) for item in value]
        if isinstance(value, _Raw):
            raw[f"raw{len(raw)}raw"] = str(value)
            return [*raw][-1]
        return value

    text = dump(marked(tree)) if tree else ""
    text = re.sub(r"raw\d+raw", lambda found: raw.get(found[0], ""), text)
    if chance.random() < 0.05:
        text = text.replace("\n", "\r\n")
    return text.encode("utf-8", "replace")


def _text(key: object) -> object:
    return key if isinstance(key, int) else str(key)


NOISE = (
    b"\t", b"---\n", b"...\n", b"!!python/object:os.system ", b"&a ", b"*a", b"<<: ", b"? ", b"%YAML 1.1\n", b"\0",
    b"\xff\xfe", b"\xef\xbb\xbf", b"\xe9", b": ", b"- ", b"#", b"|\n", b">-\n", b"{", b"}", b"[", b"]", b"'", b'"',
    b",", b"\r", b"\x1b", b"name: again\n", b"!!binary ", b"@", b"`", b"\xf0\x9f\x99\x82", b"\xe2\x80\xae",
)  # fmt: skip


def _changed_bytes(text: bytes, chance: random.Random) -> tuple[bytes, str]:
    """The text with something done to its bytes, and what."""
    at, to = sorted(chance.randrange(len(text) + 1) for _ in range(2))
    lines = text.splitlines(keepends=True) or [b""]
    line, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    noisy = bytearray(text)
    for _ in range(chance.choice((1, 3, 30))):
        place = chance.randrange(len(noisy) + 1)
        noisy[place : place + chance.randrange(2)] = bytes([chance.randrange(256)])
    readable = text.decode("utf-8", "replace")
    ways: dict[str, Callable[[], bytes]] = {
        "cut off": lambda: text[:at],
        "cut at the start": lambda: text[at:],
        "a piece gone": lambda: text[:at] + text[min(to, at + 40) :],
        "a piece twice": lambda: text[:to] + text[at:],
        "noise": lambda: bytes(noisy),
        "a word of YAML": lambda: text[:at] + chance.choice(NOISE) + text[at:],
        "a line of YAML": lambda: b"".join([*lines[:line], chance.choice(NOISE), *lines[line:]]),
        "a line twice": lambda: b"".join([*lines[: line + 1], *lines[line:]]),
        "a line elsewhere": lambda: b"".join([*lines[:line], lines[other], *lines[line:]]),
        "a line indented": lambda: b"".join([*lines[:line], b" " * chance.randrange(1, 5), *lines[line:]]),
        "UTF-16": lambda: readable.encode("utf-16"),
        "latin-1": lambda: readable.encode("latin-1", "replace"),
        "a BOM": lambda: b"\xef\xbb\xbf" + text,
        "old Mac": lambda: text.replace(b"\n", b"\r"),
    }
    name = chance.choice([*ways])
    return ways[name](), name


# In data files


CELLS = (
    "", " ", "0", "-1", "1.5", "nan", "inf", "1e400", "9" * 30, "2027-01-04", "01/04/2027", "2027-13-01", "9999-12-31",
    "0001-01-01", "2027-01-03 25:00", "2027-01-03T10:00Z", "iop", "php", "mood", "=1+1", "@x", "é", "🙂", '"', "'", ",",
    ";", "a" * 500, "\0", "\n", "home", "returned", "all",
)  # fmt: skip


def _changed_cells(beside: dict[str, bytes], chance: random.Random) -> str:
    """Change one of the files that lie beside."""
    if not beside:
        return "nothing beside"
    name = chance.choice(sorted(beside))
    if chance.random() < 0.08:
        del beside[name]
        return f"no {name}"
    if name.endswith(".yaml") or chance.random() < 0.2:
        beside[name], what = _changed_bytes(beside[name], chance)
        return f"{name}: {what}"
    rows = [line.split(",") for line in beside[name].decode("utf-8", "replace").splitlines()] or [[""]]
    at = chance.randrange(len(rows)) if chance.random() < 0.7 else 0
    cell = chance.randrange(len(rows[at]))
    ways: dict[str, Callable[[], object]] = {
        "a cell": lambda: rows[at].__setitem__(cell, chance.choice(CELLS)),
        "a cell gone": lambda: rows[at].pop(cell),
        "a cell more": lambda: rows[at].insert(cell, chance.choice(CELLS)),
        "a row gone": lambda: rows.pop(at),
        "a row twice": lambda: rows.insert(at, list(rows[at])),
        "a column gone": lambda: [row.pop(cell) for row in rows if cell < len(row)],
        "a typo": lambda: rows[at].__setitem__(cell, _typo(rows[at][cell], chance)),
        "no rows": lambda: rows.__delitem__(slice(1, None)),
        "many rows": lambda: rows.extend(rows[1:] * 4),
    }
    what = chance.choice([*ways])
    ways[what]()
    beside[name] = "\n".join(",".join(row) for row in rows).encode()
    return f"{name}: {what}"
