"""What a browser loads: complete, small, named by what it is made of, and made once."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings

from apps.widget import release_making
from apps.widget.archive import keep_release
from apps.widget.release_making import current_release
from apps.widget.texts import language_codes

MOST_BEFORE_ANY_INTEREST = 3 * 1024
# Everything that one visitor's browser may load. Only where a network lets no socket through is
# there one file more, ``line.js``.
MOST_IN_ALL = 25 * 1024
MOST_FOR_THE_LINE = 1_280


@pytest.fixture
def unmade(settings: LazySettings, tmp_path: Path) -> Iterator[None]:
    """Nothing is kept yet, and what was made is forgotten."""
    settings.CORRAL_VAR_DIR = tmp_path
    release_making._find_or_make.cache_clear()
    yield
    release_making._find_or_make.cache_clear()


def weight(*names: str) -> int:
    """Bytes of these files as they are sent."""
    release = current_release()
    return sum(len(release.packed_file(name)) for name in names)


def test_loader_and_launcher_are_within_the_budget() -> None:
    assert weight("w.js", "launcher.js") <= MOST_BEFORE_ANY_INTEREST


@pytest.mark.parametrize("language", language_codes())
def test_everything_with_one_language_is_within_the_budget(language: str) -> None:
    assert weight("w.js", "launcher.js", f"panel.{language}.js") <= MOST_IN_ALL


def test_the_line_without_sockets_is_within_the_budget() -> None:
    assert weight("line.js") <= MOST_FOR_THE_LINE


def test_there_is_a_panel_for_every_language_and_nothing_else() -> None:
    release = current_release()
    panels = {f"panel.{language}.js" for language in language_codes()}
    assert set(release.files) == {"w.js", "launcher.js", "line.js"} | panels
    assert b"(en|de|ar)" in release.files["launcher.js"]
    assert "Ihre Chats" in release.files["panel.de.js"].decode()
    assert "Your chats" in release.files["panel.en.js"].decode()
    assert b'"rtl"' in release.files["panel.ar.js"]
    left = re.sub(rb'"__(BASE|SITE)__"', b"", b"".join(release.files.values()))
    assert not re.search(rb"__[A-Z]+__", left)


def test_what_is_packed_is_what_is_served() -> None:
    release = current_release()
    for name, body in release.files.items():
        assert gzip.decompress(release.packed_file(name)) == body
    # The loader is filled in for each page.
    assert release.packed.keys() == release.files.keys() - {"w.js"}


def test_the_version_names_the_contents() -> None:
    version = current_release().version
    assert re.fullmatch(r"\d+\.\d+\.\d+-[0-9a-f]{12}", version)
    assert f'"{version}"'.encode() in current_release().files["w.js"]


def test_a_changed_source_is_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    before = release_making._digest()
    assert release_making._digest() == before
    monkeypatch.setattr(release_making, "_texts", lambda: {"de": {"Stopped": "Vorbei"}})
    assert release_making._digest() != before


@pytest.mark.usefixtures("unmade")
def test_a_restart_takes_the_kept_release(monkeypatch: pytest.MonkeyPatch) -> None:
    made = current_release()
    keep_release(made)
    release_making._find_or_make.cache_clear()
    monkeypatch.setattr(release_making, "_make", lambda version: pytest.fail("made again"))
    assert current_release() == made
