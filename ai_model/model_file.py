"""Decides whether a model file may be given to llama.cpp: sound, of our kind, with our template."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from ai_model.chat_template import TemplateKind, recognise_template
from ai_model.gguf_header import GgufError, GgufHeader, TensorInfo, Value, read_header

ARCHITECTURES = ("llama",)
DEMO_TRAINING_KEY = "corral.demo.training_sha256"
FETCH_HINT = "Fetch a good one with `python manage.py model fetch`."

_FILE_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K",
    11: "Q3_K_S", 12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S",
    17: "Q5_K_M", 18: "Q6_K", 32: "BF16",
}  # fmt: skip
_NORMS_AND_MATRICES = (
    "attn_norm", "attn_q", "attn_k", "attn_v", "attn_output",
    "ffn_norm", "ffn_gate", "ffn_up", "ffn_down",
)  # fmt: skip


class BadModelFile(ValueError):
    """A model file that must not be loaded. The text is one sentence with cause and fix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFileInfo:
    """Facts read from a model file that passed every check."""

    path: Path
    name: str
    """What the file calls itself, or its file name."""
    title: str
    """The name for people, such as ``TinyLlama 1.1B Chat``."""
    architecture: str
    quant: str
    n_ctx_train: int
    """Context the model was trained for, in tokens."""
    num_vocab: int
    num_parameters: int
    num_layers: int
    kv_bytes_per_token: int
    """Memory of one token of context with a 16-bit KV cache, in bytes."""
    size_bytes: int
    template: TemplateKind
    training_sha256: str
    """SHA-256 of the text the demo model was trained on; empty for other models."""
    metadata: dict[str, Value]

    @property
    def is_demo(self) -> bool:
        """Whether this is the small model that comes with Corral."""
        return bool(self.training_sha256)


def inspect(path: Path) -> ModelFileInfo:
    """Check ``path`` from the first byte to the last tensor and return what it holds.

    Reads only the header, so it costs about 0.2 s for a real model. Raises BadModelFile for
    everything else, whatever the file contains. Thread-safe.
    """
    size_bytes = _check_is_readable_file(path)
    _check_beginning(path, size_bytes)
    try:
        header = read_header(path)
    except GgufError as error:
        raise BadModelFile(f"{path} cannot be used: {error}. {FETCH_HINT}") from None
    except OSError as error:
        raise _unreadable(path, error) from None
    return _Rules(path, header).info()


def _check_is_readable_file(path: Path) -> int:
    try:
        status = os.stat(path)
    except FileNotFoundError:
        raise BadModelFile(f"There is no model file at {path}. {FETCH_HINT}") from None
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    if stat.S_ISDIR(status.st_mode):
        raise BadModelFile(f"{path} is a directory; name the .gguf file inside it.")
    if not stat.S_ISREG(status.st_mode):
        raise BadModelFile(f"{path} is not an ordinary file; name a .gguf file.")
    if status.st_size == 0:
        raise BadModelFile(f"{path} is empty (a download that failed?). {FETCH_HINT}")
    return status.st_size


def _unreadable(path: Path, error: Exception) -> BadModelFile:
    cause = getattr(error, "strerror", None) or "the path is not valid"
    return BadModelFile(
        f"{path} cannot be read ({cause}); make it readable for the user the server runs as."
    )


def _check_beginning(path: Path, size_bytes: int) -> None:
    """Name the usual mistakes: a saved error page, a pointer of Git LFS, another format."""
    try:
        with path.open("rb") as file:
            start = file.read(256)
    except OSError as error:
        raise _unreadable(path, error) from None
    if start.startswith(b"GGUF"):
        return
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype", b"<html", b"<head", b"<?xml")):
        found = "a web page saved under this name, not a model"
    elif text.startswith(b"version https://git-lfs"):
        found = "a Git LFS pointer, not the model itself"
    elif start.startswith((b"PK\x03\x04", b"\x80\x02", b"\x80\x04")):
        found = "a PyTorch checkpoint or archive, and Corral only loads GGUF"
    elif start[8:10] == b'{"':
        found = "a safetensors file, and Corral only loads GGUF"
    elif start[:4] in (b"ggml", b"lmgg", b"tjgg", b"fmgg"):
        found = "a model in the old GGML format; convert it to GGUF"
    else:
        found = f"not a GGUF model ({size_bytes} bytes of something else)"
    raise BadModelFile(f"{path} is {found}. {FETCH_HINT}")


