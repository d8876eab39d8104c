"""Synthetic TinyLlama: the exact architecture with random weights, for benchmarks on machines that
cannot download it.

Size, speed and memory are those of the real file. It speaks word salad that tokenises back to
itself, so that the reuse of prompts behaves as with the real model.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ai_model.chat_template import ZEPHYR_TEMPLATE

if TYPE_CHECKING:
    import numpy as np

VOCABULARY_MEMBER = "vendor/llama.cpp/models/ggml-vocab-llama-spm.gguf"
_PIP_TIMEOUT_S = 900
_WORD = re.compile("\\u2581[A-Za-z]+")

QUANTS = ("Q4_K_M", "Q5_K_M", "Q8_0")
SYNTHETIC_NAME = "synthetic-tinyllama-1.1b"
SYNTHETIC_TITLE = "Synthetic TinyLlama 1.1B"

OnProgress = Callable[[float, str], None]
"""Called with the share done (0 to 1) and what is being done."""


class SynthesisError(Exception):
    """The model could not be written; the message is one sentence with cause and fix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """The shape of a Llama model."""

    num_layers: int = 22
    width: int = 2048
    num_heads: int = 32
    num_kv_heads: int = 4
    feed_forward: int = 5632
    context_length: int = 2048

    @property
    def kv_width(self) -> int:
        """Width of keys and values."""
        return self.width // self.num_heads * self.num_kv_heads

    def num_bytes(self, num_vocab: int) -> int:
        """Return the bytes of all weights as F16."""
        layer = 2 * self.width * (self.width + self.kv_width) + 3 * self.width * self.feed_forward
        return 2 * (self.num_layers * layer + 2 * num_vocab * self.width)


TINYLLAMA = Architecture()


def fetch_vocabulary(directory: Path, package_version: str) -> Path:
    """Return TinyLlama's tokenizer, taken out of the llama-cpp-python source package of
    ``version``.

    pip fetches the package into ``directory``. Raises SynthesisError when it cannot.
    """
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--no-binary", "llama-cpp-python", "--dest", str(directory)]
    command.append(f"llama-cpp-python=={package_version}")
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=_PIP_TIMEOUT_S)
        archive = next(directory.glob("llama_cpp_python-*.tar.gz"))
    except (subprocess.SubprocessError, OSError, StopIteration) as error:
        raise SynthesisError(
            "pip could not fetch the source package of llama-cpp-python, which holds the "
            "tokenizer; give a GGUF file that has it with --vocab FILE."
        ) from error
    target = directory / "vocabulary.gguf"
    with tarfile.open(archive) as package:
        for member in package:
            if member.isfile() and member.name.endswith(VOCABULARY_MEMBER):
                source = package.extractfile(member)
                assert source is not None
                target.write_bytes(source.read())
                return target
    raise SynthesisError(f"{archive.name} has no {VOCABULARY_MEMBER}; give one with --vocab FILE.")


def write_synthetic(
    target: Path,
    *,
    quant: str,
    vocabulary: Path | None,
    num_threads: int,
    on_progress: OnProgress,
) -> None:
    """Write a full-size synthetic model, fetching the tokenizer when ``vocabulary`` is None.

    Raises SynthesisError.
    """
    with tempfile.TemporaryDirectory(prefix="corral-vocabulary-") as directory:
        if vocabulary is None:
            on_progress(0.0, "fetching the tokenizer")
            vocabulary = fetch_vocabulary(Path(directory), version("llama-cpp-python"))
        synthesise(
            target,
            quant=quant,
            vocabulary=vocabulary,
            num_threads=num_threads,
            on_progress=on_progress,
        )


def synthesise(
    target: Path,
    *,
    quant: str,
    vocabulary: Path,
    num_threads: int,
    on_progress: OnProgress = lambda share, what: None,
    architecture: Architecture = TINYLLAMA,
    seed: int = 0,
) -> None:
    """Write a synthetic model to ``target`` as ``quant`` (Q8_0, Q5_K_M or Q4_K_M), atomically.

    Needs disk for the F16 weights beside the result while it works. Raises SynthesisError.
    """
    from ai_model.engine.quantise import quantise

    tokenizer = _read_tokenizer(vocabulary)
    needed = 2 * architecture.num_bytes(len(tokenizer.pieces))
    free = shutil.disk_usage(target.parent).free
    if free < needed:
        raise SynthesisError(
            f"Writing the model takes {needed / 1e9:.1f} GB of disk for a while and "
            f"{target.parent} has {free / 1e9:.1f} GB; free some or choose another directory."
        )
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".synth-") as directory:
        full, small = Path(directory, "f16.gguf"), Path(directory, "quantised.gguf")
        _write_f16(full, tokenizer, architecture, seed, on_progress)
        on_progress(0.5, f"quantising to {quant}, about a minute")
        quantise(full, small, quant, num_threads=num_threads)
        small.replace(target)
    on_progress(1.0, "done")


