"""Short paths are kept, long ones become short, private and the same for everybody."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from ai_model.pool.errors import PoolStartError
from ai_model.pool.socket_path import MAX_PATH_BYTES, usable_socket_path

LONG = Path("/" + "ä" * 100) / "pool.sock"


def test_a_short_path_is_kept(tmp_path: Path) -> None:
    """Made absolute."""
    assert usable_socket_path(Path("/run/pool.sock")) == Path("/run/pool.sock")
    assert usable_socket_path(Path("pool.sock")).is_absolute()


def test_a_long_path_becomes_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a directory nobody else can enter."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    path = usable_socket_path(LONG)
    assert path == usable_socket_path(LONG)
    assert path != usable_socket_path(LONG.with_name("other.sock"))
    assert len(os.fsencode(path)) <= MAX_PATH_BYTES
    assert path.parent.parent == tmp_path
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_directory_of_somebody_else_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor a link, nor one that others can enter."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    directory = usable_socket_path(LONG).parent
    directory.chmod(0o755)
    with pytest.raises(PoolStartError, match="private"):
        usable_socket_path(LONG)
    directory.rmdir()
    directory.symlink_to(tmp_path)
    with pytest.raises(PoolStartError, match="private"):
        usable_socket_path(LONG)
