"""Reads the header of a GGUF file with limits on everything, so that llama.cpp never has to.

llama.cpp's own parser has had memory-safety holes; this one is plain Python, reads in order, maps
nothing, and never allocates more than a file of that length could justify.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

MAGIC = b"GGUF"
SUPPORTED_VERSIONS = (2, 3)
MAX_METADATA_ENTRIES = 2048
MAX_TENSORS = 16384
MAX_KEY_BYTES = 256
MAX_STRING_BYTES = 1 << 20
MAX_ARRAY_ITEMS = 1 << 20
MAX_HEADER_BYTES = 64 << 20
MAX_TENSOR_NAME_BYTES = 63
MAX_DIMENSIONS = 4
MAX_ALIGNMENT = 1 << 16
MAX_ELEMENTS = 1 << 40

# type id -> (name, elements in a block, bytes of a block); ids that llama.cpp removed are absent.
TENSOR_TYPES: dict[int, tuple[str, int, int]] = {
    0: ("F32", 1, 4),
    1: ("F16", 1, 2),
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34),
    10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210),
    16: ("IQ2_XXS", 256, 66),
    17: ("IQ2_XS", 256, 74),
    18: ("IQ3_XXS", 256, 98),
    19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18),
    21: ("IQ3_S", 256, 110),
    22: ("IQ2_S", 256, 82),
    23: ("IQ4_XS", 256, 136),
    29: ("IQ1_M", 256, 56),
    30: ("BF16", 1, 2),
}

_SCALARS: dict[int, str] = {
    0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d",
}  # fmt: skip
_STRING = 8
_ARRAY = 9

Scalar = int | float | bool | str
Value = Scalar | list[int] | list[float] | list[bool] | list[str]


class GgufError(ValueError):
    """The file is not a GGUF file that can be trusted; the text is a clause for an operator."""


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """One tensor: ``shape`` has the row length first; ``offset`` counts from the data section."""

    name: str
    shape: tuple[int, ...]
    type_name: str
    offset: int
    num_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufHeader:
    """All that stands in front of the weights, checked against the length of the file."""

    version: int
    metadata: dict[str, Value]
    tensors: dict[str, TensorInfo]
    data_offset: int
    file_size: int


class _Cursor:
    """Reads forward through the header and refuses to go past the file or the header limit."""

    def __init__(self, file: BinaryIO, file_size: int) -> None:
        self._file = file
        self._limit = min(file_size, MAX_HEADER_BYTES)
        self._is_truncated_by_file = file_size <= MAX_HEADER_BYTES
        self.position = 0

    def take(self, num_bytes: int) -> bytes:
        if num_bytes > self._limit - self.position:
            if self._is_truncated_by_file:
                raise GgufError("it ends in the middle of its header (a truncated download?)")
            raise GgufError(f"its header is larger than {MAX_HEADER_BYTES >> 20} MB")
        data = self._file.read(num_bytes)
        if len(data) != num_bytes:
            raise GgufError("it became shorter while it was read")
        self.position += num_bytes
        return data

    def u32(self) -> int:
        return int.from_bytes(self.take(4), "little")

    def u64(self) -> int:
        return int.from_bytes(self.take(8), "little")

    def string(self, max_bytes: int, what: str) -> str:
        num_bytes = self.u64()
        if num_bytes > max_bytes:
            raise GgufError(f"{what} claims {num_bytes} bytes, more than the {max_bytes} allowed")
        try:
            return self.take(num_bytes).decode("utf-8")
        except UnicodeDecodeError:
            raise GgufError(f"{what} is not valid UTF-8") from None


def read_header(path: Path) -> GgufHeader:
    """Parse the header of ``path``.

    Raises GgufError for anything that is not a sound GGUF file and OSError when it cannot be read.
    Costs about 0.1 s for a vocabulary of 32,000; thread-safe.
    """
    with path.open("rb") as file:
        file_size = os.fstat(file.fileno()).st_size
        cursor = _Cursor(file, file_size)
        version, num_tensors, num_entries = _read_counts(cursor)
        metadata = _read_metadata(cursor, num_entries)
        alignment = _alignment(metadata)
        tensors = _read_tensors(cursor, num_tensors, alignment)
        data_offset = -(-cursor.position // alignment) * alignment
    for tensor in tensors.values():
        if data_offset + tensor.offset + tensor.num_bytes > file_size:
            raise GgufError(
                f"it is {file_size} bytes long but its tensor {tensor.name} ends at "
                f"{data_offset + tensor.offset + tensor.num_bytes} (a truncated download?)"
            )
    return GgufHeader(
        version=version,
        metadata=metadata,
        tensors=tensors,
        data_offset=data_offset,
        file_size=file_size,
    )


def _read_counts(cursor: _Cursor) -> tuple[int, int, int]:
    magic = cursor.take(4)
    if magic != MAGIC:
        raise GgufError("it does not start with the GGUF signature")
    version = cursor.u32()
    if version not in SUPPORTED_VERSIONS:
        if version & 0xFFFF == 0 and version:
            raise GgufError("it was written for big-endian machines")
        raise GgufError(f"its GGUF version {version} is not supported (2 and 3 are)")
    num_tensors, num_entries = cursor.u64(), cursor.u64()
    if not 0 < num_tensors <= MAX_TENSORS:
        raise GgufError(f"it claims {num_tensors} tensors")
    if not 0 < num_entries <= MAX_METADATA_ENTRIES:
        raise GgufError(f"it claims {num_entries} metadata entries")
    return version, num_tensors, num_entries


def _read_metadata(cursor: _Cursor, num_entries: int) -> dict[str, Value]:
    metadata: dict[str, Value] = {}
    for _ in range(num_entries):
        key = cursor.string(MAX_KEY_BYTES, "a metadata key")
        if not key or not key.isprintable():
            raise GgufError("it has a metadata key that is empty or not printable")
        if key in metadata:
            raise GgufError(f"its metadata key {key} occurs twice")
        metadata[key] = _read_value(cursor, key)
    return metadata


def _read_value(cursor: _Cursor, key: str) -> Value:
    kind = cursor.u32()
    if kind == _STRING:
        return cursor.string(MAX_STRING_BYTES, f"the metadata value {key}")
    if kind == _ARRAY:
        return _read_array(cursor, key)
    if kind not in _SCALARS:
        raise GgufError(f"its metadata key {key} has the unknown type {kind}")
    return _read_scalars(cursor, key, kind, 1)[0]


def _read_array(cursor: _Cursor, key: str) -> Value:
    kind, num_items = cursor.u32(), cursor.u64()
    if num_items > MAX_ARRAY_ITEMS:
        raise GgufError(f"its metadata array {key} claims {num_items} items")
    if kind == _STRING:
        return [
            cursor.string(MAX_STRING_BYTES, f"an item of the metadata array {key}")
            for _ in range(num_items)
        ]
    if kind == _ARRAY:
        raise GgufError(f"its metadata array {key} holds arrays")
    if kind not in _SCALARS:
        raise GgufError(f"its metadata array {key} has the unknown item type {kind}")
    return _read_scalars(cursor, key, kind, num_items)


def _read_scalars(
    cursor: _Cursor, key: str, kind: int, num_items: int
) -> list[int] | list[float] | list[bool]:
    layout = _SCALARS[kind]
    data = cursor.take(num_items * struct.calcsize("<" + layout))
    if layout == "?" and data.strip(b"\x00\x01"):
        raise GgufError(f"its metadata key {key} is neither true nor false")
    return list(struct.unpack(f"<{num_items}{layout}", data))


def _alignment(metadata: dict[str, Value]) -> int:
    alignment = metadata.get("general.alignment", 32)
    if (
        type(alignment) is not int
        or not 8 <= alignment <= MAX_ALIGNMENT
        or alignment & (alignment - 1)
    ):
        raise GgufError(f"its alignment {_short(alignment)} is not a power of two that makes sense")
    return alignment


def _read_tensors(cursor: _Cursor, num_tensors: int, alignment: int) -> dict[str, TensorInfo]:
    tensors: dict[str, TensorInfo] = {}
    next_offset = 0
    for _ in range(num_tensors):
        name = cursor.string(MAX_TENSOR_NAME_BYTES, "a tensor name")
        if not name or not name.isprintable():
            raise GgufError("it has a tensor name that is empty or not printable")
        if name in tensors:
            raise GgufError(f"its tensor {name} occurs twice")
        tensor = _read_tensor(cursor, name)
        # llama.cpp wants them packed in order; with that no two can overlap either.
        if tensor.offset != next_offset:
            raise GgufError(
                f"its tensor {name} starts at {tensor.offset} where {next_offset} is due"
            )
        next_offset = -(-(tensor.offset + tensor.num_bytes) // alignment) * alignment
        tensors[name] = tensor
    return tensors


def _read_tensor(cursor: _Cursor, name: str) -> TensorInfo:
    num_dimensions = cursor.u32()
    if not 1 <= num_dimensions <= MAX_DIMENSIONS:
        raise GgufError(f"its tensor {name} claims {num_dimensions} dimensions")
    shape = tuple(cursor.u64() for _ in range(num_dimensions))
    num_elements = 1
    for size in shape:
        num_elements *= size
    if not 0 < num_elements <= MAX_ELEMENTS:
        raise GgufError(f"its tensor {name} claims the shape {shape}")
    kind, offset = cursor.u32(), cursor.u64()
    if kind not in TENSOR_TYPES:
        raise GgufError(f"its tensor {name} has the unknown type {kind}")
    type_name, block_elements, block_bytes = TENSOR_TYPES[kind]
    if shape[0] % block_elements:
        raise GgufError(
            f"its tensor {name} has rows of {shape[0]}, which {type_name} cannot divide into blocks"
        )
    return TensorInfo(name, shape, type_name, offset, num_elements // block_elements * block_bytes)


def _short(value: object, show: Callable[[object], str] = repr) -> str:
    text = show(value)
    return text if len(text) <= 40 else text[:37] + "..."
