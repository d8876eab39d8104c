"""The rules on top of the parser: which sound GGUF files may be given to llama.cpp."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ai_model.chat_template import TemplateKind
from ai_model.model_file import BadModelFile, inspect
from tests.ai_model import gguf_bytes as raw
from tests.ai_model.gguf_bytes import GgufBytes, Tensor
from tests.ai_model.tiny_model import build_tiny_model

CHATML = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + "
    "'<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}"
    "{% endif %}"
)


def test_a_real_model_passes_with_its_facts(tmp_path: Path) -> None:
    info = inspect(build_tiny_model(tmp_path / "tiny.gguf", n_ctx=256))
    assert info.name == info.title == "Tiny Test"
    assert (info.architecture, info.quant, info.n_ctx_train) == ("llama", "F32", 256)
    assert info.num_vocab == 609
    assert info.num_layers == 2
    assert info.kv_bytes_per_token == 2 * 32 * 2 * 2
    assert info.size_bytes == (tmp_path / "tiny.gguf").stat().st_size
    assert info.template is TemplateKind.ZEPHYR
    assert not info.is_demo


def test_the_hand_made_model_passes(tmp_path: Path) -> None:
    assert inspect(GgufBytes().write(tmp_path / "m.gguf")).num_vocab == raw.VOCAB


def test_an_output_matrix_of_its_own_is_allowed(tmp_path: Path) -> None:
    model = GgufBytes()
    model.tensors.append(Tensor("output.weight", (raw.EMBED, raw.VOCAB)))
    inspect(model.write(tmp_path / "m.gguf"))


def test_the_names_and_labels_of_tinyllama_and_the_demo(tmp_path: Path) -> None:
    model = GgufBytes().set("general.name", raw.STRING, "tinyllama_tinyllama-1.1b-chat-v1.0")
    model.set("general.file_type", raw.U32, 17)
    info = inspect(model.write(tmp_path / "m.gguf"))
    assert (info.title, info.quant) == ("TinyLlama 1.1B Chat", "Q5_K_M")
    model.set("corral.demo.training_sha256", raw.STRING, "ab" * 32)
    info = inspect(model.write(tmp_path / "m.gguf"))
    assert info.is_demo
    assert info.training_sha256 == "ab" * 32


def test_a_file_without_a_name_is_called_by_its_file_name(tmp_path: Path) -> None:
    path = GgufBytes().drop("general.name").write(tmp_path / "my-model.gguf")
    assert inspect(path).name == "my-model"


NOT_MODELS = {
    "empty": (b"", "is empty"),
    "html": (b"<!DOCTYPE html><html>404</html>", "web page"),
    "html with space": (b"\xef\xbb\xbf\n <HTML>", "web page"),
    "xml": (b"<?xml version='1.0'?><Error/>", "web page"),
    "lfs pointer": (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
    "zip": (b"PK\x03\x04....", "PyTorch checkpoint"),
    "pickle": (b"\x80\x02}q\x00.", "PyTorch checkpoint"),
    "safetensors": (b"\x10\0\0\0\0\0\0\0" + b'{"a": 1}', "safetensors"),
    "old ggml": (b"tjgg\1\0\0\0", "old GGML format"),
    "text": (b"hello", "not a GGUF model"),
    "one byte": (b"G", "not a GGUF model"),
    "only the signature": (b"GGUF", "truncated"),
}


@pytest.mark.parametrize("case", NOT_MODELS)
def test_what_is_no_model_is_named(case: str, tmp_path: Path) -> None:
    data, words = NOT_MODELS[case]
    path = tmp_path / "m.gguf"
    path.write_bytes(data)
    with pytest.raises(BadModelFile) as caught:
        inspect(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)
    assert "model fetch" in str(caught.value)


def test_paths_that_are_no_files(tmp_path: Path) -> None:
    for path, words in (
        (tmp_path / "missing.gguf", "There is no model file"),
        (tmp_path, "is a directory"),
        (Path("/dev/null"), "not an ordinary file"),
        (tmp_path / "nul\0.gguf", "path is not valid"),
        (tmp_path / ("x" * 300), "cannot be read"),
    ):
        with pytest.raises(BadModelFile, match=words):
            inspect(path)


def test_a_broken_link_and_a_loop(tmp_path: Path) -> None:
    (tmp_path / "link.gguf").symlink_to(tmp_path / "gone.gguf")
    with pytest.raises(BadModelFile, match="There is no model file"):
        inspect(tmp_path / "link.gguf")
    (tmp_path / "loop.gguf").symlink_to(tmp_path / "loop.gguf")
    with pytest.raises(BadModelFile, match="cannot be read"):
        inspect(tmp_path / "loop.gguf")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = GgufBytes().write(tmp_path / "m.gguf")
    path.chmod(0)
    with pytest.raises(BadModelFile, match="make it readable"):
        inspect(path)


def test_an_open_that_fails_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = GgufBytes().write(tmp_path / "m.gguf")

    def refuse(*args: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(BadModelFile, match=r"cannot be read \(Permission denied\)"):
        inspect(path)


Change = Callable[[GgufBytes], object]


def put(key: str, kind: int, value: object) -> Change:
    return lambda model: model.set(key, kind, value)


def drop(key: str) -> Change:
    return lambda model: model.drop(key)


def reshape(name: str, shape: tuple[int, ...], kind: int = 0) -> Change:
    def change(model: GgufBytes) -> None:
        tensor = model.tensor(name)
        tensor.shape, tensor.kind = shape, kind
        if kind == 1:
            tensor.num_bytes = tensor.size() // 2

    return change


def remove(name: str) -> Change:
    return lambda model: model.tensors.remove(model.tensor(name))


NOT_OURS: dict[str, tuple[Change, str]] = {
    "architecture gpt2": (put("general.architecture", raw.STRING, "gpt2"), "'gpt2'"),
    "no architecture": (drop("general.architecture"), "names none"),
    "architecture a number": (put("general.architecture", raw.U32, 1), "names none"),
    "an adapter": (put("general.type", raw.STRING, "adapter"), "'adapter'"),
    "a split file": (put("split.count", raw.U16, 4), "split"),
    "no context length": (drop("llama.context_length"), "context_length"),
    "context length 0": (put("llama.context_length", raw.U32, 0), "context_length"),
    "context length text": (put("llama.context_length", raw.STRING, "2048"), "context_length"),
    "context length float": (put("llama.context_length", raw.F32, 2048.0), "context_length"),
    "context length bool": (put("llama.context_length", raw.BOOL, 1), "context_length"),
    "negative layers": (put("llama.block_count", raw.I32, -1), "block_count"),
    "too many layers": (put("llama.block_count", raw.U32, 4_000_000_000), "block_count"),
    "more layers than tensors": (put("llama.block_count", raw.U32, 2), "blk.1.attn_norm"),
    "heads 0": (put("llama.attention.head_count", raw.U32, 0), "head_count"),
    "heads an array": (
        put("llama.attention.head_count", raw.ARRAY, raw.array(raw.U32, [2])),
        "head_count",
    ),
    "heads do not divide": (put("llama.attention.head_count", raw.U32, 3), "do not fit"),
    "more kv heads than heads": (put("llama.attention.head_count_kv", raw.U32, 4), "head_count_kv"),
    "head width": (put("llama.attention.key_length", raw.U32, 64), "width"),
    "rope wider than a head": (put("llama.rope.dimension_count", raw.U32, 64), "rope"),
    "no epsilon": (drop("llama.attention.layer_norm_rms_epsilon"), "epsilon"),
    "epsilon not a number": (
        put("llama.attention.layer_norm_rms_epsilon", raw.F32, float("nan")),
        "epsilon",
    ),
    "no tokenizer": (drop("tokenizer.ggml.model"), "no tokenizer"),
    "tokenizer gpt2": (put("tokenizer.ggml.model", raw.STRING, "gpt2"), "'gpt2'"),
    "no tokens": (drop("tokenizer.ggml.tokens"), "no tokens"),
    "empty tokens": (
        put("tokenizer.ggml.tokens", raw.ARRAY, raw.array(raw.STRING, [])),
        "no tokens",
    ),
    "tokens are numbers": (
        put("tokenizer.ggml.tokens", raw.ARRAY, raw.array(raw.U32, [1] * 6)),
        "no tokens",
    ),
    "no scores": (drop("tokenizer.ggml.scores"), "no scores"),
    "fewer scores than tokens": (
        put("tokenizer.ggml.scores", raw.ARRAY, raw.array(raw.F32, [0.0] * 5)),
        "no scores for each",
    ),
    "scores are integers": (
        put("tokenizer.ggml.scores", raw.ARRAY, raw.array(raw.I32, [0] * 6)),
        "wrong type",
    ),
    "fewer types than tokens": (
        put("tokenizer.ggml.token_type", raw.ARRAY, raw.array(raw.I32, [1])),
        "no token_type for each",
    ),
    "vocabulary size lies": (put("llama.vocab_size", raw.U32, 7), "claims another number"),
    "no end of turn": (drop("tokenizer.ggml.eos_token_id"), "eos"),
    "end of turn outside": (put("tokenizer.ggml.eos_token_id", raw.U32, 6), "eos"),
    "padding token outside": (
        put("tokenizer.ggml.padding_token_id", raw.U32, 4096),
        "outside its vocabulary",
    ),
    "no embeddings": (remove("token_embd.weight"), "token_embd.weight is missing"),
    "a block without a matrix": (remove("blk.0.ffn_up.weight"), "blk.0.ffn_up.weight is missing"),
    "embeddings for fewer tokens": (reshape("token_embd.weight", (8, 5)), "shape"),
    "embeddings turned": (reshape("token_embd.weight", (6, 8)), "shape"),
    "norm of the wrong width": (reshape("output_norm.weight", (16,)), "shape"),
    "norm quantised": (reshape("output_norm.weight", (8,), kind=1), "F32 is needed"),
    "matrix with a third dimension": (reshape("blk.0.attn_q.weight", (8, 8, 2)), "shape"),
    "a tensor nobody asked for": (
        lambda m: m.tensors.append(Tensor("blk.0.ffn_gate_exps.weight", (8, 8))),
        "plain llama model has not",
    ),
    "no chat template": (drop("tokenizer.chat_template"), "no chat template"),
    "template of another model": (
        put("tokenizer.chat_template", raw.STRING, CHATML),
        "its chat template is not one Corral renders (Zephyr)",
    ),
    "template a number": (put("tokenizer.chat_template", raw.U32, 1), "no chat template"),
}


@pytest.mark.parametrize("case", NOT_OURS)
def test_a_sound_file_of_another_kind_is_refused_by_name(case: str, tmp_path: Path) -> None:
    change, words = NOT_OURS[case]
    model = GgufBytes()
    change(model)
    with pytest.raises(BadModelFile) as caught:
        inspect(model.write(tmp_path / "m.gguf"))
    sentence = str(caught.value)
    assert words in sentence
    assert "model fetch" in sentence
    assert "\n" not in sentence


def test_trailing_dimensions_of_one_are_harmless(tmp_path: Path) -> None:
    model = GgufBytes()
    model.tensor("output_norm.weight").shape = (8, 1, 1)
    inspect(model.write(tmp_path / "m.gguf"))


SOUND = GgufBytes().build()


@settings(max_examples=500, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(0, len(SOUND) - 1), st.integers(0, 7)), max_size=6),
    st.one_of(st.none(), st.integers(0, len(SOUND))),
)
def test_flipped_bits_and_cuts_raise_nothing_but_bad_model_file(
    tmp_path: Path, flips: list[tuple[int, int]], length: int | None
) -> None:
    data = bytearray(SOUND)
    for position, bit in flips:
        data[position] ^= 1 << bit
    path = tmp_path / "m.gguf"
    path.write_bytes(data[:length])
    try:
        inspect(path)
    except BadModelFile as error:
        assert str(error).endswith((".", "`."))


def test_a_cut_real_model_is_refused_at_twenty_points(tmp_path: Path) -> None:
    data = build_tiny_model(tmp_path / "tiny.gguf").read_bytes()
    path = tmp_path / "cut.gguf"
    for step in range(20):
        path.write_bytes(data[: len(data) * step // 20])
        with pytest.raises(BadModelFile):
            inspect(path)
