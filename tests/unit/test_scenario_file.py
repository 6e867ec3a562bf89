"""Scenario files: what is refused before it is read, and `extends`."""

import os
from pathlib import Path

import pytest

from iopsim.errors import Fault, InputError, Mark
from iopsim.scenario.file import read, survey
from iopsim.scenario.tree import locate, plain


def never(path: tuple) -> bool:
    return False


def write(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


def refused(path: object) -> tuple[Fault, ...]:
    with pytest.raises(InputError) as caught:
        read(path, never)
    return caught.value.faults


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "the file is empty; `iopsim new` writes a scenario to start from"),
        (b"# nothing\n\n---\n", "the file is empty"),
        (b"- 1\n- 2\n", "a scenario is made of `key: value` lines; got a list"),
        (b"name:baseline\n", 'a scenario is made of `key: value` lines; got "name:baseline"'),
        (b"PK\x03\x04\0\0\x08", "the file is not text"),
        (b"\0" * 64, "the file is not text"),
        ("a: 1\n".encode("utf-16"), "the file is in UTF-16; save it as UTF-8"),
        ("a: 1\n".encode("utf-16-be"), "the file is in UTF-16; save it as UTF-8"),
        (b"#" * 1_000_001, "is over 1 MB"),
    ],
)
def test_files_that_are_no_scenario(folder: Path, content: bytes, sentence: str) -> None:
    (folder / "f.yaml").write_bytes(content)
    (fault,) = refused("f.yaml")
    assert fault.mark == Mark("f.yaml")
    assert sentence in str(fault)


def test_a_byte_order_mark_and_windows_line_ends_are_read(folder: Path) -> None:
    (folder / "f.yaml").write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    tree = read("f.yaml", never)
    assert plain(tree) == {"a": 1, "b": 2}
    assert locate(tree, ("b",))[1] == Mark("f.yaml", 2, 1)


def test_another_encoding_is_placed(folder: Path) -> None:
    (folder / "f.yaml").write_bytes("a: 1\nlabel: café".encode("latin-1"))
    (fault,) = refused("f.yaml")
    assert str(fault) == "f.yaml:2:11: error: the byte 0xe9 is not UTF-8; save the file as UTF-8"


def test_a_missing_file_is_told_with_its_likely_name(folder: Path) -> None:
    (folder / "plans").mkdir()
    write(folder / "plans", baseline="a: 1", minimal="a: 1")
    (fault,) = refused("plans/basline.yaml")
    assert str(fault).endswith('there is no file "plans/basline.yaml" (did you mean "plans/baseline.yaml"?)')
    assert "(did you mean" not in str(refused("plans/zzz.yaml")[0])
    assert 'nor a folder "plan"' in str(refused("plan/baseline.yaml")[0])
    assert 'there is no file "plans/minimal.yaml/x"' in str(refused("plans/minimal.yaml/x")[0])


def test_what_is_not_a_file_is_refused_without_being_opened(folder: Path) -> None:
    os.mkfifo(folder / "pipe.yaml")
    assert "is a device or a pipe" in str(refused("pipe.yaml")[0])
    assert "is a device or a pipe" in str(refused("/dev/zero")[0])
    assert '"." is a folder; name a scenario file in it' in str(refused(Path())[0])
    (folder / "loop.yaml").symlink_to("loop.yaml")
    assert '"loop.yaml" cannot be read' in str(refused("loop.yaml")[0])
    assert "cannot be read" in str(refused("a\0b")[0])
    assert "cannot be read" in str(refused("x" * 5000)[0])


def test_a_file_that_may_not_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*args: object) -> None:
        raise PermissionError(13, "Permission denied")

    write(folder, f="a: 1")
    monkeypatch.setattr(Path, "open", denied)  # the superuser may read whatever the permissions say
    assert '"f.yaml" may not be read; check its permissions' in str(refused("f.yaml")[0])


