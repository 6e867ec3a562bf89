"""What YAML text means in a scenario, what is refused and how, and writing values back."""

import datetime as dt
import time
from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iopsim.errors import Fault, InputError, Mark
from iopsim.scenario import file
from iopsim.scenario.file import dump, parse
from iopsim.scenario.tree import Node, plain
from tests.properties.mutations import input_number


def faults_of(text: str) -> tuple[Fault, ...]:
    with pytest.raises(InputError) as caught:
        parse(text, "f")
    return caught.value.faults


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(
            (word, word)
            for word in ("no", "yes", "on", "Off", "y", "9:30", "1_000", "0b11", "-_", ".", "e1", "1e")
        ),
        ("true", True),
        ("FALSE", False),
        ("0o17", 15),
        ("017", 17),
        ("0xff", 255),
        ("-12", -12),
        ("+3", 3),
        ("123456789012345678", 123456789012345678),
        ("1e3", 1000.0),
        ("1.", 1.0),
        (".5", 0.5),
        ("-1.5e-3", -0.0015),
        ("2027-01-04", dt.date(2027, 1, 4)),
        ("2027-1-4", "2027-1-4"),
        ("null", None),
        ("~", None),
        ("", None),
        ('"09:00"', "09:00"),
        ("'true'", "true"),
        ('"2027-01-04"', "2027-01-04"),
        ("[1, a: 2]", [1, {"a": 2}]),
    ],
)
def test_scalars_are_yaml_1_2_with_dates(text: str, value: object) -> None:
    (got,) = plain(parse(f"a: {text}\n", "f")).values()
    assert got == value
    assert type(got) is type(value)


def test_keys_are_text_and_whole_numbers_keep_theirs() -> None:
    assert plain(parse("{0: a, 14: b, on: c, no: d, '1.5': e}", "f")) == {
        "0": "a",
        "14": "b",
        "on": "c",
        "no": "d",
        "1.5": "e",
    }


def test_places() -> None:
    tree = parse("a:\n  - b: é1\n    c: [x, y]\n", "f")
    assert tree.mark == Mark("f", 1, 1)
    item = tree.value["a"].value[0]
    assert (item.mark, item.key_mark) == (Mark("f", 2, 5), None)
    assert (item.value["b"].key_mark, item.value["b"].mark) == (Mark("f", 2, 5), Mark("f", 2, 8))
    assert item.value["c"].value[1].mark == Mark("f", 3, 12)


def test_an_alias_repeats_a_value_at_its_own_place() -> None:
    tree = parse("a: &x {n: 1}\nb: *x\nc: [*x]\n", "f")
    assert plain(tree) == {"a": {"n": 1}, "b": {"n": 1}, "c": [{"n": 1}]}
    assert (tree.value["b"].key_mark, tree.value["b"].mark) == (Mark("f", 2, 1), Mark("f", 2, 4))


