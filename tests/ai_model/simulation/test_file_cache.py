"""Files that the machine forgets."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ai_model.simulation.file_cache import forget


def test_each_file_that_can_be_opened_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model.gguf").write_bytes(b"x" * 8192)
    dropped = []

    def advise(descriptor: int, offset: int, length: int, advice: int) -> None:
        dropped.append((os.readlink(f"/proc/self/fd/{descriptor}"), offset, length, advice))

    monkeypatch.setattr(os, "posix_fadvise", advise)
    before = len(os.listdir("/proc/self/fd"))
    forget([tmp_path / "missing", tmp_path / "model.gguf"])
    assert dropped == [(str(tmp_path / "model.gguf"), 0, 0, os.POSIX_FADV_DONTNEED)]
    assert len(os.listdir("/proc/self/fd")) == before


def test_refusal_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: int) -> None:
        raise OSError

    (tmp_path / "model.gguf").write_bytes(b"x")
    monkeypatch.setattr(os, "posix_fadvise", refuse)
    forget([tmp_path / "model.gguf"])
