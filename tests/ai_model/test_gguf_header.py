"""The GGUF parser: sound files are read right, broken ones are refused with a reason."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import gguf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ai_model import gguf_header
from ai_model.gguf_header import GgufError, read_header
from tests.ai_model import gguf_bytes as raw
from tests.ai_model.gguf_bytes import GgufBytes, Tensor
from tests.ai_model.tiny_model import build_tiny_model

Change = Callable[[GgufBytes], object]


def test_the_hand_made_file_is_sound(tmp_path: Path) -> None:
    header = read_header(GgufBytes().write(tmp_path / "m.gguf"))
    assert header.metadata["general.name"] == "Hand Made"
    assert header.metadata["tokenizer.ggml.tokens"] == ["<unk>", "<s>", "</s>", "a", "b", "c"]
    assert header.tensors["blk.0.ffn_down.weight"].shape == (16, 8)
    assert header.version == 3


def test_it_reads_what_the_gguf_package_reads(tmp_path: Path) -> None:
    path = build_tiny_model(tmp_path / "tiny.gguf")
    header = read_header(path)
    reader = gguf.GGUFReader(path)
    for tensor in reader.tensors:
        mine = header.tensors[tensor.name]
        assert mine.shape == tuple(int(size) for size in tensor.shape)
        assert header.data_offset + mine.offset == tensor.data_offset
        assert mine.num_bytes == tensor.n_bytes
    for key, value in header.metadata.items():
        assert reader.get_field(key).contents() == value


def test_every_tensor_type_has_the_size_of_the_gguf_package() -> None:
    for kind, (name, elements, size) in gguf_header.TENSOR_TYPES.items():
        known = gguf.GGMLQuantizationType(kind)
        assert known.name == name
        assert gguf.GGML_QUANT_SIZES[known] == (elements, size)


def test_an_alignment_of_its_own_is_used(tmp_path: Path) -> None:
    model = GgufBytes(alignment=64).set("general.alignment", raw.U32, 64)
    assert read_header(model.write(tmp_path / "m.gguf")).data_offset % 64 == 0


def test_quantised_rows_count_in_blocks(tmp_path: Path) -> None:
    model = GgufBytes()
    model.tensors = [Tensor("a", (256, 2), kind=8, num_bytes=544), Tensor("b", (4,))]
    assert read_header(model.write(tmp_path / "m.gguf")).tensors["a"].num_bytes == 544


def change_first(**fields: object) -> Change:
    def change(model: GgufBytes) -> None:
        for name, value in fields.items():
            setattr(model.tensors[0], name, value)

    return change


def change_file(**fields: object) -> Change:
    def change(model: GgufBytes) -> None:
        for name, value in fields.items():
            setattr(model, name, value)

    return change


def entry(key: str | bytes, kind: int, value: bytes) -> Change:
    return lambda model: model.extra_entries.append((key, kind, value))


def nested_array() -> bytes:
    return struct.pack("<IQ", raw.ARRAY, 1) + raw.array(raw.U8, [1])


BROKEN: dict[str, tuple[Change, str]] = {
    "magic": (change_file(magic=b"GGML"), "signature"),
    "version 0": (change_file(version=0), "version 0"),
    "version 1": (change_file(version=1), "version 1 "),
    "version 4": (change_file(version=4), "version 4"),
    "big endian": (change_file(version=3 << 24), "big-endian"),
    "no tensors": (change_file(tensors=[]), "claims 0 tensors"),
    "too many tensors": (change_file(num_tensors=1 << 40), "tensors"),
    "negative tensors": (change_file(num_tensors=(1 << 64) - 1), "tensors"),
    "more tensors than there are": (change_file(num_tensors=5000), ""),
    "no metadata": (change_file(metadata={}), "claims 0 metadata"),
    "too much metadata": (change_file(num_entries=1 << 33), "metadata entries"),
    "more metadata than there is": (change_file(num_entries=900), ""),
    "key of huge size": (entry(b"", raw.U8, b""), "empty"),
    "key too long": (entry("k" * 300, raw.U8, b"\1"), "300 bytes"),
    "key not UTF-8": (entry(b"\xff\xfe", raw.U8, b"\1"), "UTF-8"),
    "key not printable": (entry("a\x1b[31m", raw.U8, b"\1"), "not printable"),
    "duplicate key": (entry("general.name", raw.U8, b"\1"), "occurs twice"),
    "unknown value type": (entry("x", 13, b"\1"), "unknown type 13"),
    "huge value type": (entry("x", 0xFFFFFFFF, b"\1"), "unknown type"),
    "bool that is 2": (entry("x", raw.BOOL, b"\2"), "neither true nor false"),
    "string of huge size": (entry("x", raw.STRING, struct.pack("<Q", 1 << 62)), "claims"),
    "string not UTF-8": (entry("x", raw.STRING, raw.string(b"\xc3\x28")), "UTF-8"),
    "array of huge count": (
        entry("x", raw.ARRAY, raw.array(raw.U8, [], claimed=1 << 60)),
        "items",
    ),
    "array longer than the file": (
        entry("x", raw.ARRAY, raw.array(raw.U64, [], claimed=1 << 19)),
        "ends in the middle",
    ),
    "array of unknown type": (entry("x", raw.ARRAY, struct.pack("<IQ", 99, 1)), "item type 99"),
    "array of arrays": (entry("x", raw.ARRAY, nested_array()), "holds arrays"),
    "string array of huge items": (
        entry("x", raw.ARRAY, struct.pack("<IQQ", raw.STRING, 1, 1 << 63)),
        "claims",
    ),
    "alignment 0": (lambda m: m.set("general.alignment", raw.U32, 0), "alignment"),
    "alignment 48": (lambda m: m.set("general.alignment", raw.U32, 48), "alignment"),
    "alignment huge": (lambda m: m.set("general.alignment", raw.U32, 1 << 31), "alignment"),
    "alignment as text": (lambda m: m.set("general.alignment", raw.STRING, "32"), "alignment"),
    "alignment as bool": (lambda m: m.set("general.alignment", raw.BOOL, 1), "alignment"),
    "tensor name empty": (change_first(name=""), "empty"),
    "tensor name too long": (change_first(name="t" * 64), "64 bytes"),
    "tensor name twice": (change_first(name="output_norm.weight"), "occurs twice"),
    "tensor without dimensions": (change_first(shape=(), num_bytes=4), "0 dimensions"),
    "tensor of five dimensions": (change_first(shape=(1, 1, 1, 1, 1)), "5 dimensions"),
    "tensor of many dimensions": (change_first(num_dimensions=1 << 31), "dimensions"),
    "dimension 0": (change_first(shape=(0, 4), num_bytes=0), "shape"),
    "dimension negative": (change_first(shape=((1 << 64) - 1, 4), num_bytes=4), "shape"),
    "elements overflow 64 bits": (
        change_first(shape=(1 << 32, 1 << 32), num_bytes=0),
        "shape",
    ),
    "elements wrap to a small number": (
        change_first(shape=(1 << 62, 4, 1, 1), num_bytes=4),
        "shape",
    ),
    "bytes beyond the file": (change_first(shape=(1 << 30,), num_bytes=0), ""),
    "tensor type unknown": (change_first(kind=77), "unknown type 77"),
    "tensor type removed from llama.cpp": (change_first(kind=4), "unknown type 4"),
    "row not whole blocks": (change_first(shape=(33, 2), kind=8), "cannot divide"),
    "offset not aligned": (change_first(offset=1), "is due"),
    "offset beyond the file": (change_first(offset=1 << 40), "is due"),
    "offset overlapping": (lambda m: setattr(m.tensors[1], "offset", 0), "is due"),
    "data missing": (change_file(cut_data=1 << 20), "truncated"),
    "last byte missing": (change_file(cut_data=1), "truncated"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_files_are_refused(case: str, tmp_path: Path) -> None:
    change, words = BROKEN[case]
    model = GgufBytes()
    change(model)
    with pytest.raises(GgufError) as caught:
        read_header(model.write(tmp_path / "m.gguf"))
    assert words in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_a_sparse_file_with_a_giant_header_is_refused_at_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gguf_header, "MAX_HEADER_BYTES", 4096)
    model = GgufBytes()
    model.extra_entries.append(("big", raw.STRING, raw.string("x" * 8000)))
    with pytest.raises(GgufError, match="header is larger"):
        read_header(model.write(tmp_path / "m.gguf"))


SOUND = GgufBytes().build()


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, len(SOUND) - 1))
def test_a_truncated_file_is_always_refused(tmp_path: Path, length: int) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(SOUND[:length])
    with pytest.raises(GgufError):
        read_header(path)


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, len(SOUND) - 1), st.integers(0, 255)), max_size=8))
def test_changed_bytes_raise_nothing_else(tmp_path: Path, changes: list[tuple[int, int]]) -> None:
    data = bytearray(SOUND)
    for position, value in changes:
        data[position] = value
    path = tmp_path / "m.gguf"
    path.write_bytes(data)
    try:
        read_header(path)
    except GgufError as error:
        assert len(str(error)) < 600


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=600))
def test_anything_behind_the_signature_raises_nothing_else(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(b"GGUF\x03\0\0\0" + data)
    with pytest.raises(GgufError):
        read_header(path)
