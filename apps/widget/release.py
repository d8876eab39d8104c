"""What the browser loads for the embedded chat, as one set that belongs together.

The version names the contents: a page that has begun with one release never gets a file of another.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
import tomllib
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import rjsmin
from django.conf import settings
from django.contrib.staticfiles import finders

from apps.widget.joined_modules import join_modules
from apps.widget.texts import catalog_json, language_codes

JAVASCRIPT = "text/javascript; charset=utf-8"
_CONTENT_TYPES = {
    "js": JAVASCRIPT,
    "css": "text/css; charset=utf-8",
    "json": "application/json",
}
LOADER = "w.js"
# Name in the release, and the module it begins with.
_MODULES = {
    "launcher.js": "widget/js/launcher.js",
    "commands.js": "widget/js/commands.js",
    "panel.js": "widget/js/panel.js",
}
_STYLES = {
    "panel.css": (
        "ai_chat/css/tokens.css",
        "ai_chat/css/transcript.css",
        "ai_chat/css/markdown.css",
        "ai_chat/css/composer.css",
        "widget/css/panel.css",
    )
}
_LOADER_SOURCE = "widget/js/loader.js"
_LANGUAGES_MARK = "__LANGUAGES__"
_VERSION_MARK = '"__VERSION__"'
_DIGEST_CHARS = 12


class MissingSource(LookupError):
    """A file of the widget is not where static files are."""


@dataclass(frozen=True)
class Release:
    """The files of one version by name; ``w.js`` is the loader."""

    version: str
    files: dict[str, bytes]

    @property
    def integrity(self) -> str:
        """The loader's subresource integrity."""
        digest = hashlib.sha384(self.files[LOADER]).digest()
        return "sha384-" + base64.b64encode(digest).decode()


def current_release() -> Release:
    """The release of the files as they are; made once, and again when a developer saves one."""
    return _make_release(_stamp() if settings.DEBUG else "")


def content_type_of(name: str) -> str:
    """The media type of a file of a release."""
    return _CONTENT_TYPES[name.rpartition(".")[2]]


@lru_cache(maxsize=32)
def compress(body: bytes) -> bytes:
    """The same bytes for the same body, whenever it is done."""
    return gzip.compress(body, 9, mtime=0)


@cache
def product_version() -> str:
    """The version of the product."""
    with (settings.BASE_DIR / "pyproject.toml").open("rb") as file:
        version: str = tomllib.load(file)["project"]["version"]
    return version


@cache
def _make_release(stamp: str) -> Release:
    files = {
        name: rjsmin.jsmin(join_modules(root, _read)).encode() for name, root in _MODULES.items()
    }
    panel = files["panel.js"].decode()
    for language in language_codes()[1:]:
        files[f"{language}.json"] = catalog_json(language, script=panel)
    files["panel.js"] = panel.replace(_LANGUAGES_MARK, " ".join(language_codes())).encode()
    for name, paths in _STYLES.items():
        files[name] = minify_css("".join(_read(path) for path in paths)).encode()
    loader = rjsmin.jsmin(_read(_LOADER_SOURCE))
    digest = hashlib.sha256(loader.encode())
    for name in sorted(files):
        digest.update(b"\0" + name.encode() + b"\0" + files[name])
    version = f"{product_version()}-{digest.hexdigest()[:_DIGEST_CHARS]}"
    files[LOADER] = loader.replace(_VERSION_MARK, f'"{version}"').encode()
    return Release(version, files)


def minify_css(css: str) -> str:
    """Make a page's style fit for a shadow root on a page of others, and small.

    There is no ``:root`` inside, and the host page's root font size is not ours: ``rem`` becomes
    pixels. Spaces that mean something stay: around ``+`` and ``-``, and before ``(`` and ``:``.
    """
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL).replace(":root", ":host")
    css = re.sub(r"(?<![\w.])(\d*\.?\d+)rem\b", lambda rem: f"{float(rem[1]) * 16:g}px", css)
    css = re.sub(r"\s+", " ", css)
    css = re.sub(r" ?([{};,>]) ?", r"\1", css)
    return re.sub(r":\s(?=[^{}]*[;}])", ":", css).replace(";}", "}").strip()


def _read(path: str) -> str:
    return _find(path).read_text("utf-8")


def _find(path: str) -> Path:
    found = finders.find(path)
    if not isinstance(found, str):
        raise MissingSource(path)
    return Path(found)


def _stamp() -> str:
    """Changes when a source changes."""
    folders = {_find(_LOADER_SOURCE).parents[1], _find(_STYLES["panel.css"][0]).parents[1]}
    times = [
        file.stat().st_mtime_ns
        for folder in sorted(folders)
        for file in sorted(folder.glob("*/*"))
        if file.suffix in (".js", ".css")
    ]
    return hashlib.sha256(repr(times).encode()).hexdigest()
