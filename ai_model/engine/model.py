"""One loaded GGUF model: its weights, vocabulary and facts, shared by all instances."""

from __future__ import annotations

import ctypes
from functools import lru_cache
from pathlib import Path

from ai_model.engine import amx, llama_log
from ai_model.engine.errors import ModelLoadError
from ai_model.engine.llama_library import lib
from ai_model.engine.model_info import ModelInfo
from ai_model.model_file import BadModelFile, inspect
from ai_model.token_memo import TokenMemo


class Model:
    """The weights (memory-mapped) and vocabulary of one model file.

    Implements ``ai_model.prompt.Tokenizer``. Loading takes up to seconds; all other methods are
    quick. Tokenising and reading pieces is thread-safe; close() must come last.

    The file is checked by ``ai_model.model_file`` before llama.cpp sees it. Raises ModelLoadError
    when either refuses it.
    """

    def __init__(self, path: Path, *, gpu_layers: int = 0) -> None:
        self.info = _inspect(path)
        llama_log.install()
        llama_log.recent_errors.clear()
        params = lib.llama_model_default_params()
        params.n_gpu_layers = gpu_layers
        # The extra buffer types hold AMX's own copy of the weights. Without them the AVX-512
        # kernels run, on weights that stay mapped.
        params.use_extra_bufts = amx.is_safe_to_pack()
        # A copy for AMX beside a mapping of the file would count twice.
        is_copied = amx.is_usable()
        if is_copied:
            params.load_mode = lib.LLAMA_LOAD_MODE_NONE
        handle = lib.llama_model_load_from_file(str(path).encode(), params)
        if not handle:
            cause = "; ".join(llama_log.recent_errors) or "no reason given"
            raise ModelLoadError(f"llama.cpp could not load {path.name}: {cause}.")
        self.handle = handle
        self.path = path
        self.mapped_file = None if is_copied else path
        """The file whose pages are the weights; None when they were copied into memory."""
        self.vocab = lib.llama_model_get_vocab(handle)
        self.num_vocab = lib.llama_vocab_n_tokens(self.vocab)
        self.memo = TokenMemo()
        self._end_of_turn = lib.llama_vocab_eos(self.vocab)
        self._bos = (
            lib.llama_vocab_bos(self.vocab) if lib.llama_vocab_get_add_bos(self.vocab) else None
        )
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


def _inspect(path: Path) -> ModelInfo:
    """Return what the checked header says. Raises ModelLoadError with one sentence."""
    try:
        found = inspect(path)
    except BadModelFile as error:
        raise ModelLoadError(str(error)) from None
    return ModelInfo(
        name=found.title,
        quant=found.quant,
        n_ctx_train=found.n_ctx_train,
        num_parameters=found.num_parameters,
        size_bytes=found.size_bytes,
        kv_bytes_per_token=found.kv_bytes_per_token,
        is_demo=found.is_demo,
    )
