"""Builds small GGUF files byte by byte, so that tests can break any part of one."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.ai_model.tiny_model import CHAT_TEMPLATE

U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64 = range(13)
_LAYOUT = {U8: "B", I8: "b", U16: "H", I16: "h", U32: "I", I32: "i", F32: "f", BOOL: "B",
           U64: "Q", I64: "q", F64: "d"}  # fmt: skip

EMBED, FEED_FORWARD, VOCAB, KV_WIDTH = 8, 16, 6, 4


def string(text: str | bytes) -> bytes:
    data = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(data)) + data


def scalar(kind: int, value: Any) -> bytes:
    return string(value) if kind == STRING else struct.pack("<" + _LAYOUT[kind], value)


def array(kind: int, values: list[Any], *, claimed: int | None = None) -> bytes:
    count = len(values) if claimed is None else claimed
    return struct.pack("<IQ", kind, count) + b"".join(scalar(kind, value) for value in values)


@dataclass
class Tensor:
    """One tensor; ``offset`` and ``num_dimensions`` are worked out unless given."""

    name: str | bytes
    shape: tuple[int, ...]
    kind: int = 0
    offset: int | None = None
    num_dimensions: int | None = None
    num_bytes: int | None = None

    def size(self) -> int:
        if self.num_bytes is not None:
            return self.num_bytes
        count = 4
        for size in self.shape:
            count *= size
        return count


def default_metadata() -> dict[str, tuple[int, bytes]]:
    tokens = ["<unk>", "<s>", "</s>", "a", "b", "c"]
    return {
        "general.architecture": (STRING, string("llama")),
        "general.name": (STRING, string("Hand Made")),
        "general.file_type": (U32, scalar(U32, 0)),
        "llama.context_length": (U32, scalar(U32, 128)),
        "llama.embedding_length": (U32, scalar(U32, EMBED)),
        "llama.block_count": (U32, scalar(U32, 1)),
        "llama.feed_forward_length": (U32, scalar(U32, FEED_FORWARD)),
        "llama.attention.head_count": (U32, scalar(U32, 2)),
        "llama.attention.head_count_kv": (U32, scalar(U32, 1)),
        "llama.attention.layer_norm_rms_epsilon": (F32, scalar(F32, 1e-5)),
        "tokenizer.ggml.model": (STRING, string("llama")),
        "tokenizer.ggml.tokens": (ARRAY, array(STRING, tokens)),
        "tokenizer.ggml.scores": (ARRAY, array(F32, [0.0] * VOCAB)),
        "tokenizer.ggml.token_type": (ARRAY, array(I32, [2, 3, 3, 1, 1, 1])),
        "tokenizer.ggml.bos_token_id": (U32, scalar(U32, 1)),
        "tokenizer.ggml.eos_token_id": (U32, scalar(U32, 2)),
        "tokenizer.chat_template": (STRING, string(CHAT_TEMPLATE)),
    }


def default_tensors() -> list[Tensor]:
    return [
        Tensor("token_embd.weight", (EMBED, VOCAB)),
        Tensor("output_norm.weight", (EMBED,)),
        Tensor("blk.0.attn_norm.weight", (EMBED,)),
        Tensor("blk.0.attn_q.weight", (EMBED, EMBED)),
        Tensor("blk.0.attn_k.weight", (EMBED, KV_WIDTH)),
        Tensor("blk.0.attn_v.weight", (EMBED, KV_WIDTH)),
        Tensor("blk.0.attn_output.weight", (EMBED, EMBED)),
        Tensor("blk.0.ffn_norm.weight", (EMBED,)),
        Tensor("blk.0.ffn_gate.weight", (EMBED, FEED_FORWARD)),
        Tensor("blk.0.ffn_up.weight", (EMBED, FEED_FORWARD)),
        Tensor("blk.0.ffn_down.weight", (FEED_FORWARD, EMBED)),
    ]


@dataclass
class GgufBytes:
    """A sound little model until a test changes a field. ``entries`` are (key, type, bytes)."""

    magic: bytes = b"GGUF"
    version: int = 3
    metadata: dict[str, tuple[int, bytes]] = field(default_factory=default_metadata)
    extra_entries: list[tuple[str | bytes, int, bytes]] = field(default_factory=list)
    tensors: list[Tensor] = field(default_factory=default_tensors)
    num_tensors: int | None = None
    num_entries: int | None = None
    alignment: int = 32
    cut_data: int = 0

    def drop(self, key: str) -> GgufBytes:
        del self.metadata[key]
        return self

    def set(self, key: str, kind: int, value: Any) -> GgufBytes:
        self.metadata[key] = (kind, value if kind == ARRAY else scalar(kind, value))
        return self

    def tensor(self, name: str) -> Tensor:
        return next(tensor for tensor in self.tensors if tensor.name == name)

    def build(self) -> bytes:
        entries = [(key, *value) for key, value in self.metadata.items()] + self.extra_entries
        num_tensors = len(self.tensors) if self.num_tensors is None else self.num_tensors
        num_entries = len(entries) if self.num_entries is None else self.num_entries
        header = self.magic + struct.pack("<IQQ", self.version, num_tensors, num_entries)
        for key, kind, value in entries:
            header += string(key) + struct.pack("<I", kind) + value
        offset = 0
        for tensor in self.tensors:
            num_dimensions = tensor.num_dimensions
            header += string(tensor.name)
            header += struct.pack(
                "<I", len(tensor.shape) if num_dimensions is None else num_dimensions
            )
            header += b"".join(struct.pack("<Q", size) for size in tensor.shape)
            at = offset if tensor.offset is None else tensor.offset
            header += struct.pack("<IQ", tensor.kind, at)
            offset = self._padded(offset + tensor.size())
        header += b"\0" * (self._padded(len(header)) - len(header))
        return header + b"\0" * max(0, min(offset, 1 << 20) - self.cut_data)

    def write(self, path: Path) -> Path:
        path.write_bytes(self.build())
        return path

    def _padded(self, size: int) -> int:
        return -(-size // self.alignment) * self.alignment
