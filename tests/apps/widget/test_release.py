"""What a browser loads: complete, small, and named by its contents."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from pathlib import Path

import pytest
from django.conf import LazySettings

from apps.widget import archive
from apps.widget.archive import find_release, keep_release
from apps.widget.release import Release, compress, current_release, minify_css
from apps.widget.script import loader, loader_url, pinned_loader, release_of

MOST_BEFORE_ANY_INTEREST = 3 * 1024
# What it may not outgrow; the aim is 25 KB.
MOST_IN_ALL = 40 * 1024


def weight(*names: str) -> int:
    """Bytes of these files as they are sent."""
    files = current_release().files
    return sum(len(compress(files[name])) for name in names)


def test_loader_and_launcher_are_within_the_budget() -> None:
    assert weight("w.js", "launcher.js") <= MOST_BEFORE_ANY_INTEREST


@pytest.mark.parametrize("texts", [[], ["de.json"], ["ar.json"]])
def test_everything_with_one_language_is_within_the_budget(texts: list[str]) -> None:
    names = ["w.js", "launcher.js", "commands.js", "panel.js", "panel.css"]
    assert weight(*names, *texts) <= MOST_IN_ALL


def test_every_language_comes_with_the_texts_that_the_panel_names() -> None:
    files = current_release().files
    assert {"de.json", "ar.json"} <= set(files)
    german = json.loads(files["de.json"])
    assert (german["language"], german["dir"]) == ("de", "ltr")
    assert len(german["messages"]) > 20 and "Ihre Chats" in files["de.json"].decode()
    assert json.loads(files["ar.json"])["dir"] == "rtl"
    assert b'"en de ar"' in files["panel.js"]
    left = re.sub(rb'"__(BASE|SITE)__"', b"", b"".join(files.values()))
    assert not re.search(rb"__[A-Z]+__", left)


def test_the_version_names_the_contents() -> None:
    version = current_release().version
    assert re.fullmatch(r"\d+\.\d+\.\d+-[0-9a-f]{12}", version)
    assert f'"{version}"'.encode() in current_release().files["w.js"]


def test_the_pinned_tag_covers_what_is_served() -> None:
    address, integrity = pinned_loader("https://chat.example.org")
    version = current_release().version
    assert address == f"https://chat.example.org/w/{version}/w.js"
    digest = hashlib.sha384(current_release().files["w.js"]).digest()
    assert integrity == "sha384-" + base64.b64encode(digest).decode()


def test_the_loader_knows_its_server_and_site_and_nothing_else() -> None:
    assert loader_url("https://chat.example.org") == "https://chat.example.org/w/v1.js"
    _, text = loader(base="https://chat.example.org", site="site_0123456789abcdef")
    assert b'"https://chat.example.org"' in text and b'"site_0123456789abcdef"' in text
    _, text = loader(base='https://"</script>', site='"</script>')
    assert b"</script>" not in text and text.count(b'""') == 1


def test_pages_of_an_earlier_release_still_get_its_files(
    settings: LazySettings, tmp_path: Path
) -> None:
    settings.CORRAL_VAR_DIR = tmp_path
    find_release.cache_clear()
    old = Release("0.0.1-0123456789ab", {"w.js": b"old", "panel.js": b"also old"})
    keep_release(old)
    assert release_of("0.0.1-0123456789ab") == old
    assert release_of("0.0.1-ffffffffffff") is None
    assert release_of("../../etc/passwd") is None
    find_release.cache_clear()


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


def test_styles_become_fit_for_a_shadow_root() -> None:
    css = ":root { --a: 1.5rem; } /* note */\n.b :is(.c, .d) { margin: calc(1rem + 2px) -0.5rem; }"
    small = ":host{--a:24px}.b :is(.c,.d){margin:calc(16px + 2px) -8px}"
    assert minify_css(css) == small
    assert minify_css("@media (width < 3rem) { a:hover { x: y; } }") == (
        "@media (width < 48px){a:hover{x:y}}"
    )
