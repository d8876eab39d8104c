"""Where a link of an answer leads: only addresses whose real host can be shown."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_ADDRESS_CHARS = 2000
# Strict on purpose: what one program reads as another host than the next one is no link. So no
# user names, no backslashes, no missing slashes and nothing outside ASCII (names of other scripts
# are in their ASCII form by then, see markdown_parser.py).
_WEB = re.compile(
    r"https?://(?P<host>(?:[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?\.?|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?)"
    r"(?:[/?#][!#-;=?-\[\]^_a-z{|}~]*)?",
    re.ASCII | re.IGNORECASE,
)
# What a letter would be filled with, such as a hidden copy to somebody, is left out.
_MAIL = re.compile(
    r"(?P<address>mailto:[a-z0-9.!#$&'*+/=^_{|}~-]{1,64}@"
    r"(?P<host>[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?))(?:\?[!-~]*)?",
    re.ASCII | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class LinkTarget:
    """A checked address."""

    href: str
    host: str
    """The host a browser would go to, with its port if there is one, in lower case."""


def link_target(address: str) -> LinkTarget | None:
    """Return the checked form of ``address``; None for what must not become a link."""
    if len(address) > MAX_ADDRESS_CHARS:
        return None
    found = _WEB.fullmatch(address)
    if found is not None:
        return LinkTarget(address, found["host"].lower())
    found = _MAIL.fullmatch(address)
    if found is not None:
        return LinkTarget(found["address"], found["host"].lower())
    return None
