"""Tokens of Markdown as trees of allowed nodes: what a browser may build, and nothing else.

A node is a text, ``[tag, *children]`` or ``[tag, {attribute: value}, *children]``. Whatever is not
in the tables below comes out as plain text or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from markdown_it.token import Token

from apps.ai_chat.link_target import link_target

Node = str | list[Any]

TAGS = frozenset(
    {
        *(
            "p",
            "br",
            "strong",
            "em",
            "del",
            "code",
            "pre",
            "ul",
            "ol",
            "li",
            "blockquote",
            "hr",
            "a",
        ),
        *("h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
    }
)
MAX_NODES = 5000
"""Nodes of one block."""
MAX_INLINE_DEPTH = 12
"""Emphasis in emphasis; what is deeper is shown without."""
_LANGUAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9+#._-]{0,23}")
_ALIGN = re.compile(r"text-align:(left|center|right)")
# Marks that turn the order of what follows them: a link or a program would read as another one.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_INLINE_TAGS = frozenset({"strong", "em", "s"})


class TooManyNodes(Exception):
    """A block would cost a browser more than it is worth."""


def nodes_of(tokens: Sequence[Token]) -> list[Node]:
    """The trees of complete blocks whose inline tokens have their children.

    Raises TooManyNodes.
    """
    return _Tree().build(tokens)


def plain_node(text: str) -> Node:
    """``text`` as it stands, for what cannot be shown otherwise."""
    return ["pre", _code(text)]


def _code(text: str) -> list[Any]:
    shown = _TURNING.sub("", text)
    return ["code", shown] if shown else ["code"]


class _Tree:
    """One tree in the making: ``_open`` holds the nodes that are not closed yet."""

    def __init__(self) -> None:
        self._root: list[Node] = []
        self._open: list[list[Any]] = [self._root]
        self._num_nodes = 0

    def build(self, tokens: Sequence[Token]) -> list[Node]:
        for token in tokens:
            if token.type == "inline":
                self._add_inline(token.children or [])
            elif token.hidden:
                # The paragraph of a tight list: its text stands in the item itself.
                continue
            elif token.type in ("fence", "code_block"):
                self._add_code(token)
            elif token.nesting > 0:
                self._enter(token.tag, _attributes(token))
            elif token.nesting < 0:
                self._leave(token.tag)
            elif token.type == "hr":
                self._add(["hr"])
            else:
                self._add(token.content)
        return self._root

    def _add(self, node: Node) -> None:
        if node == "":
            return
        siblings = self._open[-1]
        # The first element of a node is its tag, never a text to append to.
        first = 0 if siblings is self._root else 1
        if isinstance(node, str) and len(siblings) > first and isinstance(siblings[-1], str):
            siblings[-1] += node
            return
        self._num_nodes += 1
        if self._num_nodes > MAX_NODES:
            raise TooManyNodes
        siblings.append(node)

    def _enter(self, tag: str, attributes: dict[str, Any] | None = None) -> None:
        if tag not in TAGS:
            return
        node: list[Any] = [tag, attributes] if attributes else [tag]
        self._add(node)
        self._open.append(node)

    def _leave(self, tag: str) -> None:
        if tag in TAGS:
            self._open.pop()

    def _add_code(self, token: Token) -> None:
        language = _LANGUAGE.fullmatch((token.info or "").strip().split(" ", 1)[0])
        self._enter("pre", {"lang": language[0]} if language else None)
        self._add(_code(token.content))
        self._leave("pre")

    def _add_inline(self, tokens: Sequence[Token]) -> None:
        depth = 0
        link_start: int | None = None
        for i, token in enumerate(tokens):
            if token.type == "link_open":
                link_start = i
                self._enter("a", _link(token.attrs.get("href")) or {"href": "", "host": ""})
            elif token.type == "link_close":
                self._end_link(link_start)
                link_start = None
            elif token.tag in _INLINE_TAGS and token.nesting:
                depth += token.nesting
                tag = "del" if token.tag == "s" else token.tag
                if token.nesting > 0 and depth <= MAX_INLINE_DEPTH:
                    self._enter(tag)
                elif token.nesting < 0 and depth < MAX_INLINE_DEPTH:
                    self._leave(tag)
            elif token.type == "image":
                self._add_image(token, is_in_link=link_start is not None)
            elif token.type == "code_inline":
                self._add(_code(token.content))
            elif token.type in ("softbreak", "hardbreak"):
                self._add(["br"])
            else:
                text = token.content
                self._add(text if link_start is None else _TURNING.sub("", text))

    def _end_link(self, start: int | None) -> None:
        """Close a link: one that leads nowhere is only its text, one without text its address."""
        node = self._open.pop()
        if not node[1]["href"]:
            siblings = self._open[-1]
            siblings.remove(node)
            for child in node[2:]:
                self._add(child)
        elif not _has_text(node[2:]):
            node[2:] = [node[1]["href"]]

    def _add_image(self, token: Token, *, is_in_link: bool) -> None:
        """An image is never fetched: it is a link, or inside of one only what it is called."""
        source = str(token.attrs.get("src") or "")
        alt = _TURNING.sub("", _plain_text(token))
        attributes = _link(source)
        if attributes is None or is_in_link:
            self._add(alt)
        else:
            text = alt if alt.strip() else attributes["href"]
            self._add(["a", attributes | {"is_image": True}, text])


def _attributes(token: Token) -> dict[str, Any] | None:
    if token.tag == "ol":
        start = token.attrs.get("start", 1)
        return {"start": int(start)} if int(start) != 1 else None
    if token.tag in ("th", "td"):
        align = _ALIGN.fullmatch(str(token.attrs.get("style", "")))
        return {"align": align[1]} if align else None
    return None


def _link(address: object) -> dict[str, Any] | None:
    target = link_target(str(address or ""))
    return {"href": target.href, "host": target.host} if target else None


def _plain_text(token: Token) -> str:
    """What an image is called, without marks."""
    texts = []
    for child in token.children or []:
        if child.type in ("softbreak", "hardbreak"):
            texts.append(" ")
        elif child.type == "image":
            texts.append(_plain_text(child))
        else:
            texts.append(child.content)
    return "".join(texts)


def _has_text(nodes: Sequence[Node]) -> bool:
    """True if there is something to click."""
    for node in nodes:
        if isinstance(node, str):
            if node.strip():
                return True
        elif _has_text([child for child in node[1:] if not isinstance(child, dict)]):
            return True
    return False
