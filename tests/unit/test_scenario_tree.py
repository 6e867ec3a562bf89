"""The tree of a scenario: merging, placing and finding, on trees read from short texts."""

import datetime as dt

import pytest

from iopsim.errors import InputError, Mark
from iopsim.scenario.file import assign, parse
from iopsim.scenario.tree import Step, dotted, locate, merge, plain, put, without_nulls

LAWS = frozenset({"exponential", "lognormal", "gamma"})


def never(path: tuple) -> bool:
    return False


def merged(base: str, over: str, replaces=never, laws=LAWS) -> object:
    return plain(merge(parse(base, "base"), parse(over, "over"), replaces, laws))


@pytest.mark.parametrize(
    ("base", "over", "expected"),
    [
        ("{a: {x: 1, y: 2}, b: 3}", "{a: {y: 5, z: 6}}", {"a": {"x": 1, "y": 5, "z": 6}, "b": 3}),
        ("{a: [1, 2, 3]}", "{a: [4]}", {"a": [4]}),
        ("{a: {x: 1}}", "{a: 2}", {"a": 2}),
        ("{a: 2}", "{a: {x: 1}}", {"a": {"x": 1}}),
        ("{a: {x: 1, y: 2}, b: 1}", "{a: {x: null}, b: ~}", {"a": {"y": 2}}),
        ("{a: 1}", "{b: null, c: {d: null, e: 1}}", {"a": 1, "c": {"e": 1}}),
        ("{a: 1, b: null}", "{a: 2}", {"a": 2}),
        ("{a: 1}", "{}", {"a": 1}),
    ],
    ids=["deep", "list", "scalar", "mapping", "null", "null-nowhere", "null-in-base", "nothing"],
)
def test_merge(base: str, over: str, expected: object) -> None:
    assert merged(base, over) == expected


def test_merge_keeps_the_order_of_the_base_and_appends_new_keys() -> None:
    assert list(merged("{c: 1, a: 2, b: 3}", "{z: 0, b: 9, a: 8}")) == ["c", "a", "b", "z"]


def test_a_mapping_at_a_replacing_path_replaces_whole() -> None:
    base, over = "{l: {next: {php: 0.4, home: 0.6}, x: 1}}", "{l: {next: {iop: 1}}}"
    assert merged(base, over, lambda path: path == ("l", "next")) == {"l": {"next": {"iop": 1}, "x": 1}}
    assert merged(base, over)["l"]["next"] == {"php": 0.4, "home": 0.6, "iop": 1}


def test_a_law_replaces_a_law_but_a_group_with_the_name_of_a_law_merges() -> None:
    over = "{stay: {lognormal: {mean: 9}}}"
    assert merged("{stay: {exponential: {mean: 1}}}", over) == {"stay": {"lognormal": {"mean": 9}}}
    assert merged("{stay: {lognormal: {mean: 1, cv: 2}}}", over) == {"stay": {"lognormal": {"mean": 9}}}
    assert set(merged("{stay: {exponential: {mean: 1}}}", over, laws=())["stay"]) == {
        "exponential",
        "lognormal",
    }
    groups = merged(
        "{groups: {alpha: {seats: 8}, gamma: {seats: 8, hours: 3}}}", "{groups: {gamma: {seats: 9}}}"
    )
    assert groups == {"groups": {"alpha": {"seats": 8}, "gamma": {"seats": 9, "hours": 3}}}


def test_marks_name_the_file_in_which_each_value_was_last_changed() -> None:
    tree = merge(
        parse("a:\n  x: 1\n  y: {z: 1, w: 2}\nb: 1\n", "base"), parse("a:\n  y: {z: 3}\n", "over"), never
    )
    assert locate(tree, ("a",)) == (("a",), Mark("base", 1, 1))  # only passed through
    assert locate(tree, ("a", "x"))[1] == Mark("base", 2, 3)
    assert locate(tree, ("a", "y"))[1] == Mark("over", 2, 3)
    assert locate(tree, ("a", "y", "z"))[1] == Mark("over", 2, 7)
    assert locate(tree, ("a", "y", "w"))[1] == Mark("base", 3, 13)


def test_merging_changes_neither_tree() -> None:
    base, over = parse("{a: {x: 1}}", "base"), parse("{a: {x: null, y: 2}}", "over")
    merge(base, over, never)
    assert (plain(base), plain(over)) == ({"a": {"x": 1}}, {"a": {"x": None, "y": 2}})


def test_without_nulls_reaches_into_lists_and_keeps_their_items() -> None:
    tree = parse("{a: null, b: [{c: null, d: 1}, null], e: {f: null}}", "f")
    assert plain(without_nulls(tree)) == {"b": [{"d": 1}, None], "e": {}}


@pytest.mark.parametrize(
    ("path", "found", "line", "column"),
    [
        (("a", "list", 1, "w"), ("a", "list", 1, "w"), 4, 8),
        (("a", "list", 1), ("a", "list", 1), 4, 7),
        (("a", "list", 7, "w"), ("a", "list"), 2, 3),
        (("a", "missing"), ("a",), 1, 1),
        (("a", "union tag", "table", 3), ("a", "table", "3"), 5, 11),
        (("b", "deeper", "x"), ("b",), 6, 1),
        ((), (), 1, 1),
    ],
)
def test_locate(path: tuple, found: tuple, line: int, column: int) -> None:
    text = "a:\n  list:\n    - 1\n    - {w: 1}\n  table: {3: 1}\nb: 1\n"
    assert locate(parse(text, "f"), path) == (found, Mark("f", line, column))


