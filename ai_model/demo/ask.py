"""Asks a demo model through llama.cpp, greedily: for the checker, without engine or pool."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any, Self

import llama_cpp

from ai_model.demo.dialogue import Turn, render_turn

END_OF_TURN = "</s>"
MAX_ANSWER_TOKENS = 250
_QUIET = llama_cpp.llama_log_callback(lambda *_: None)


class DemoModel:
    """A loaded model; close it, or use it as a context manager. One thread at a time.

    Raises ValueError when the file cannot be loaded.
    """

    def __init__(self, path: Path, *, num_threads: int = 1, context: int = 1024) -> None:
        lib: Any = llama_cpp
        self._lib = lib
        lib.llama_log_set(_QUIET, ctypes.c_void_p())
        lib.llama_backend_init()
        params = lib.llama_model_default_params()
        # the AMX code path crashes on batches of Q8_0 weights on some machines
        params.use_extra_bufts = False
        self._model = lib.llama_model_load_from_file(str(path).encode(), params)
        if not self._model:
            raise ValueError(f"{path} cannot be loaded")
        settings = lib.llama_context_default_params()
        settings.n_ctx = settings.n_batch = context
        settings.n_threads = settings.n_threads_batch = num_threads
        self._context = lib.llama_init_from_model(self._model, settings)
        self._vocab = lib.llama_model_get_vocab(self._model)
        self._num_tokens = lib.llama_vocab_n_tokens(self._vocab)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Free the model."""
        if self._model:
            self._lib.llama_free(self._context)
            self._lib.llama_model_free(self._model)
            self._model = None

    def tokenize(self, text: str) -> list[int]:
        """Ids of a rendered dialogue, control tokens included."""
        raw = text.encode()
        room = len(raw) + 8
        ids = (llama_cpp.llama_token * room)()
        count = self._lib.llama_tokenize(self._vocab, raw, len(raw), ids, room, True, True)
        return list(ids[:count])

    def _decode(self, ids: list[int]) -> int:
        """Evaluate tokens; returns the likeliest next one."""
        array = (llama_cpp.llama_token * len(ids))(*ids)
        code = self._lib.llama_decode(self._context, self._lib.llama_batch_get_one(array, len(ids)))
        if code != 0:
            raise RuntimeError(f"llama_decode returned {code}")
        logits = self._lib.llama_get_logits_ith(self._context, -1)
        return max(range(self._num_tokens), key=logits.__getitem__)

    def answer_tokens(self, messages: list[dict[str, str]]) -> list[int]:
        """Token ids of the greedy answer to trusted messages (they are tokenised as they are)."""
        rendered = ["".join(render_turn(Turn(m["role"], m["content"]))) for m in messages]
        text = "".join(f"{turn}{END_OF_TURN}\n" for turn in rendered) + "<|assistant|>\n"
        self._lib.llama_memory_clear(self._lib.llama_get_memory(self._context), True)
        token = self._decode(self.tokenize(text))
        ids: list[int] = []
        while token != self._lib.llama_vocab_eos(self._vocab) and len(ids) < MAX_ANSWER_TOKENS:
            ids.append(token)
            token = self._decode([token])
        return ids

    def ask(self, messages: list[dict[str, str]]) -> str:
        """The greedy answer."""
        piece = ctypes.create_string_buffer(64)
        found = b""
        for token in self.answer_tokens(messages):
            size = self._lib.llama_token_to_piece(self._vocab, token, piece, 64, 0, False)
            found += piece.raw[:size]
        return found.decode("utf-8", errors="replace").strip()
