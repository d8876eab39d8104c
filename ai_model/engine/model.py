"""One loaded GGUF model: its weights, vocabulary and facts, shared by all instances."""

from __future__ import annotations

import ctypes
import re
from functools import lru_cache
from pathlib import Path

from llama_cpp import llama_cpp as lib

from ai_model.engine import llama_log
from ai_model.engine.errors import ModelLoadError
from ai_model.engine.model_info import ModelInfo
from ai_model.token_memo import TokenMemo

_QUANT = re.compile(r"(?P<type>I?Q\d\w*|B?F16|F32)(?: - (?P<size>Small|Medium|Large))?")
"""As llama.cpp describes a model: ``llama 1B Q5_K - Medium``."""


class Model:
    """The weights (memory-mapped) and vocabulary of one model file.

    Implements ``ai_model.prompt.Tokenizer``. Loading takes up to seconds; all other methods are
    quick. Tokenising and reading pieces is thread-safe; close() must come last.

    Raises ModelLoadError when llama.cpp refuses the file.
    """

    def __init__(self, path: Path, *, gpu_layers: int = 0) -> None:
        llama_log.install()
        llama_log.recent_errors.clear()
        params = lib.llama_model_default_params()
        params.n_gpu_layers = gpu_layers
        # AMX kernels crash when the compiler drops the tile configuration (llama.cpp #20824, GCC
        # 12): without the extra buffer types the AVX-512 ones run, on weights that stay mapped.
        params.use_extra_bufts = b"AMX_INT8 = 1" not in lib.llama_print_system_info()
        handle = lib.llama_model_load_from_file(str(path).encode(), params)
        if not handle:
            cause = "; ".join(llama_log.recent_errors) or "no reason given"
            raise ModelLoadError(f"llama.cpp could not load {path.name}: {cause}.")
        self.handle = handle
        self.path = path
        self.vocab = lib.llama_model_get_vocab(handle)
        self.num_vocab = lib.llama_vocab_n_tokens(self.vocab)
        self.memo = TokenMemo()
        self._end_of_turn = lib.llama_vocab_eos(self.vocab)
        self._bos = (
            lib.llama_vocab_bos(self.vocab) if lib.llama_vocab_get_add_bos(self.vocab) else None
        )
        self.info = self._read_info()
        self.piece = lru_cache(maxsize=65_536)(self._piece)

    @property
    def bos(self) -> int | None:
        """The token that starts a prompt, or None when the model wants none."""
        return self._bos

    @property
    def end_of_turn(self) -> int:
        """The control token that ends every turn."""
        return int(self._end_of_turn)

    def tokenize(self, text: str) -> list[int]:
        """Return the ids of ``text`` as it stands behind a control token. Control tokens in it are
        never parsed."""
        return self._tokenize(text, parse_special=False)

    def tokenize_template(self, text: str) -> list[int]:
        """Return the ids of a rendered template, control tokens parsed: only to compare with."""
        return self._tokenize(text, parse_special=True, add_special=True)

    def recall(self, text: str) -> tuple[int, ...] | None:
        """Return the ids ``text`` was generated as, when this model remembers that answer."""
        return self.memo.recall(text)

    def is_end(self, token: int) -> bool:
        """Whether ``token`` ends the model's turn."""
        return bool(lib.llama_vocab_is_eog(self.vocab, token))

    def close(self) -> None:
        """Give the weights back; contexts of this model must be closed before. Idempotent."""
        if self.handle:
            lib.llama_model_free(self.handle)
            self.handle = None

    def _tokenize(self, text: str, *, parse_special: bool, add_special: bool = False) -> list[int]:
        data = text.encode("utf-8", "replace")
        capacity = len(data) + 8
        for _ in range(2):
            tokens = (lib.llama_token * capacity)()
            count = lib.llama_tokenize(
                self.vocab, data, len(data), tokens, capacity, add_special, parse_special
            )
            if count >= 0:
                return list(tokens[:count])
            capacity = -count
        raise ValueError("the text cannot be tokenised")

    def _piece(self, token: int) -> bytes:
        """Return the bytes of a token as they appear in a text; control tokens have none."""
        size = 64
        while True:
            buffer = ctypes.create_string_buffer(size)
            count = lib.llama_token_to_piece(self.vocab, token, buffer, size, 0, False)
            if count >= 0:
                return buffer.raw[:count]
            size = -count

    def _read_info(self) -> ModelInfo:
        name = self._metadata("general.name") or self.path.stem
        num_heads = lib.llama_model_n_head(self.handle)
        kv_width = (
            lib.llama_model_n_embd(self.handle)
            // num_heads
            * lib.llama_model_n_head_kv(self.handle)
        )
        return ModelInfo(
            name=name,
            quant=_quant_of(self.path.name, self._describe()),
            n_ctx_train=lib.llama_model_n_ctx_train(self.handle),
            num_parameters=lib.llama_model_n_params(self.handle),
            size_bytes=self.path.stat().st_size,
            kv_bytes_per_token=lib.llama_model_n_layer(self.handle) * kv_width * 2 * 2,
            is_demo=bool(self._metadata("corral.demo.training_sha256")),
        )

    def _metadata(self, key: str) -> str:
        buffer = ctypes.create_string_buffer(512)
        count = lib.llama_model_meta_val_str(self.handle, key.encode(), buffer, len(buffer))
        return buffer.value.decode("utf-8", "replace") if count > 0 else ""

    def _describe(self) -> str:
        buffer = ctypes.create_string_buffer(256)
        lib.llama_model_desc(self.handle, buffer, len(buffer))
        return buffer.value.decode("utf-8", "replace")


def _quant_of(file_name: str, description: str) -> str:
    """Return the quantisation label (``Q5_K_M``): from the file's name, else from llama.cpp."""
    for label in ("Q4_K_M", "Q5_K_M", "Q8_0", "F16", "F32"):
        if label.lower() in file_name.lower():
            return label
    match = _QUANT.search(description)
    if match is None:
        return "unknown"
    return match["type"] + (f"_{match['size'][0]}" if match["size"] else "")
