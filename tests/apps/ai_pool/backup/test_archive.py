"""Backups may come from anywhere: what is no backup, or was changed, is refused in one sentence."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from apps.ai_pool.backup.archive import read_manifest, unpack
from apps.ai_pool.backup.errors import BackupError

Member = tuple[tarfile.TarInfo, bytes]


def members_of(path: Path) -> list[Member]:
    with tarfile.open(path) as archive:
        return [(member, archive.extractfile(member).read()) for member in archive]  # type: ignore[union-attr]


def write(path: Path, members: list[Member]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for member, data in members:
            member.size = len(data) if member.isreg() else 0
            archive.addfile(member, io.BytesIO(data))
    return path


def changed_manifest(members: list[Member], change: Callable[[dict[str, Any]], Any]) -> None:
    manifest = json.loads(members[0][1])
    change(manifest)
    members[0] = (members[0][0], json.dumps(manifest).encode())


def refusal(path: Path, target: Path) -> str:
    """The sentence with which a backup is refused; nothing may be outside of the target."""
    around = sorted(target.parent.iterdir())
    target.mkdir()
    with pytest.raises(BackupError) as caught:
        unpack(path, target)
    target_names = {item.name for item in target.iterdir()}
    assert sorted(target.parent.iterdir()) == sorted([*around, target])
    assert target_names <= {"db.sqlite3", "secret_key", "env", "model.json"}
    return str(caught.value)


def test_unpacks_what_was_packed(backup: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    manifest = unpack(backup, tmp_path / "out")
    names = {entry.name for entry in manifest.entries}
    assert names == {"db.sqlite3", "secret_key", "env", "model.json"}
    assert names == {path.name for path in (tmp_path / "out").iterdir()}
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "out").iterdir()} == {0o600}
    assert set(manifest.versions) == {"corral", "python", "django", "database"}
    assert read_manifest(backup) == manifest


@pytest.mark.parametrize("name", ["../escaped", "/tmp/corral-escaped", "a/../../escaped", "extra"])
def test_no_path_leads_out(backup: Path, tmp_path: Path, name: str) -> None:
    members = [*members_of(backup), (tarfile.TarInfo(name), b"x")]
    said = refusal(write(tmp_path / "bad.tar.gz", members), tmp_path / "out")
    assert "its manifest does not name" in said
    assert not Path("/tmp/corral-escaped").exists()


@pytest.mark.parametrize("name", ["../escaped", "/etc/passwd", "manifest.json", "pool.sock"])
def test_manifest_cannot_name_other_files(backup: Path, tmp_path: Path, name: str) -> None:
    members = members_of(backup)
    changed_manifest(members, lambda m: m["entries"][1].update(name=name))
    members[2][0].name = name
    said = refusal(write(tmp_path / "bad.tar.gz", members), tmp_path / "out")
    assert "which no backup of Corral has" in said


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(backup: Path, tmp_path: Path, kind: bytes) -> None:
    members = members_of(backup)
    link = tarfile.TarInfo("env")
    link.type, link.linkname = kind, "/etc/passwd"
    at = [member.name for member, _ in members].index("env")
    members[at] = (link, b"")
    empty = {"size": 0, "sha256": hashlib.sha256(b"").hexdigest()}
    names = [entry["name"] for entry in json.loads(members[0][1])["entries"]]
    changed_manifest(members, lambda m: m["entries"][names.index("env")].update(empty))
    assert "no backup of Corral" in refusal(
        write(tmp_path / "bad.tar.gz", members), tmp_path / "out"
    )


def test_changed_byte_is_found(backup: Path, tmp_path: Path) -> None:
    members = members_of(backup)
    at = [member.name for member, _ in members].index("secret_key")
    members[at] = (members[at][0], b"?" + members[at][1][1:])
    said = refusal(write(tmp_path / "bad.tar.gz", members), tmp_path / "out")
    assert said.startswith("secret_key in") and "SHA-256" in said


def test_missing_file_is_found(backup: Path, tmp_path: Path) -> None:
    members = members_of(backup)
    gone = members.pop()[0].name
    said = refusal(write(tmp_path / "bad.tar.gz", members), tmp_path / "out")
    assert f"is not complete: {gone} is missing" in said


def test_file_that_comes_twice_is_refused(backup: Path, tmp_path: Path) -> None:
    members = members_of(backup)
    said = refusal(write(tmp_path / "bad.tar.gz", [*members, members[-1]]), tmp_path / "out")
    assert "its manifest does not name" in said


def test_newer_format_says_so(backup: Path, tmp_path: Path) -> None:
    members = members_of(backup)
    changed_manifest(members, lambda m: m.update(format=99))
    said = refusal(write(tmp_path / "bad.tar.gz", members), tmp_path / "out")
    assert "format 99" in said and "version that made it" in said


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"SQLite format 3\0",
        gzip.compress(b"no tar" * 200),
        gzip.compress(b""),
    ],
)
def test_no_backup_at_all(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "bad.tar.gz"
    path.write_bytes(data)
    said = refusal(path, tmp_path / "out")
    assert "no backup" in said and "Traceback" not in said


def test_every_cut_is_noticed(backup: Path, tmp_path: Path) -> None:
    """A copy that was broken off anywhere is not taken for a backup."""
    data = backup.read_bytes()
    for number, length in enumerate([*range(0, len(data), max(1, len(data) // 40)), len(data) - 1]):
        path = tmp_path / "cut.tar.gz"
        path.write_bytes(data[:length])
        (tmp_path / f"out{number}").mkdir()
        with pytest.raises(BackupError):
            unpack(path, tmp_path / f"out{number}")


def test_endless_tail_is_not_read(backup: Path, tmp_path: Path) -> None:
    path = tmp_path / "long.tar.gz"
    path.write_bytes(backup.read_bytes() + gzip.compress(bytes(50_000_000)))
    assert "goes on behind its last file" in refusal(path, tmp_path / "out")


@pytest.mark.parametrize("text", [b"[]", b"{}", b"null", b"\xff", b'{"format": 1}', b"[" * 100_000])
def test_manifest_of_nonsense(tmp_path: Path, text: bytes) -> None:
    path = write(tmp_path / "bad.tar.gz", [(tarfile.TarInfo("manifest.json"), text)])
    assert "manifest cannot be understood" in refusal(path, tmp_path / "out")


def test_missing_backup(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="There is no backup"):
        read_manifest(tmp_path / "nothing.tar.gz")
