"""Earlier releases stay for the pages that began with them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.conf import LazySettings

from apps.widget import archive
from apps.widget.archive import find_release, keep_release, stored_release
from apps.widget.release import Release
from apps.widget.release_making import current_release
from apps.widget.script import release_of


def test_pages_of_an_earlier_release_still_get_its_files(
    settings: LazySettings, tmp_path: Path
) -> None:
    settings.CORRAL_VAR_DIR = tmp_path
    find_release.cache_clear()
    files = {"w.js": b"old", "panel.en.js": b"also old"}
    old = Release("0.0.1-0123456789ab", files, {"panel.en.js": b"packed"})
    keep_release(old)
    assert release_of("0.0.1-0123456789ab") == old
    assert release_of("0.0.1-ffffffffffff") is None
    assert release_of("../../etc/passwd") is None
    find_release.cache_clear()


def test_a_broken_file_is_no_release(settings: LazySettings, tmp_path: Path) -> None:
    settings.CORRAL_VAR_DIR = tmp_path
    keep_release(Release("0.0.1-0123456789ab", {"w.js": b"old"}))
    (tmp_path / "widget" / "0.0.1-0123456789ab.zip").write_bytes(b"cut off")
    assert stored_release("0.0.1-0123456789ab") is None


def test_only_the_newest_releases_are_kept(
    settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CORRAL_VAR_DIR = tmp_path
    monkeypatch.setattr(archive, "MAX_RELEASES", 2)
    for number in range(4):
        keep_release(Release(f"0.0.{number}-0123456789ab", {"w.js": b""}))
        path = tmp_path / "widget" / f"0.0.{number}-0123456789ab.zip"
        os.utime(path, (number, number))
    keep_release(Release("0.0.9-0123456789ab", {"w.js": b""}))
    left = sorted(path.stem[:5] for path in (tmp_path / "widget").iterdir())
    assert left == ["0.0.3", "0.0.9"]


def test_a_folder_that_cannot_be_written_stops_nobody(
    settings: LazySettings, tmp_path: Path
) -> None:
    (tmp_path / "widget").write_text("a file in the way")
    settings.CORRAL_VAR_DIR = tmp_path
    assert release_of(current_release().version) == current_release()
