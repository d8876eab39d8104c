"""Markdown as tokens: markdown-it, set up for text that nobody trusts.

No raw HTML, no reference definitions (one of them, written last, would change everything above
it), only links of ``link_target.py``, and bounds for what would take long. Thread-safe: nothing
is kept between calls.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, table
from markdown_it.token import Token

from apps.ai_chat.link_target import link_target

MAX_NESTING = 20
"""Levels of lists and quotes; a list counts two."""
MAX_COLUMNS = 32
MAX_CELLS = 2000
"""Of one table; the lines behind it are text."""
MAX_SEARCH = 1_000_000
"""Opening brackets times characters of one paragraph: each may be searched for its end."""
_LINE_END = re.compile(r"\r\n?")
_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")


class _Parser(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: N802
        return link_target(url) is not None

    def normalizeLink(self, url: str) -> str:  # noqa: N802
        try:
            return super().normalizeLink(url)
        except ValueError:
            return ""


def _bounded_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """The rule for tables; a row of one letter would be filled up to the number of columns."""
    num_bars = _num_bars(state, start + 1) if start + 2 <= end else 0
    if not 0 < num_bars <= MAX_COLUMNS + 1:
        return False
    return table(state, start, min(end, start + 2 + MAX_CELLS // num_bars), silent)


def _num_bars(state: StateBlock, line: int) -> int:
    return state.src.count("|", state.bMarks[line], state.eMarks[line])


@cache
def _parser() -> MarkdownIt:
    parser = _Parser("js-default", {"maxNesting": MAX_NESTING, "html": False})
    parser.disable(["reference", "html_block", "html_inline", "linkify"])
    parser.block.ruler.at("table", _bounded_table, {"alt": ["paragraph", "reference"]})
    return parser


def clean(text: str) -> str:
    """``text`` as the parser reads it; offsets are those of the original, but for line ends."""
    return _NOT_TEXT.sub("\ufffd", _LINE_END.sub("\n", text))


def block_tokens(text: str) -> list[Token]:
    """The blocks of ``text``, which is clean; their insides are still raw text."""
    tokens: list[Token] = []
    parser = _parser()
    parser.block.parse(text, parser, {}, tokens)
    return tokens


def add_inline_tokens(tokens: Sequence[Token]) -> None:
    """Give every inline token its children."""
    parser = _parser()
    for token in tokens:
        if token.type == "inline" and not token.children:
            token.children = []
            if token.content.count("[") * len(token.content) > MAX_SEARCH:
                token.children.append(Token("text", "", 0, content=token.content))
            else:
                parser.inline.parse(token.content, parser, {}, token.children)


def is_cut(tokens: Sequence[Token]) -> bool:
    """True if the parser dropped what is nested too deeply."""
    return any(
        token.level + 1 >= MAX_NESTING
        for token in tokens
        if token.type in ("blockquote_open", "list_item_open")
    )
