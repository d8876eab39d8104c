"""Places a pool's socket cannot have, each with its cause and its cure."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.ai_pool.socket_place import complaint_about


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A private directory."""
    tmp_path.chmod(0o700)
    return tmp_path


@pytest.fixture
def bound(place: Path) -> Iterator[Path]:
    """A socket of ours."""
    with socket.socket(socket.AF_UNIX) as line:
        line.bind(str(place / "p"))
        yield place / "p"


@pytest.mark.parametrize("is_server", [False, True])
def test_a_good_place(place: Path, bound: Path, is_server: bool) -> None:
    assert complaint_about(place / "pool.sock", is_server=is_server) is None
    assert complaint_about(bound, is_server=is_server) is None


def test_a_path_too_long(place: Path) -> None:
    complaint = complaint_about(Path("/tmp") / ("x" * 120))
    assert complaint and "125 bytes" in complaint.cause and "shorter" in complaint.fix


def test_a_directory_that_is_none(place: Path) -> None:
    complaint = complaint_about(place / "gone" / "p")
    assert complaint and "does not exist" in complaint.cause and "install -d" in complaint.fix
    (place / "file").write_text("")
    complaint = complaint_about(place / "file" / "p")
    assert complaint and "not a directory" in complaint.cause
    complaint = complaint_about(place / "file" / "deeper" / "p")
    assert complaint and str(place) in complaint.cause


def test_a_directory_of_somebody_else(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: mode == os.X_OK)
    assert complaint_about(place / "p") is None, "who only connects need not write"
    complaint = complaint_about(place / "p", is_server=True)
    assert complaint and "cannot be written by user" in complaint.cause
    monkeypatch.setattr("os.access", lambda path, mode: False)
    complaint = complaint_about(place / "p")
    assert complaint and "cannot be entered by user" in complaint.cause
    assert "same user" in complaint.fix


def test_a_directory_everybody_may_write(place: Path) -> None:
    place.chmod(0o777)
    complaint = complaint_about(place / "p")
    assert complaint and "false pool" in complaint.cause and "chmod o-w" in complaint.fix
    # As in /tmp: what one has put there the others cannot replace.
    place.chmod(0o1777)
    assert complaint_about(place / "p") is None


def test_what_lies_there_is_no_socket(place: Path) -> None:
    (place / "notes.txt").write_text("mine")
    complaint = complaint_about(place / "notes.txt", is_server=True)
    assert complaint and "not a socket" in complaint.cause


def test_a_socket_of_somebody_else(bound: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = os.geteuid()
    monkeypatch.setattr("os.geteuid", lambda: own + 1)
    complaint = complaint_about(bound)
    assert complaint and f"belongs to user {own}" in complaint.cause
    assert "same user" in str(complaint)