@pytest.mark.parametrize(
    ("text", "place", "code", "sentence"),
    [
        ("a:\n  b: 1\n  b: 2\n", "3:3", "duplicate-key", 'a.b: the key "b" is given twice, first in line 2'),
        ("{0: 1, '0': 2}", "1:8", "duplicate-key", 'the key "0" is given twice'),
        ("a: &x {b: 1}\nc: {<<: *x}\n", "2:5", "merge-key", "use `extends:`"),
        ("a: !foo 1", "1:4", "tag", 'a: tags such as "!foo"'),
        ("a: [!!python/object:os.system x]", "1:5", "tag", 'a[0]: tags such as "!!python/object:os.system"'),
        ("a: !!str 5", "1:4", "tag", "!!str"),
        ("true: 1", "1:1", "key", '"true" cannot be a key'),
        ("~: 1", "1:1", "key", '"~" cannot be a key'),
        ("1.5: 1", "1:1", "key", '"1.5" cannot be a key'),
        ("2027-01-04: 1", "1:1", "key", '"2027-01-04" cannot be a key'),
        ("? [a]\n: 1", "1:3", "key", "a key must be a name; got a list"),
        ("a: {{ rate }}", "1:5", "key", "a placeholder is to be filled in first"),
        ("a: &x b\n*x : 1", "2:1", "key", "got an alias"),
        (f"{{{'k' * 201}: 1}}", "1:2", "key", "at most 200 characters (got 201)"),
        ("a: 1\n---\nb: 1", "2:1", "several-documents", "a second document"),
        ("a: 1\n...\nb: 1", "3:1", "several-documents", "a second document"),
        ("a: &x [1, *x]", "1:11", "alias", '"*x" stands within the value that it names'),
        ("a: *nobody", "1:4", "alias", '"*nobody" names nothing above'),
        ("a: {b: .inf}", "1:8", "bad-value", "a.b: .inf is not a finite number"),
        ("a: [1, .NaN]", "1:8", "bad-value", "a[1]: .NaN is not a finite number"),
        ("a: 1e999", "1:4", "bad-value", "1e999 is not a finite number"),
        ("a: 1234567890123456789", "1:4", "bad-value", "more than 18 digits"),
        (f"a: {'9' * 5000}", "1:4", "bad-value", "more than 18 digits"),
        ("a: 2027-02-30", "1:4", "bad-value", "not a day of the calendar"),
        ("a: 2027-01-04 09:00", "1:4", "bad-value", "a date with a time"),
        ("a: 2027-01-04T09:00:00Z", "1:4", "bad-value", "a date with a time"),
        ("a: {seats:12, b: 1}", "1:5", "no-value", "put a space after the colon: `seats: 12`"),
        ("a: {posts: 4, fte 0.5}", "1:15", "no-value", 'a."fte 0.5": has no value; write `key: value`'),
        ("a: b\x07c", "1:5", "bad-character", "U+0007"),
        ("x: 1\na: b\ufeffc", "2:5", "bad-character", "U+FEFF"),
        ('a: "b\\0"', "1:4", "bad-character", "a: the character U+0000"),
        ('a: "\\ud83d"', "1:4", "bad-character", "U+D83D"),
        ("a:\n\tb: 1", "2:1", "yaml-syntax", "a tab stands here; use spaces"),
        ("a:\n  b: 1\n\tc: 2", "3:1", "yaml-syntax", "use spaces"),
        ('a: 1\nname: "abc\nb: 1\n', "2:7", "yaml-syntax", "the quote that opens here is never closed"),
        ("a: 'it's'\n", "1:8", "yaml-syntax", "check quotes and brackets"),
        (
            "a: 1\nb: [1, 2\n",
            "2:4",
            "yaml-syntax",
            'the bracket that opens here is never closed; add "]" at its end',
        ),
        ("a: {x: 1 y: 2}", "1:11", "yaml-syntax", 'a "," or the closing "}" is missing between 1:4 and 1:11'),
        ("a: [1,, 2]", "1:7", "yaml-syntax", "a value is missing here"),
        ("a:\n  seats:12\n  hours: 3\n", "2:8", "yaml-syntax", "put a space after the colon: `seats: 12`"),
        ("a:\n  hours: 3\n  seats:12\n", "3:8", "yaml-syntax", "put a space after the colon: `seats: 12`"),
        ("a:\n  hours: 3\n  seats 12\n", "3:3", "yaml-syntax", "expected `key: value`"),
        ("a: b: c", "1:5", "yaml-syntax", 'quote text that holds ": "'),
        ("a: 1\n  b: 2", "2:4", "yaml-syntax", "check the indentation"),
        ("a:\n  b: 1\n c: 2\n", "3:2", "yaml-syntax", "check the indentation"),
        ("a: - 1", "1:4", "yaml-syntax", "a list item"),
        ("a: @x", "1:4", "yaml-syntax", 'text cannot start with "@"'),
        ('a: "C:\\data"', "1:8", "yaml-syntax", "use single quotes"),
        ("a: *", "1:4", "yaml-syntax", "text that starts with *"),
        ('a: "\\UFFFFFFFF"', "1:2", "yaml-syntax", "an escape of no letter; use single quotes"),
        ("a: |x\n  b", "1:5", "yaml-syntax", "this is not YAML: expected chomping"),
        ("# first\n%YAML 1.1\n---\na: 1", "2:1", "directive", "lines that start with % are not read"),
    ],
)
def test_faults(text: str, place: str, code: str, sentence: str) -> None:
    (fault,) = faults_of(text)
    assert fault.code == code
    assert str(fault).startswith(f"f:{place}: error: ")
    assert sentence in str(fault)


