"""Blocks are found while a text is being written, and never change afterwards."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.ai_chat import markdown_parser
from apps.ai_chat.block_splitter import Block, BlockSplitter
from apps.ai_chat.markdown import blocks_of, parse
from apps.ai_chat.markdown_nodes import nodes_of
from tests.apps.ai_chat.test_markdown import ANYTHING, MARKDOWN
from tests.payloads import payloads

PAYLOADS = payloads()


def in_pieces(text: str, cuts: list[int]) -> tuple[list[Block], int]:
    """The blocks of ``text`` fed in pieces, and how many of them came before its end."""
    splitter = BlockSplitter()
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    blocks: list[Block] = []
    for start, end in pairwise(places):
        blocks += splitter.feed(text[start:end])
    num_early = len(blocks)
    return blocks + splitter.finish(), num_early


def at_once(text: str) -> list[Any]:
    """The nodes markdown-it gives for the whole text, without any splitting."""
    tokens = markdown_parser.block_tokens(markdown_parser.clean(text))
    markdown_parser.add_inline_tokens(tokens)
    return nodes_of(tokens)


@settings(max_examples=500, deadline=None)
@given(MARKDOWN | ANYTHING, st.lists(st.integers(0, 10_000), max_size=12))
def test_pieces_make_no_difference(text: str, cuts: list[int]) -> None:
    blocks, _ = in_pieces(text, cuts)
    assert tuple(blocks) == blocks_of(text)
    assert [node for block in blocks for node in block.nodes] == parse(text)
    if not markdown_parser.is_cut(markdown_parser.block_tokens(markdown_parser.clean(text))):
        assert parse(text) == at_once(text)


@settings(max_examples=200, deadline=None)
@given(MARKDOWN)
def test_every_character_is_in_one_block(text: str) -> None:
    splitter = BlockSplitter()
    for char in text:
        splitter.feed(char)
    splitter.finish()
    ends = [0, *(block.to_off for block in splitter.blocks)]
    assert [block.from_off for block in splitter.blocks] == ends[:-1]
    assert ends[-1] == len(text)


@settings(max_examples=300, deadline=None)
@given(MARKDOWN, st.integers(0, 300), st.booleans())
def test_a_clipped_text_has_the_blocks_of_its_beginning(
    text: str, num_chars: int, is_finished: bool
) -> None:
    splitter = BlockSplitter()
    shown = splitter.feed(text)
    if is_finished:
        shown += splitter.finish()
    for block in splitter.clip(num_chars):
        # What a browser does with it: it replaces everything from its beginning on.
        shown = [old for old in shown if old.from_off < block.from_off] + [block]
    expected = blocks_of(text[:num_chars])
    assert [b for b in shown if b.to_off > b.from_off] == list(expected)
    assert all(block.to_off <= num_chars for block in shown)


@pytest.mark.parametrize("name", PAYLOADS)
def test_payload_in_pieces(name: str) -> None:
    text = PAYLOADS[name]
    start = time.perf_counter()
    splitter = BlockSplitter()
    for at in range(0, len(text), 5):
        splitter.feed(text[at : at + 5])
    splitter.finish()
    seconds = time.perf_counter() - start
    assert tuple(splitter.blocks) == blocks_of(text)
    assert seconds < 3, f"{seconds:.2f} s"


@pytest.mark.parametrize(
    ("text", "num_early"),
    [
        ("a para", 0),
        ("a para\n", 0),
        ("a para\n\n", 1),
        ("a para\n \t\n", 1),
        ("a para\n# head", 0),
        ("a para\n# head\n", 2),
        ("a para\n---\n", 1),
        ("***\n", 1),
        ("- a\n- b\n\n", 0),
        ("- a\n- b\n\nc\n", 1),
        ("- a\n\n  b\n", 0),
        ("- a\nlazy\n", 0),
        ("> a\nlazy\n", 0),
        ("> a\n\n", 1),
        ("```\na\n\n", 0),
        ("```\na\n```\n", 1),
        ("```\n```\n", 1),
        ("````\n```\n", 0),
        ("~~~\n```\n~~~\n", 1),
        ("a | b\n", 0),
        ("x\n\na | b\n", 1),
        ("a | b\n-- | --\n", 0),
        ("|a|b|\n|-|-|\n|1|2|\n", 0),
        ("|a|b|\n|-|-|\n|1|2|\n\n", 1),
        ("    code\n\n", 0),
        ("    code\n\n    more\nx\n", 1),
        ("a\r", 0),
        ("a\r\n\r", 0),
        ("a\r\n\r\n", 1),
    ],
)
def test_when_a_block_is_finished(text: str, num_early: int) -> None:
    _, found = in_pieces(text, [])
    assert found == num_early


def test_blocks_come_while_the_text_grows() -> None:
    splitter = BlockSplitter()
    assert splitter.feed("# One\n") == [Block(0, 6, [["h1", "One"]])]
    assert splitter.feed("\ntwo *th") == []
    assert splitter.feed("ree*\n") == []
    assert splitter.feed("\n") == [Block(6, 19, [["p", "two ", ["em", "three"]]])]
    assert splitter.finish() == [Block(19, 20, [])]


def test_a_block_clipped_away_is_replaced_by_nothing() -> None:
    splitter = BlockSplitter()
    splitter.feed("a\n\nb\n\n")
    assert splitter.clip(2) == [Block(2, 2, [])]
    assert splitter.text == "a\n"


def test_a_long_answer_costs_little() -> None:
    """A list is not finished before its end, so it is read again and again, but not for ever."""
    text = "- item with **bold** and `code` words here\n" * 180
    start = time.perf_counter()
    splitter = BlockSplitter()
    for at in range(0, len(text), 4):
        splitter.feed(text[at : at + 4])
    splitter.finish()
    seconds = time.perf_counter() - start
    print(f"{len(text)} characters in pieces of 4: {seconds * 1000:.0f} ms")
    assert seconds < 1.5


@pytest.mark.parametrize("num_chars", [0, 5000, 8000, 8001, 18_000, 24_999])
def test_clipping_a_huge_block(num_chars: int) -> None:
    text = "Before.\n\n" + "word " * 5000
    splitter = BlockSplitter()
    splitter.feed(text)
    splitter.finish()
    splitter.clip(num_chars)
    expected = [b for b in splitter.blocks if b.to_off > b.from_off]
    assert expected == list(blocks_of(text[:num_chars]))
