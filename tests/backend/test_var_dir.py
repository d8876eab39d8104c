"""The directory the server writes to."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from backend.var_dir import prepare_var_dir


def test_is_made_and_left_clean(tmp_path: Path) -> None:
    path = prepare_var_dir(tmp_path / "a" / "b")
    assert path.is_dir() and not list(path.iterdir())


def test_file_in_its_place_is_one_sentence_with_the_fix(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("")
    with pytest.raises(ImproperlyConfigured, match="cannot be written.*CORRAL_VAR_DIR"):
        prepare_var_dir(tmp_path / "var")


def test_read_only_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, *args: object, **kwargs: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "touch", refuse)
    with pytest.raises(ImproperlyConfigured, match="Read-only file system.*CORRAL_VAR_DIR"):
        prepare_var_dir(tmp_path)