def test_extends_merges_the_bases_below_and_drops_the_key(folder: Path) -> None:
    (folder / "sub").mkdir()
    write(folder, root="a: {x: 1, y: 1, law: {gamma: {mean: 1}}}\nlist: [1, 2]\n")
    write(folder / "sub", middle="extends: ../root.yaml\na: {y: 2, z: null}\nb: 1\n")
    write(folder, top="extends: sub/middle.yaml\nlist: [3]\nb: null\na: {law: {beta: {}}, q: null}\n")
    tree = read("top.yaml", never, {"gamma", "beta"})
    assert plain(tree) == {"a": {"x": 1, "y": 2, "law": {"beta": {}}}, "list": [3]}
    assert locate(tree, ("a", "x"))[1] == Mark("root.yaml", 1, 5)
    assert locate(tree, ("a", "y"))[1] == Mark("sub/middle.yaml", 2, 5)
    assert locate(tree, ("list", 0))[1] == Mark("top.yaml", 2, 8)
    assert plain(read(folder / "root.yaml", never))["list"] == [1, 2]


def test_nulls_and_an_empty_extends_are_not_there(folder: Path) -> None:
    write(folder, f="extends:\na: null\nb: {c: ~, d: 1}\n")
    assert plain(read("f.yaml", never)) == {"b": {"d": 1}}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: 1\nextends: bse.yaml", 'f.yaml:2:1: error: extends: there is no file "bse.yaml" (did'),
        ("extends: .", 'f.yaml:1:1: error: extends: "." is a folder'),
        ("extends: [a.yaml]", "f.yaml:1:10: error: extends: must be the name of one scenario file"),
        ('extends: ""', "f.yaml:1:10: error: extends: must be the name of one scenario file"),
        ("extends: 7", "f.yaml:1:10: error: extends: must be the name of one scenario file"),
        ("extends: ./f.yaml", "f.yaml:1:1: error: extends: the files extend each other: f.yaml → f.yaml"),
        ("extends: empty.yaml", "empty.yaml: error: the file is empty"),
    ],
)  # fmt: skip
def test_extends_that_leads_nowhere(folder: Path, text: str, fault: str) -> None:
    write(folder, f=text, base="a: 1", empty="")
    assert str(refused("f.yaml")[0]).startswith(fault)


def test_a_circle_and_a_long_chain_of_bases(folder: Path) -> None:
    write(folder, a="extends: b.yaml", b="extends: c.yaml", c="extends: b.yaml")
    (fault,) = refused("a.yaml")
    assert str(fault) == (
        "c.yaml:1:1: error: extends: the files extend each other: b.yaml → c.yaml → b.yaml; drop one `extends`"
    )
    write(folder, **{f"n{i}": f"extends: n{i + 1}.yaml" for i in range(30)})
    write(folder, n20="last: 1")
    assert plain(read("n0.yaml", never)) == {"last": 1}
    write(folder, n20="extends: n21.yaml")
    assert "n20.yaml:1:1: error: extends: more than 20 files" in str(refused("n0.yaml")[0])


def test_faults_of_the_file_and_its_bases_are_told_together(folder: Path) -> None:
    write(folder, f="extends: base.yaml\na: 1\na: 2\n", base="b: .inf\nc: {d: 1, d: 2}\n")
    found = [(fault.code, str(fault.mark)) for fault in refused("f.yaml")]
    assert found == [
        ("duplicate-key", "f.yaml:3:1"),
        ("bad-value", "base.yaml:1:4"),
        ("duplicate-key", "base.yaml:2:11"),
    ]
    tree, faults = survey("f.yaml", never)
    assert len(faults) == 3
    assert plain(tree) == {"b": ".inf", "c": {"d": 1}, "a": 1}
    assert survey("none.yaml", never)[0] is None
    write(folder, f="a: 1\na: 2\nb: [\n")
    tree, faults = survey("f.yaml", never)
    assert tree is None
    assert [fault.code for fault in faults] == ["duplicate-key", "yaml-syntax"]
