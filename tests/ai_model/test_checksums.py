"""Checksums: right, computed once, and pinned."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from ai_model import checksums
from ai_model.checksums import ChecksumBook, ChecksumMismatch, write_json


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "m.gguf"
    path.write_bytes(b"weights" * 1000)
    return path


@pytest.fixture
def book(tmp_path: Path) -> ChecksumBook:
    return ChecksumBook(tmp_path / "checksums.json")


def count_readings(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    read: list[Path] = []
    real = checksums.file_sha256

    def counted(path: Path, progress: object = None) -> str:
        read.append(path)
        return real(path)

    monkeypatch.setattr(checksums, "file_sha256", counted)
    return read


def test_the_checksum_is_right_and_computed_once(
    book: ChecksumBook, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = count_readings(monkeypatch)
    expected = hashlib.sha256(model.read_bytes()).hexdigest()
    assert book.sha256(model) == book.sha256(model) == expected
    assert read == [model]


@pytest.mark.parametrize("change", ["content", "time", "inode"])
def test_a_changed_file_is_read_again(
    book: ChecksumBook, model: Path, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    book.sha256(model)
    read = count_readings(monkeypatch)
    if change == "content":
        model.write_bytes(b"other")
    elif change == "time":
        os.utime(model, ns=(1, 1))
    else:
        status = model.stat()
        copy = model.with_suffix(".copy")
        copy.write_bytes(model.read_bytes())
        os.replace(copy, model)
        os.utime(model, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert book.sha256(model) == hashlib.sha256(model.read_bytes()).hexdigest()
    assert read == [model]


def test_progress_adds_up(book: ChecksumBook, model: Path) -> None:
    steps: list[int] = []
    book.sha256(model, steps.append)
    assert sum(steps) == model.stat().st_size
    book.sha256(model, steps.append)
    assert sum(steps) == 2 * model.stat().st_size


def test_verify_uses_the_expected_checksum_then_the_pin(book: ChecksumBook, model: Path) -> None:
    found = book.verify(model, None)
    book.pin(model.name, found)
    assert book.verify(model, found) == found
    with pytest.raises(ChecksumMismatch, match="damaged"):
        book.verify(model, "0" * 64)
    model.write_bytes(b"changed")
    with pytest.raises(ChecksumMismatch, match="model fetch"):
        book.verify(model, None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"files": 3, "pins": []}',
        '{"files": {"x": {"sha256": 1}}, "pins": {"m": 2}}',
    ],
)
def test_a_broken_book_counts_as_empty(book: ChecksumBook, model: Path, text: str) -> None:
    (model.parent / "checksums.json").write_text(text)
    assert book.pinned("m") is None
    assert len(book.sha256(model)) == 64


def test_a_book_that_cannot_be_written_costs_only_time(model: Path) -> None:
    book = ChecksumBook(model / "not-a-directory" / "checksums.json")
    assert len(book.sha256(model)) == 64


def test_write_json_leaves_nothing_behind_when_it_fails(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"old": 1})
    with pytest.raises(TypeError):
        write_json(tmp_path / "a.json", {"new": object()})
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    assert "old" in (tmp_path / "a.json").read_text()
