"""Origins: where a page comes from, and which of them a list allows.

An origin is scheme, host and port, as browsers send it: ``https://shop.example.org`` or
``http://localhost:8000``. A list may also hold ``https://*.example.org``: every name below
``example.org``, at any depth, but not ``example.org`` itself. Everything here is pure text work.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from apps.widget.errors import BadOrigin

DEFAULT_PORTS = {"http": 80, "https": 443}
MAX_CHARS = 255
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
# No user, no empty port, brackets only around a whole address.
_PLACE = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[^\[\]@:]+)(?::[0-9]+)?")
NULL_SENTENCE = (
    "This page has no address that can be allowed: it stands in a sandboxed frame or was opened "
    "from a file. Open it over http or https; python -m http.server in its directory is enough."
)
FILE_SENTENCE = (
    "This page was opened from a file, which has no address that can be allowed. Open it over http "
    "or https; python -m http.server in its directory is enough."
)
# Suffixes below which strangers get names of their own: a wildcard there allows them all.
_SHARED = (
    "co.uk org.uk ac.uk gov.uk com.au net.au org.au co.nz co.jp ne.jp or.jp com.br com.ar com.mx "
    "com.tr com.cn com.hk com.sg com.tw co.in co.kr co.za co.il github.io gitlab.io pages.dev "
    "workers.dev netlify.app vercel.app herokuapp.com web.app firebaseapp.com appspot.com "
    "azurewebsites.net cloudfront.net amazonaws.com blogspot.com wordpress.com myshopify.com "
    "onrender.com fly.dev ngrok.io ngrok-free.app glitch.me surge.sh"
)
SHARED_SUFFIXES = frozenset(_SHARED.split())


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port; the host is lower case and ASCII, IPv6 in brackets."""

    scheme: str
    host: str
    port: int
    is_wildcard: bool = False
    """Every name below ``host`` is meant, and ``host`` itself is not."""

    def __str__(self) -> str:
        port = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{'*.' if self.is_wildcard else ''}{self.host}{port}"

    def covers(self, other: Origin) -> bool:
        """True if a list with this entry allows ``other``."""
        if (self.scheme, self.port) != (other.scheme, other.port) or other.is_wildcard:
            return False
        if self.is_wildcard:
            return other.host.endswith("." + self.host)
        return other.host == self.host


def parse_origin(text: str) -> Origin:
    """The origin a browser sent. Raises BadOrigin for anything that no browser would send.

    ``null`` and ``file:`` get sentences of their own, because owners who try the chat from a file
    meet them first.
    """
    text = text.strip().lower()
    if text == "null":
        raise BadOrigin(NULL_SENTENCE)
    if text.startswith("file:"):
        raise BadOrigin(FILE_SENTENCE)
    origin = _parse(text)
    if origin.is_wildcard or str(origin) != _without_default_port(text):
        raise BadOrigin("This is not the origin of a web page.")
    return origin


def parse_entry(text: str) -> Origin:
    """One line of an owner's list. Raises BadOrigin with a sentence that says what to write.

    A whole address pasted from the browser is cut down to its origin.
    """
    text = text.strip()
    if text in ("*", "http://*", "https://*"):
        raise BadOrigin(
            "* would allow every page of the web. List your own origins, "
            "for example https://www.example.org."
        )
    if text.lower() == "null" or text.lower().startswith("file:"):
        raise BadOrigin(NULL_SENTENCE)
    if "://" not in text:
        raise BadOrigin(f"Write the scheme too, for example https://{text[:80] or 'example.org'}.")
    origin = _parse(text)
    if origin.is_wildcard:
        _check_wildcard(origin)
    return origin


def entries_for(origin: Origin) -> tuple[str, ...]:
    """Every entry that would allow ``origin``, the exact one first; what a list is searched for."""
    if origin.is_wildcard:
        return ()
    entries = [str(origin)]
    if origin.scheme == "https" and not _is_address(origin.host):
        labels = origin.host.split(".")
        # Not the last label alone: https://*.org is no entry.
        for start in range(1, len(labels) - 1):
            parent = Origin("https", ".".join(labels[start:]), origin.port, is_wildcard=True)
            entries.append(str(parent))
    return tuple(entries)


def is_shared(origin: Origin) -> bool:
    """True for a wildcard below which strangers have names, such as ``https://*.github.io``."""
    return origin.is_wildcard and origin.host in SHARED_SUFFIXES


def is_local(origin: Origin) -> bool:
    """True for this machine, where plain http is no risk."""
    if origin.host == "localhost" or origin.host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(origin.host.strip("[]")).is_loopback
    except ValueError:
        return False


def _check_wildcard(origin: Origin) -> None:
    if origin.scheme != "https":
        raise BadOrigin("A wildcard needs https: https://*.example.org.")
    if "." not in origin.host:
        raise BadOrigin(
            f"https://*.{origin.host} would allow the pages of strangers. Name your own domain, "
            "for example https://*.example.org."
        )


def _parse(text: str) -> Origin:
    if not text.isprintable() or len(text) > 4 * MAX_CHARS:
        raise BadOrigin("This is not the origin of a web page.")
    try:
        parts = urlsplit(text)
        port, host = parts.port, parts.hostname or ""
    except ValueError:
        raise BadOrigin("This is not the origin of a web page.") from None
    if parts.scheme not in DEFAULT_PORTS:
        raise BadOrigin("Only pages over http and https can carry the chat.")
    if not _PLACE.fullmatch(parts.netloc) or "\\" in text or port == 0:
        raise BadOrigin("This is not the origin of a web page.")
    is_wildcard = host.startswith("*.")
    origin = Origin(
        scheme=parts.scheme,
        host=_host(host[2:] if is_wildcard else host),
        port=port or DEFAULT_PORTS[parts.scheme],
        is_wildcard=is_wildcard,
    )
    if is_wildcard and _is_address(origin.host):
        raise BadOrigin("A wildcard goes with a name, not with an IP address.")
    if len(str(origin)) > MAX_CHARS:
        raise BadOrigin(f"An origin has at most {MAX_CHARS} characters.")
    return origin


def _host(host: str) -> str:
    if ":" in host:
        try:
            return f"[{ipaddress.IPv6Address(host).compressed}]"
        except ValueError:
            raise BadOrigin("This is not the origin of a web page.") from None
    if "*" in host:
        raise BadOrigin("A * may only stand for the first part: https://*.example.org.")
    try:
        name = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        raise BadOrigin("This host name can not be written in a browser.") from None
    name = name.lower()
    if not _HOST.fullmatch(name):
        raise BadOrigin("This is not the origin of a web page.")
    return name


def _is_address(host: str) -> bool:
    return host.startswith("[") or re.fullmatch(r"[0-9.]+", host) is not None


def _without_default_port(text: str) -> str:
    """Browsers leave the default port out; tools write it, and mean the same."""
    for scheme, port in DEFAULT_PORTS.items():
        if text.startswith(f"{scheme}://"):
            return text.removesuffix(f":{port}") if not text.endswith("]") else text
    return text
