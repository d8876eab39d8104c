"""What the nodes of Markdown may look like at all; used to judge whatever comes out."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

TAGS = {
    *("p", "br", "strong", "em", "del", "code", "pre", "ul", "ol", "li", "blockquote", "hr", "a"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {
    "a": {"href", "host", "is_image"},
    "pre": {"lang"},
    "ol": {"start"},
    "th": {"align"},
    "td": {"align"},
}
MAX_DEPTH = 64


def check_nodes(nodes: list[Any], *, depth: int = 0, is_in_link: bool = False) -> None:
    """Fail on anything a browser is not prepared for."""
    assert depth < MAX_DEPTH
    for node in nodes:
        if isinstance(node, str):
            node.encode()
            assert "\x00" not in node
            continue
        assert isinstance(node, list) and node[0] in TAGS, node
        has_attributes = len(node) > 1 and isinstance(node[1], dict)
        attributes = node[1] if has_attributes else {}
        if has_attributes:
            assert attributes and set(attributes) <= ATTRIBUTES.get(node[0], set()), node[:2]
        if node[0] == "a":
            assert not is_in_link, "a link in a link"
            check_link(attributes)
            assert text_of(node[2:]).strip(), "a link nobody can see"
        if "lang" in attributes:
            assert re.fullmatch(r"[A-Za-z0-9+#._-]{1,24}", attributes["lang"])
        if "align" in attributes:
            assert attributes["align"] in ("left", "center", "right")
        if "start" in attributes:
            assert isinstance(attributes["start"], int) and 0 <= attributes["start"] < 10**9
        children = node[2:] if has_attributes else node[1:]
        assert all(not isinstance(child, dict) for child in children)
        check_nodes(children, depth=depth + 1, is_in_link=is_in_link or node[0] == "a")


def check_link(attributes: dict[str, Any]) -> None:
    """A link goes where it says, by a harmless scheme."""
    href, host = attributes["href"], attributes["host"]
    assert href.isascii() and href.isprintable() and not set(href) & set(" \\\"'<>`") - {"'"}
    assert attributes.get("is_image", True) is True
    parts = urlsplit(href)
    if parts.scheme == "mailto":
        assert href.lower() == f"mailto:{parts.path.lower()}" and parts.path.count("@") == 1
        assert parts.path.rpartition("@")[2].lower() == host
    else:
        assert parts.scheme in ("http", "https") and host
        assert re.match(r"(?i)https?://[^/]", href)
        assert parts.netloc.lower() == host and "@" not in parts.netloc


def text_of(nodes: list[Any]) -> str:
    """The text of nodes, without line breaks."""
    found = []
    for node in nodes:
        if isinstance(node, str):
            found.append(node)
        else:
            found.append(text_of([child for child in node[1:] if not isinstance(child, dict)]))
    return "".join(found)
