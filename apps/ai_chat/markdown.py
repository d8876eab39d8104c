"""Markdown of answers as node trees, so that no HTML exists anywhere.

``parse`` is for a text that is complete, ``BlockSplitter`` for one that is being written. Both
give the same blocks.
"""

from __future__ import annotations

from functools import lru_cache

from apps.ai_chat.block_splitter import Block, BlockSplitter
from apps.ai_chat.markdown_nodes import Node

__all__ = ["Block", "BlockSplitter", "Node", "blocks_of", "parse"]


@lru_cache(maxsize=256)
def blocks_of(text: str) -> tuple[Block, ...]:
    """The blocks of a complete text. They are shared: do not change them. Thread-safe."""
    splitter = BlockSplitter()
    splitter.text = text
    return tuple(splitter.finish())


def parse(text: str) -> list[Node]:
    """The nodes of a complete text, whatever it is. They are shared: do not change them."""
    return [node for block in blocks_of(text) for node in block.nodes]
