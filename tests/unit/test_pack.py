"""Replications in one file: the same bytes every time, and refused whatever was done to it since."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import pytest

from iopsim.errors import InputError
from iopsim.experiment.cache import PACK, Cache, pack, unpacked
from iopsim.experiment.encoding import decode, encode
from tests.unit.kept import KEY, OTHER, contents, filled, place, replication

pytestmark = pytest.mark.slow


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / ".cache")


def packed(cache: Cache, entries: list[tuple[str, int]]) -> bytes:
    file = io.BytesIO()
    pack(cache, entries, file)
    return file.getvalue()


@pytest.fixture
def parcel(cache: Cache, tmp_path: Path) -> Path:
    path = tmp_path / PACK
    path.write_bytes(packed(filled(cache), [(KEY, index) for index in range(3)]))
    return path


def test_what_is_unpacked_is_what_was_packed(cache: Cache, tmp_path: Path) -> None:
    filled(filled(cache), OTHER, range(-1, 1))
    entries = [(OTHER, -1), (KEY, 2), (KEY, 0), (OTHER, 0)]
    (tmp_path / PACK).write_bytes(packed(cache, [*entries, (KEY, 2)]))
    found = list(unpacked(tmp_path / PACK))
    assert [(key, index) for key, index, _ in found] == entries  # each once
    assert [encoded for *_, encoded in found] == [encode(replication(index)) for _, index in entries]
    (tmp_path / PACK).write_bytes(packed(cache, []))
    assert list(unpacked(tmp_path / PACK)) == []


def test_equal_replications_make_equal_files(parcel: Path, tmp_path: Path) -> None:
    other = filled(Cache(tmp_path / "other"))
    os.utime(place(other, 1), (0, 0))
    place(other, 2).chmod(0o600)
    assert packed(other, [(KEY, index) for index in range(3)]) == parcel.read_bytes()


def tampered(path: Path, name: str, content: bytes, **about: object) -> None:
    with zipfile.ZipFile(path, "a") as archive:
        entry = zipfile.ZipInfo(name)
        for attribute, value in about.items():
            setattr(entry, attribute, value)
        archive.writestr(entry, content)


@pytest.mark.parametrize(
    "name",
    [
        f"../{KEY}/000003.rep",
        f"/{KEY}/000003.rep",
        f"{KEY}/../000003.rep",
        f"{KEY}/000003.rep/",
        f"{KEY}/000003.rep.tmp",
        f"{KEY}/.000003.rep",
        f"{KEY}\\000003.rep",
        f"{KEY.upper()}/000003.rep",
        f"{KEY}/three.rep",
        f"{KEY}/9999999999.rep",
        "000003.rep",
        f"{KEY}/000002.rep\n",
    ],
)
def test_other_names_are_refused(parcel: Path, name: str) -> None:
    tampered(parcel, name, encode(replication(3)))
    assert_refused(parcel, "is no replication")


def test_what_is_no_replication_or_another_one_is_refused(parcel: Path) -> None:
    whole = parcel.read_bytes()
    for content, said in [
        (encode(replication(4)), "holds another replication"),
        (encode(replication(3))[:-4], "not a whole replication"),
        (b"", "damaged"),
        (b"\x80\x04.", "not a whole replication"),
    ]:
        tampered(parcel, f"{KEY}/000003.rep", content)
        assert_refused(parcel, said)
        parcel.write_bytes(whole)
    tampered(parcel, f"{KEY}/000003.rep", encode(replication(3)), compress_type=zipfile.ZIP_DEFLATED)
    assert_refused(parcel, "is no replication")


def assert_refused(parcel: Path, said: str) -> None:
    with pytest.raises(InputError) as caught:
        list(unpacked(parcel))
    assert caught.value.exit_code == 2
    told = str(caught.value)
    assert told.startswith(f"{parcel.parent}: error: {PACK} is ")
    assert said in told
    assert told.endswith("; give the command that wrote this folder again")


def test_every_cut_and_every_change_is_refused_or_changes_nothing(parcel: Path) -> None:
    whole = parcel.read_bytes()
    expected = list(unpacked(parcel))
    changed = [
        whole[:at] + bytes([whole[at] ^ mask]) + whole[at + 1 :]
        for at in range(len(whole))
        for mask in (1, 0xFF)
    ]
    refused = 0
    for data in [*(whole[:length] for length in range(0, len(whole), 3)), *changed]:
        parcel.write_bytes(data)
        try:
            assert list(unpacked(parcel)) == expected  # dates and rights of the entries do not count
        except InputError:
            refused += 1
    assert refused > len(whole)


def test_a_file_that_is_missing_is_said_to_be(tmp_path: Path) -> None:
    assert_refused(tmp_path / PACK, "is missing; give")
    (tmp_path / PACK).write_bytes(b"no zip file")
    assert_refused(tmp_path / PACK, "is damaged (File is not a zip file); give")


def test_what_was_unpacked_fills_another_cache(cache: Cache, parcel: Path, tmp_path: Path) -> None:
    other = Cache(tmp_path / "other")
    for key, index, encoded in unpacked(parcel):
        other.put(key, index, encoded)
    assert contents(other.root) == contents(cache.root)
    assert decode(other.read_bytes(KEY, 2)).index == 2