def test_all_faults_of_a_text_are_told_at_once() -> None:
    text = "a:\n  b: 1\n  b: {c: .inf}\n  d: !x 1\ntrue: 2027-13-01\ne: [\n"
    assert [(fault.code, fault.path, fault.mark.line) for fault in faults_of(text)] == [
        ("duplicate-key", "a.b", 3),
        ("bad-value", "a.b.c", 3),
        ("tag", "a.d", 4),
        ("key", "true", 5),
        ("bad-value", "true", 5),
        ("yaml-syntax", "", 7),
    ]


BOMBS = {
    "aliases": (
        "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
        + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)),
        "too-many-values",
    ),
    "values": ("a: [" + "1, 1, 1, 1, 1,\n" * 19_000 + "]", "too-many-values"),
    "brackets": ("[" * 90_000, "too-deep"),
    "braces": ("{a:\n" * 19_000, "too-deep"),
    "dashes": ("- " * 45_000, "too-deep"),
    "lines": ("".join(f"{' ' * i}a:\n" for i in range(1000)), "too-deep"),
    "deep aliases": (f"a: &a {'[' * 30}{']' * 30}\nb: {'[' * 20}*a{']' * 20}", "too-deep"),
    "keys": ("? " * 45_000, "key"),
    "tags": ("!a\n" * 19_000, "yaml-syntax"),
    "quote": ('"' + ("x " * 49_000 + "\n") * 10, "yaml-syntax"),
    "text": ('a: "' + "x\n" * 400_000 + '"', "too-many-lines"),
    "long tag": ("!" + "a" * 900_000, "long-line"),
    "tag": ("a: !" + "a" * 99_000, "tag"),
    "colons": ("a:" * 45_000, "yaml-syntax"),
    "directives": ("a: 1\n...\n" + "%X\n" * 300_000, "directive"),
}


@pytest.mark.parametrize(("text", "code"), BOMBS.values(), ids=BOMBS)
def test_bombs_are_refused_within_five_seconds(text: str, code: str) -> None:
    start = time.process_time()
    assert faults_of(text)[-1].code == code
    assert time.process_time() - start < 5.0


def test_a_full_scenario_is_read_fast() -> None:
    group = (
        "    {name}: {{tracks: [mood], days: [mon, wed], start: '09:00', hours: 3, seats: 12, fte: 0.8}}\n"
    )
    text = "levels:\n  iop:\n" + "".join(group.format(name=f"g{i}") for i in range(100))
    start = time.process_time()
    parse(text, "f")  # some 1000 values, as many as the language by example holds
    assert time.process_time() - start < 0.5  # generous: about 0.06 s