@dataclass(frozen=True, slots=True)
class _Tokenizer:
    pieces: list[str]
    scores: list[float]
    types: list[int]


def _read_tokenizer(path: Path) -> _Tokenizer:
    gguf = _gguf()
    try:
        fields = gguf.GGUFReader(path).fields
        pieces, scores, types = (
            fields[f"tokenizer.ggml.{name}"].contents()
            for name in ("tokens", "scores", "token_type")
        )
    except (KeyError, ValueError, OSError, IndexError) as error:
        raise SynthesisError(f"{path} holds no SentencePiece vocabulary.") from error
    return _Tokenizer(list(pieces), list(scores), list(types))


def _write_f16(
    path: Path,
    tokenizer: _Tokenizer,
    shape: Architecture,
    seed: int,
    on_progress: OnProgress,
) -> None:
    writer = _gguf().GGUFWriter(path, "llama")
    _write_metadata(writer, tokenizer, shape)
    import numpy as np

    tensors = dict(_tensor_shapes(shape, len(tokenizer.pieces)))
    for name, dimensions in tensors.items():
        kind = np.dtype(np.float32 if len(dimensions) == 1 else np.float16)
        num_bytes = int(np.prod(dimensions)) * kind.itemsize
        writer.add_tensor_info(name, dimensions, kind, num_bytes)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    generator = np.random.default_rng(seed)
    for index, (name, dimensions) in enumerate(tensors.items()):
        writer.write_tensor_data(_weights(name, dimensions, tokenizer, generator))
        on_progress(0.5 * (index + 1) / len(tensors), "writing random weights")
    writer.close()


def _write_metadata(writer: Any, tokenizer: _Tokenizer, shape: Architecture) -> None:
    writer.add_name(SYNTHETIC_TITLE)
    writer.add_context_length(shape.context_length)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.num_layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.num_heads)
    writer.add_head_count_kv(shape.num_kv_heads)
    writer.add_rope_dimension_count(shape.width // shape.num_heads)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokenizer.pieces))
    writer.add_file_type(1)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokenizer.pieces)
    writer.add_token_scores(tokenizer.scores)
    writer.add_token_types(tokenizer.types)
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)
    writer.add_chat_template(ZEPHYR_TEMPLATE)


def _tensor_shapes(shape: Architecture, num_vocab: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield "token_embd.weight", (num_vocab, shape.width)
    yield "output_norm.weight", (shape.width,)
    yield "output.weight", (num_vocab, shape.width)
    for layer in range(shape.num_layers):
        block = f"blk.{layer}"
        yield f"{block}.attn_norm.weight", (shape.width,)
        yield f"{block}.attn_q.weight", (shape.width, shape.width)
        yield f"{block}.attn_k.weight", (shape.kv_width, shape.width)
        yield f"{block}.attn_v.weight", (shape.kv_width, shape.width)
        yield f"{block}.attn_output.weight", (shape.width, shape.width)
        yield f"{block}.ffn_norm.weight", (shape.width,)
        yield f"{block}.ffn_gate.weight", (shape.feed_forward, shape.width)
        yield f"{block}.ffn_up.weight", (shape.feed_forward, shape.width)
        yield f"{block}.ffn_down.weight", (shape.width, shape.feed_forward)


def _weights(
    name: str, dimensions: tuple[int, ...], tokenizer: _Tokenizer, generator: np.random.Generator
) -> np.ndarray[Any, Any]:
    import numpy as np

    if len(dimensions) == 1:
        return np.ones(dimensions, dtype=np.float32)
    weights = generator.standard_normal(dimensions, dtype=np.float32)
    weights *= 0.02
    if name == "output.weight":
        # Only whole words can win: their text tokenises back to the same ids.
        mute = [index for index, piece in enumerate(tokenizer.pieces) if not _WORD.fullmatch(piece)]
        weights[mute] = 0.0
    return weights.astype(np.float16)


def _gguf() -> Any:
    try:
        import gguf
    except ImportError as error:
        raise SynthesisError(
            "Writing a model needs the package gguf: pip install -r requirements-dev.txt."
        ) from error
    return gguf