def test_dotted() -> None:
    assert dotted(("levels", "iop", "phases", 0, "weeks")) == "levels.iop.phases[0].weeks"
    assert dotted(("notes", "run.seed", "x")) == 'notes."run.seed".x'
    assert dotted(()) == ""


TREE = """
run: {seed: 7}
levels:
  iop: {phases: [{weeks: 8}, {weeks: 4}], stay: {gamma: {mean: 9, cv: 2}}, next: {php: 0.4, home: 0.6}}
notes: {run.seed: a}
"""


@pytest.mark.parametrize(
    ("assignment", "path", "expected"),
    [
        ("run.seed=9", ("run",), {"seed": 9}),
        ("run.seed=2027-01-04", ("run", "seed"), dt.date(2027, 1, 4)),
        ("run.seed=no", ("run", "seed"), "no"),
        ("run.seed= {a: [1, 2]}", ("run", "seed"), {"a": [1, 2]}),
        ("run.weeks=52", ("run",), {"seed": 7, "weeks": 52}),
        ("new.at.depth=1", ("new",), {"at": {"depth": 1}}),
        ("run.seed.min=1", ("run", "seed"), {"min": 1}),
        ("run.seed=null", ("run",), {}),
        ("levels.iop.phases[1].weeks=5", ("levels", "iop", "phases"), [{"weeks": 8}, {"weeks": 5}]),
        ("levels.iop.phases.0.days=3", ("levels", "iop", "phases"), [{"weeks": 8, "days": 3}, {"weeks": 4}]),
        ("levels.iop.phases[0]=null", ("levels", "iop", "phases"), [{"weeks": 4}]),
        ("levels.iop.phases=[{weeks: 1}]", ("levels", "iop", "phases"), [{"weeks": 1}]),
        ("levels.iop.stay.gamma.mean=3", ("levels", "iop", "stay"), {"gamma": {"mean": 3, "cv": 2}}),
        ("levels.iop.stay.lognormal.mean=3", ("levels", "iop", "stay"), {"lognormal": {"mean": 3}}),
        ("levels.iop.stay={gamma: {mean: 3}}", ("levels", "iop", "stay"), {"gamma": {"mean": 3}}),
        ("levels.iop.next={iop: 1}", ("levels", "iop", "next"), {"iop": 1}),
        ("levels.iop.next.iop=0.2", ("levels", "iop", "next"), {"php": 0.4, "home": 0.6, "iop": 0.2}),
        ('notes."run.seed"=b', ("notes",), {"run.seed": "b"}),
    ],
)
def test_assign(assignment: str, path: tuple, expected: object) -> None:
    tree = plain(assign(parse(TREE, "f"), assignment, lambda at: at[-1:] == ("next",), LAWS))
    for step in path:
        tree = tree[step]
    assert tree == expected
    assert type(tree) is type(expected)


@pytest.mark.parametrize(
    ("assignment", "column", "sentence"),
    [
        ("run.seed", 9, "expected path=value"),
        ("=3", 1, "expected path=value"),
        ("", 1, "expected path=value"),
        (".seed=3", 1, "expected path=value"),
        ("run..seed=3", 4, "expected path=value"),
        ("[0]=3", 4, "expected path=value"),
        ("run.seed=", 9, "expected path=value"),
        ("run seed=1", 4, "expected path=value"),
        ("a." * 50 + "a=1", 1, "more than 40 steps"),
        (
            "levels.iop.phases[2].weeks=1",
            19,
            "levels.iop.phases: has no item 2; items count from 0, the last is ",
        ),
        (
            "levels.iop.phases.first=1",
            19,
            "levels.iop.phases: is a list; say which item, as in levels.iop.phases[0]",
        ),
        ("run.seed[0]=1", 10, "run.seed: is not a list"),
        ("run.seed={a: 1, a: 2}", 17, 'run.seed.a: the key "a" is given twice'),
        ("run.seed=[1", 10, "never closed"),
        ("run.seed=.nan", 10, "run.seed: .nan is not a finite number"),
    ],
)
def test_assign_says_what_is_wrong_and_in_which_column(assignment: str, column: int, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        assign(parse(TREE, "f"), assignment, never)
    (fault,) = caught.value.faults
    assert fault.mark == Mark("--set", 1, column)
    assert sentence in str(fault)


def test_assigned_values_stand_in_the_option_and_their_neighbors_in_the_file() -> None:
    tree = assign(parse(TREE, "f"), "levels.iop.stay.gamma.mean=3", never)
    assert locate(tree, ("levels", "iop", "stay", "gamma", "mean"))[1] == Mark("--set", 1, 23)
    assert locate(tree, ("levels", "iop", "stay", "gamma"))[1] == Mark("--set", 1, 17)
    assert locate(tree, ("levels", "iop", "stay", "gamma", "cv"))[1].file == "f"
    assert locate(tree, ("levels", "iop"))[1].file == "f"
    assert locate(assign(tree, "levels.x.y=1", never), ("levels", "x"))[1] == Mark("--set", 1, 8)


def test_put_takes_a_key_of_digits_in_a_mapping() -> None:
    steps = (Step("table", Mark("--set", 1, 1)), Step("3", Mark("--set", 1, 7)))
    tree = put(parse("table: {0: 0.8, 3: 0.7}", "f"), steps, parse("0.5", "--set"), never)
    assert plain(tree) == {"table": {"0": 0.8, "3": 0.5}}