class _Rules:
    """What Corral demands of the metadata and tensors of a sound GGUF file."""

    def __init__(self, path: Path, header: GgufHeader) -> None:
        self._path = path
        self._header = header
        self._metadata = header.metadata

    def info(self) -> ModelFileInfo:
        architecture = self._check_architecture()
        n_ctx_train = self._number("context_length", 16, 1 << 20)
        embed = self._number("embedding_length", 1, 1 << 16)
        layers = self._number("block_count", 1, 512)
        feed_forward = self._number("feed_forward_length", 1, 1 << 18)
        heads = self._number("attention.head_count", 1, 1024)
        kv_heads = self._number("attention.head_count_kv", 1, heads, default=heads)
        if embed % heads or heads % kv_heads:
            raise self._bad(f"its {heads} heads do not fit its width of {embed}")
        head_width = embed // heads
        for key in ("attention.key_length", "attention.value_length"):
            if self._number(key, 1, 1 << 16, default=head_width) != head_width:
                raise self._bad("its heads have a width that Corral does not run")
        self._number("rope.dimension_count", 1, head_width, default=head_width)
        self._check_epsilon()
        num_vocab = self._check_tokenizer()
        self._check_tensors(
            embed=embed, layers=layers, feed_forward=feed_forward,
            kv_width=head_width * kv_heads, num_vocab=num_vocab,
        )  # fmt: skip
        name = self._text("general.name") or self._path.stem
        return ModelFileInfo(
            path=self._path,
            name=name,
            title=_title(name),
            architecture=architecture,
            quant=self._quant(),
            n_ctx_train=n_ctx_train,
            num_vocab=num_vocab,
            num_parameters=sum(_num_elements(item) for item in self._header.tensors.values()),
            num_layers=layers,
            kv_bytes_per_token=layers * head_width * kv_heads * 2 * 2,
            size_bytes=self._header.file_size,
            template=self._check_template(name),
            training_sha256=self._text(DEMO_TRAINING_KEY),
            metadata=self._metadata,
        )

    def _bad(self, cause: str, fix: str = FETCH_HINT) -> BadModelFile:
        return BadModelFile(f"{self._path} cannot be used: {cause}. {fix}")

    def _check_architecture(self) -> str:
        architecture = self._text("general.architecture")
        if architecture not in ARCHITECTURES:
            named = f"has the architecture {architecture[:40]!r}" if architecture else "names none"
            raise self._bad(f"it {named}, and Corral runs {', '.join(ARCHITECTURES)} models")
        kind = self._text("general.type")
        if kind not in ("", "model"):
            raise self._bad(f"it holds a {kind[:40]!r}, not a whole model")
        if self._metadata.get("split.count", 0) not in (0, 1):
            raise self._bad("it is one part of a model that was split into several files")
        return architecture

    def _text(self, key: str) -> str:
        value = self._metadata.get(key, "")
        return value if isinstance(value, str) else ""

    def _number(self, key: str, low: int, high: int, default: int | None = None) -> int:
        key = f"llama.{key}"
        value = self._metadata.get(key, default)
        if value is None:
            raise self._bad(f"its metadata has no {key}")
        if type(value) is not int or not low <= value <= high:
            raise self._bad(f"its {key} is not a number from {low} to {high}")
        return value

    def _check_epsilon(self) -> None:
        value = self._metadata.get("llama.attention.layer_norm_rms_epsilon")
        if type(value) is not float or not 0 < value < 1:
            raise self._bad("its llama.attention.layer_norm_rms_epsilon is missing or senseless")

    def _check_tokenizer(self) -> int:
        model = self._text("tokenizer.ggml.model")
        if model != "llama":
            named = f"the tokenizer {model[:40]!r}" if model else "no tokenizer"
            raise self._bad(f"it has {named}, and Corral needs 'llama' (SentencePiece)")
        tokens = self._metadata.get("tokenizer.ggml.tokens")
        if not isinstance(tokens, list) or not tokens or not isinstance(tokens[0], str):
            raise self._bad("its tokenizer has no tokens")
        for key, kind in (("scores", float), ("token_type", int)):
            items = self._metadata.get(f"tokenizer.ggml.{key}")
            if not isinstance(items, list) or len(items) != len(tokens):
                raise self._bad(f"its tokenizer has no {key} for each of its tokens")
            if type(items[0]) is not kind:
                raise self._bad(f"the {key} of its tokenizer have the wrong type")
        claimed = self._metadata.get("llama.vocab_size", len(tokens))
        if claimed != len(tokens):
            raise self._bad(f"it has {len(tokens)} tokens where it claims another number")
        for key in ("bos", "eos"):
            token = self._metadata.get(f"tokenizer.ggml.{key}_token_id")
            if type(token) is not int or not 0 <= token < len(tokens):
                raise self._bad(f"its tokenizer names no valid {key} token")
        for key, value in self._metadata.items():
            if not (key.startswith("tokenizer.ggml.") and key.endswith("_token_id")):
                continue
            # 0xFFFFFFFF is how some converters write "none".
            if type(value) is not int or not (0 <= value < len(tokens) or value == 0xFFFFFFFF):
                raise self._bad(f"its {key} is outside its vocabulary")
        return len(tokens)

    def _check_tensors(
        self, *, embed: int, layers: int, feed_forward: int, kv_width: int, num_vocab: int
    ) -> None:
        shapes: dict[str, tuple[int, ...]] = {
            "token_embd.weight": (embed, num_vocab),
            "output_norm.weight": (embed,),
        }
        widths = dict(zip(_NORMS_AND_MATRICES, (
            (embed,), (embed, embed), (embed, kv_width), (embed, kv_width), (embed, embed),
            (embed,), (embed, feed_forward), (embed, feed_forward), (feed_forward, embed),
        ), strict=True))  # fmt: skip
        for layer in range(layers):
            for part, shape in widths.items():
                shapes[f"blk.{layer}.{part}.weight"] = shape
        if "output.weight" in self._header.tensors:
            shapes["output.weight"] = (embed, num_vocab)
        for name, shape in shapes.items():
            tensor = self._header.tensors.get(name)
            if tensor is None:
                raise self._bad(f"its tensor {name} is missing")
            if _without_ones(tensor.shape) != shape:
                raise self._bad(f"its tensor {name} has the shape {tensor.shape}, not {shape}")
            if len(shape) == 1 and tensor.type_name != "F32":
                raise self._bad(f"its tensor {name} is {tensor.type_name} where F32 is needed")
        for name in self._header.tensors:
            if name not in shapes:
                raise self._bad(f"it has a tensor {name} that a plain llama model has not")

    def _quant(self) -> str:
        file_type = self._metadata.get("general.file_type")
        if type(file_type) is int and file_type in _FILE_TYPES:
            return _FILE_TYPES[file_type]
        return self._header.tensors["blk.0.ffn_down.weight"].type_name

    def _check_template(self, name: str) -> TemplateKind:
        template = self._text("tokenizer.chat_template")
        if not template:
            raise self._bad(f"{name[:60]!r} has no chat template, so it is no chat model")
        kind = recognise_template(template)
        if kind is None:
            raise self._bad(
                f"{name[:60]!r} speaks another chat format: its chat template is not one Corral "
                "renders (Zephyr)"
            )
        return kind


def _num_elements(tensor: TensorInfo) -> int:
    count = 1
    for size in tensor.shape:
        count *= size
    return count


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Drop the trailing dimensions of size 1 that some writers add."""
    while len(shape) > 1 and shape[-1] == 1:
        shape = shape[:-1]
    return shape


def _title(name: str) -> str:
    """Make ``tinyllama_tinyllama-1.1b-chat-v1.0`` readable; other names stay, shortened."""
    lower = name.lower()
    if "tinyllama" in lower and "chat" in lower:
        return "TinyLlama 1.1B Chat"
    return " ".join(name.split())[:60]
