"""Makes a release of the widget out of the static files: joined, in each language, and small.

It takes a second or two, so a release that was kept is not made again: the version is a digest of
all that it is made from.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from functools import cache
from importlib.metadata import version as version_of
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders

from apps.widget import (
    constants,
    javascript,
    joined_modules,
    minifier,
    packing_order,
    panel_style,
    panel_texts,
    short_names,
)
from apps.widget.archive import stored_release
from apps.widget.minifier import SCRIPT, STYLE, minify, pack
from apps.widget.release import LOADER, Release
from apps.widget.texts import language_codes, messages

_LOADER = "widget/js/loader.js"
_LAUNCHER = "widget/js/launcher.js"
_PANEL = "widget/js/panel.js"
# Fetched only where a network lets no socket through.
_LINE = "ai_chat/js/post_line.js"
_LAUNCHER_STYLE = "widget/css/launcher.css"
_PANEL_STYLES = (
    "ai_chat/css/tokens.css",
    "ai_chat/css/transcript.css",
    "ai_chat/css/markdown.css",
    "ai_chat/css/composer.css",
    "widget/css/panel.css",
)
_STYLES = ((_LAUNCHER_STYLE,), _PANEL_STYLES)
# Each language has a panel of its own, so its sentences need no catalog.
_STAND_INS = {"ai_chat/js/texts.js": "widget/js/texts.js"}
_MAKERS = (
    *(constants, javascript, joined_modules, minifier, packing_order),
    *(panel_style, panel_texts, short_names),
)
_VERSION_MARK = '"__VERSION__"'
_LANGUAGES_MARK = "__LANGUAGES__"
_STYLE_MARK = '"__STYLE__"'
_DIGEST_CHARS = 12
ROOT = Path(__file__).resolve().parents[2]


class MissingSource(LookupError):
    """A file of the widget is not where static files are."""


def current_release() -> Release:
    """The release of the files as they are; made once, and again when a developer saves one."""
    return _find_or_make(_stamp() if settings.DEBUG else "")


def find_order(*, tries: int) -> list[str]:
    """The names of the panel's functions and classes in a better order; takes a minute."""
    (style,) = minify(STYLE, panel_style.fit_for_shadow(*map(_read, _PANEL_STYLES)))
    panel, style = short_names.shorten(_joined(_PANEL), style)
    script = panel_texts.put_texts(_with_style(panel, style), "en")
    (minified,) = minify(SCRIPT, script)
    names = packing_order.movable_names(script)
    return packing_order.better_order(minified, names, tries=tries)


@cache
def product_version() -> str:
    """The version of the product."""
    # Our own, not that of a project whose guest we are.
    with (ROOT / "pyproject.toml").open("rb") as file:
        version: str = tomllib.load(file)["project"]["version"]
    return version


@cache
def _find_or_make(stamp: str) -> Release:
    version = f"{product_version()}-{_digest()}"
    return stored_release(version) or _make(version)


def _make(version: str) -> Release:
    """The release, with no look at what is kept."""
    languages = language_codes()
    styles = (panel_style.fit_for_shadow(*map(_read, paths)) for paths in _STYLES)
    launcher_style, style = minify(STYLE, *styles)
    panel, style = short_names.shorten(_joined(_PANEL), style)
    panel = _with_style(panel, style)
    launcher = _with_style(_joined(_LAUNCHER), launcher_style)
    sources = {
        LOADER: _read(_LOADER).replace(_VERSION_MARK, f'"{version}"'),
        "launcher.js": launcher.replace(_LANGUAGES_MARK, "|".join(languages)),
        "line.js": _joined(_LINE),
    }
    for language in languages:
        sources[f"panel.{language}.js"] = panel_texts.put_texts(panel, language)
    small = [text.encode() for text in minify(SCRIPT, *sources.values())]
    files = dict(zip(sources, small, strict=True))
    # What a developer changes every minute is packed in a hurry; the loader is filled in later.
    lasting = [] if settings.DEBUG else [name for name in files if name != LOADER]
    packed = pack(*(files[name] for name in lasting))
    return Release(version, files, dict(zip(lasting, packed, strict=True)))


def _joined(root: str) -> str:
    joined = joined_modules.join_modules(root, _source, _in_order)
    return constants.put_constants(joined)


def _source(path: str) -> str:
    return _read(_STAND_INS.get(path, path))


def _in_order(modules: str) -> str:
    return packing_order.put_in_order(modules, packing_order.kept_order())


def _with_style(script: str, style: str) -> str:
    return script.replace(_STYLE_MARK, json.dumps(style, ensure_ascii=False))


def _digest() -> str:
    """Changes with everything that a release is made from."""
    made_from = [version_of("tdewolff-minify"), json.dumps([_texts(), _STAND_INS])]
    made_from += [path.read_text("utf-8") for path in _sources()]
    made_from += [Path(maker.__file__ or "").read_text("utf-8") for maker in _MAKERS]
    made_from += [packing_order.KEPT_IN.read_text("utf-8"), Path(__file__).read_text("utf-8")]
    return hashlib.sha256("\0".join(made_from).encode()).hexdigest()[:_DIGEST_CHARS]


def _texts() -> dict[str, dict[str, object]]:
    return {language: messages(language) for language in language_codes()}


def _sources() -> list[Path]:
    """Everything that may be part of a release."""
    folders = {
        _find(path).parent
        for path in (_LOADER, "ai_chat/js/chat.js", _LAUNCHER_STYLE, *_PANEL_STYLES)
    }
    files = (file for folder in sorted(folders) for file in sorted(folder.iterdir()))
    return [file for file in files if file.suffix in (".js", ".css")]


def _stamp() -> str:
    """Changes when a source changes."""
    return repr([(path.name, path.stat().st_mtime_ns) for path in _sources()])


def _read(path: str) -> str:
    return _find(path).read_text("utf-8")


def _find(path: str) -> Path:
    found = finders.find(path)
    if not isinstance(found, str):
        raise MissingSource(path)
    return Path(found)