def test_dump_is_short_where_it_can_be() -> None:
    tree = {
        "name": "baseline",
        "start": dt.date(2027, 1, 4),
        "stay_days": {"lognormal": {"mean": 10, "cv": 0.75}},
        "show": {"by_lead_days": {0: 0.8, "7": 0.65}},
        "group": {"start": "09:00", "days": ["mon", "no"], "notes": ["assumption: " + "x" * 80, ""]},
        "payers": {"medicare": {}, "list": [], "deep": {"a": {"b": {"c": 1}}}},
        "targets": [{"metric": "iop.wait_days.p90", "at_most": 14}, {"a": {"b": {"c": 1}}, "d": 2}],
        "odd": ["null", "1", "2027-01-04", "1e3", 1e-5, 1e22, 2.0, True, None],
    }
    assert dump(tree) == (
        "name: baseline\n"
        "start: 2027-01-04\n"
        "stay_days: {lognormal: {mean: 10, cv: 0.75}}\n"
        "show: {by_lead_days: {0: 0.8, 7: 0.65}}\n"
        "group:\n"
        '  start: "09:00"\n'
        '  days: [mon, "no"]\n'
        "  notes:\n"
        f'    - "assumption: {"x" * 80}"\n'
        '    - ""\n'
        "payers:\n"
        "  medicare: {}\n"
        "  list: []\n"
        "  deep:\n"
        "    a: {b: {c: 1}}\n"
        "targets:\n"
        "  - {metric: iop.wait_days.p90, at_most: 14}\n"
        "  - a: {b: {c: 1}}\n"
        "    d: 2\n"
        'odd: ["null", "1", "2027-01-04", "1e3", 1.0e-05, 1.0e+22, 2.0, true, null]\n'
    )


texts = st.text(
    st.characters(
        codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\u2028\u2029\ufeff\ufffe\uffff"
    )
)
words = st.sampled_from(
    ["no", "null", "true", "9:30", "1_0", "-", "? x", "a: b", "a #b", "~", "=", "<<", "\t", "%", "a\nb\r"]
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**18) + 1, 10**18 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.dates()
    | texts
    | words
)
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts | words, inner, max_size=4),
    max_leaves=12,
)


@given(trees)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_dump_is_read_back_exactly(tree: object) -> None:
    assert repr(plain(parse(dump(tree), "f"))) == repr(tree)  # repr tells 1 from 1.0 and True, 0.0 from -0.0


@given(texts, st.integers(0, 60))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_no_text_ends_in_anything_but_a_tree_or_faults(noise: str, at: int) -> None:
    sample = 'a: {b: [1, "x", &y z], c: *y}\nd:\n  - e: |\n      text\n  - !t f\n'
    try:
        parse(sample[:at] + noise + sample[at:], "f")
    except InputError as error:
        assert all(str(fault) for fault in error.faults)


@pytest.mark.slow
def test_the_quick_reader_reads_what_the_other_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [
        text.decode("utf-8-sig", "replace") for i in range(120) for text in input_number(i).files.values()
    ]
    by_quick, stumbled = [read(text) for text in texts], 0

    def stumble(_: str) -> Iterator[None]:
        nonlocal stumbled
        stumbled += 1
        raise file._Stumbled
        yield

    monkeypatch.setattr(file, "_quick_events", stumble)
    assert [read(text) for text in texts] == by_quick
    assert stumbled > 100
    assert sum(isinstance(tree, Node) for tree in by_quick) > 80, "most have a tree to compare"


def read(text: str) -> Node | tuple[Fault, ...]:
    """What a text means; where nothing stands, the readers may see it in different places."""

    def sure(node: Node) -> Node:
        match node.value:
            case None:
                return replace(node, mark=Mark("f"))
            case dict(children):
                return replace(node, value={key: sure(child) for key, child in children.items()})
            case list(items):
                return replace(node, value=[sure(item) for item in items])
        return node

    try:
        return sure(parse(text, "f"))
    except InputError as error:
        return error.faults


def test_dump_takes_plain_values_only() -> None:
    assert dump({"a": StrEnum("Word", ["ONE"]).ONE, "b": (1, 2)}) == "a: one\nb: [1, 2]\n"
    for wrong in ({1, 2}, dt.datetime(2027, 1, 4), b"x", {None: 1}, {True: 1}):
        with pytest.raises(TypeError):
            dump(wrong)
    with pytest.raises(ValueError, match="not a finite number"):
        dump([float("inf")])
