"""Finds the blocks of a Markdown text while it is still being written."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markdown_it.token import Token

from apps.ai_chat import markdown_parser
from apps.ai_chat.markdown_nodes import Node, TooManyNodes, nodes_of, plain_node

MAX_BLOCK_CHARS = 20_000
MAX_BLOCK_BYTES = 48 * 1024
"""A longer block is shown as it stands, in pieces: each must fit into one frame."""
MAX_PIECE_CHARS = 8000
"""A character takes 6 bytes at most."""
PARSINGS = 24
"""How often each character may be read on average before its block is finished."""
TOKEN_COST = 8
LINE_COST = 16
"""What a token and a line cost to read, in characters of a long line."""
_LINE_END = re.compile(r"\r\n|\r|\n")
_CLOSED_BY_BLANK = frozenset({"paragraph_open", "table_open", "blockquote_open"})
_CLOSED_AT_ONCE = frozenset({"heading_open", "hr"})


@dataclass(frozen=True, slots=True)
class Block:
    """A finished block: these code points of the text will always look like this."""

    from_off: int
    to_off: int
    nodes: list[Node]

    def as_json(self) -> dict[str, Any]:
        """The block as it stands in frames."""
        return {"from_off": self.from_off, "to_off": self.to_off, "nodes": self.nodes}


class BlockSplitter:
    """Takes a text piece by piece and gives its blocks, without a gap between them.

    A block is given as soon as nothing that may follow can change it. Without definitions of
    references Markdown is read line by line, and what was closed is never opened again: that
    holds for every top-level block but the last one. The work is bounded by a multiple of the
    text's length. Not thread-safe.
    """

    def __init__(self) -> None:
        self.text = ""
        self.blocks: list[Block] = []
        self._num_done = 0
        self._num_ready = 0
        self._credit = 0
        self._continuations: set[int] = set()
        """Where the second and later pieces of a block begin that is shown as it stands."""

    def feed(self, piece: str) -> list[Block]:
        """Take the next piece; returns the blocks that are finished now."""
        self.text += piece
        self._credit += PARSINGS * len(piece)
        ready = self._end_of_lines()
        if ready <= self._num_ready or self._credit < ready - self._num_done:
            return []
        self._num_ready = ready
        return self._take(self.text[self._num_done : ready], is_end=False)

    def finish(self) -> list[Block]:
        """The text is complete; returns the rest of its blocks."""
        found = self._take(self.text[self._num_done :], is_end=True)
        if self._num_done < len(self.text):
            # Only blank lines are left.
            found.append(self._add(len(self.text), []))
        return found

    def clip(self, num_chars: int) -> list[Block]:
        """Cut the text to ``num_chars`` and end it; returns the blocks that are new or shorter.

        When blocks disappear, the first one returned stands where the first of them stood.
        """
        is_shorter = False
        while self.blocks and self.blocks[-1].to_off > num_chars:
            self._drop_block()
            is_shorter = True
        self.text = self.text[:num_chars]
        found = self.finish()
        if is_shorter and not found:
            found.append(self._add(num_chars, []))
        return found

    def _drop_block(self) -> None:
        """Forget the last block, in all its pieces: a part of it may look otherwise."""
        while True:
            self._num_done = self.blocks.pop().from_off
            if self._num_done not in self._continuations:
                return
            self._continuations.remove(self._num_done)

    def _add(self, to_off: int, nodes: list[Node]) -> Block:
        block = Block(self._num_done, to_off, nodes)
        self.blocks.append(block)
        self._num_done = to_off
        return block

    def _end_of_lines(self) -> int:
        """Offset behind the last complete line; a carriage return at the end may go on."""
        text = self.text[:-1] if self.text.endswith("\r") else self.text
        return max(text.rfind("\n"), text.rfind("\r")) + 1

    def _take(self, tail: str, *, is_end: bool) -> list[Block]:
        if not tail:
            return []
        tokens = markdown_parser.block_tokens(markdown_parser.clean(tail))
        blocks = _top_level(tokens)
        ends = _line_ends(tail)
        self._credit -= len(tail) + TOKEN_COST * len(tokens) + LINE_COST * len(ends)
        if not is_end and blocks and not _is_closed(blocks[-1], tail, ends):
            blocks.pop()
        start = self._num_done
        found: list[Block] = []
        for block in blocks:
            found += self._finished(block, start + ends[_map_of(block)[1]])
        return found

    def _finished(self, tokens: Sequence[Token], to_off: int) -> list[Block]:
        nodes = _nodes_of(tokens, to_off - self._num_done)
        if nodes is not None:
            return [self._add(to_off, nodes)]
        found: list[Block] = []
        while self._num_done < to_off:
            if found:
                self._continuations.add(self._num_done)
            end = min(self._num_done + MAX_PIECE_CHARS, to_off)
            found.append(self._add(end, [_plain(self.text[self._num_done : end])]))
        return found


def _nodes_of(tokens: Sequence[Token], num_chars: int) -> list[Node] | None:
    """The nodes of a block, or None for what must be shown as it stands."""
    if num_chars > MAX_BLOCK_CHARS or markdown_parser.is_cut(tokens):
        return None
    markdown_parser.add_inline_tokens(tokens)
    try:
        nodes = nodes_of(tokens)
    except TooManyNodes:
        return None
    size = len(json.dumps(nodes, ensure_ascii=False, separators=(",", ":")).encode())
    return nodes if size <= MAX_BLOCK_BYTES else None


def _plain(source: str) -> Node:
    return plain_node(markdown_parser.clean(source).strip("\n"))


def _top_level(tokens: Sequence[Token]) -> list[list[Token]]:
    blocks: list[list[Token]] = []
    for token in tokens:
        if token.level == 0 and token.nesting >= 0:
            blocks.append([])
        blocks[-1].append(token)
    return blocks


def _map_of(block: Sequence[Token]) -> tuple[int, int]:
    """First line of a block and the one behind its last."""
    lines = block[0].map or [0, 0]
    return lines[0], lines[1]


def _line_ends(tail: str) -> list[int]:
    """``ends[n]`` is the offset behind the first n lines."""
    ends = [0, *(found.end() for found in _LINE_END.finditer(tail))]
    if ends[-1] < len(tail):
        ends.append(len(tail))
    return ends


def _is_closed(block: Sequence[Token], tail: str, ends: Sequence[int]) -> bool:
    """True if the last block cannot grow any more, whatever the next line is."""
    first, end = _map_of(block)
    kind = block[0].type
    if kind in _CLOSED_AT_ONCE:
        return True
    if kind in _CLOSED_BY_BLANK:
        return end + 1 < len(ends) and not tail[ends[end] : ends[end + 1]].strip(" \t\r\n")
    if kind == "fence":
        # A closed fence has two lines more than its content, an open one only one.
        return end - first - block[0].content.count("\n") == 2
    return False
