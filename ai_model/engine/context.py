"""One llama.cpp context: the KV cells all instances share, and the batch a step is made of."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from enum import Enum, auto

from ai_model.engine.abort_flag import AbortFlag
from ai_model.engine.errors import DecodeError, ModelLoadError
from ai_model.engine.llama_library import lib
from ai_model.engine.model import Model
from ai_model.engine.parking import State

_CELL_PADDING = 256
"""llama.cpp rounds a context up to this many cells."""


class DecodeOutcome(Enum):
    """How a step ended."""

    DONE = auto()
    ABORTED = auto()
    """The abort flag stopped it; what it had written must be removed."""


class Context:
    """A unified KV cache of ``num_cells`` tokens for ``num_sequences`` sequences, and one batch of
    up to ``batch_tokens``.

    Unified, because real steps mix one token here with a chunk there, which separate streams per
    sequence would split into many small batches. Not thread-safe: only the engine's thread may call
    it. Raises ModelLoadError when there is not enough memory.
    """

    def __init__(
        self,
        model: Model,
        *,
        num_sequences: int,
        num_cells: int,
        batch_tokens: int,
        num_threads: int,
        abort_flag: AbortFlag,
        has_flash_attention: bool = True,
    ) -> None:
        params = lib.llama_context_default_params()
        params.n_ctx = -(-num_cells // _CELL_PADDING) * _CELL_PADDING
        params.n_batch = params.n_ubatch = batch_tokens
        params.n_seq_max = num_sequences
        # llama.cpp reserves a graph with one output per sequence; more are never asked for.
        params.n_outputs_max = num_sequences
        params.n_threads = params.n_threads_batch = num_threads
        params.kv_unified = True
        params.flash_attn_type = (
            lib.LLAMA_FLASH_ATTN_TYPE_ENABLED
            if has_flash_attention
            else lib.LLAMA_FLASH_ATTN_TYPE_DISABLED
        )
        params.no_perf = True
        self.handle = lib.llama_init_from_model(model.handle, params)
        if not self.handle:
            raise ModelLoadError(
                f"there is not enough memory for a context of {params.n_ctx} tokens "
                f"beside {model.path.name}."
            )
        self._memory = lib.llama_get_memory(self.handle)
        self._abort_flag = abort_flag
        abort_flag.attach(self.handle)
        self._batch = lib.llama_batch_init(batch_tokens, 0, 1)
        self.batch_tokens = batch_tokens

    @property
    def num_rows(self) -> int:
        """Tokens in the batch so far."""
        return int(self._batch.n_tokens)

    def add(self, token: int, *, position: int, sequence: int, wants_logits: bool) -> int:
        """Put a token into the batch and return its row."""
        row = self.num_rows
        batch = self._batch
        batch.token[row] = token
        batch.pos[row] = position
        batch.n_seq_id[row] = 1
        batch.seq_id[row][0] = sequence
        batch.logits[row] = wants_logits
        batch.n_tokens = row + 1
        return row

    def decode(self) -> DecodeOutcome:
        """Evaluate the batch and empty it. Raises DecodeError when llama.cpp refuses it."""
        try:
            code = lib.llama_decode(self.handle, self._batch)
        finally:
            self._batch.n_tokens = 0
        if code == 0:
            return DecodeOutcome.DONE
        if code == 2:
            return DecodeOutcome.ABORTED
        raise DecodeError(code)

    def remove(self, sequence: int, start: int = 0) -> None:
        """Forget what ``sequence`` holds from position ``start`` on. Cells other sequences share
        stay theirs."""
        lib.llama_memory_seq_rm(self._memory, sequence, start, -1)

    def move_up(self, sequence: int, start: int, end: int, *, held: Sequence[int]) -> None:
        """Forget positions ``start`` to ``end`` of ``sequence``, of whose cells from ``start`` on
        none is shared; what is behind them moves up. ``held`` are the tokens it holds then.

        Takes a step of one token. Raises DecodeError when llama.cpp refuses it; then nothing that
        the sequence holds can be used.
        """
        lib.llama_memory_seq_rm(self._memory, sequence, start, end)
        lib.llama_memory_seq_add(self._memory, sequence, end, -1, start - end)
        # Keys are turned to their new places within the next step only. It must not be aborted: a
        # part of them would be turned twice. And before it no state may be saved.
        last = len(held) - 1
        self.remove(sequence, last)
        self.add(held[last], position=last, sequence=sequence, wants_logits=False)
        with self._abort_flag.detached(self.handle):
            self.decode()

    @property
    def can_move(self) -> bool:
        """Whether cells may take other positions, as this model's do."""
        return bool(lib.llama_memory_can_shift(self._memory))

    def copy(self, source: int, target: int, end: int) -> None:
        """Let ``target`` share the first ``end`` positions of ``source``; nothing is recomputed."""
        lib.llama_memory_seq_cp(self._memory, source, target, 0, end)

    def state_size(self, sequence: int) -> int:
        """Return the bytes that save() would take for ``sequence``."""
        return int(lib.llama_state_seq_get_size(self.handle, sequence))

    def save(self, sequence: int) -> State:
        """Return the KV state of ``sequence``."""
        size = self.state_size(sequence)
        state = (ctypes.c_uint8 * size)()
        lib.llama_state_seq_get_data(self.handle, state, size, sequence)
        return state

    def restore(self, sequence: int, state: State) -> bool:
        """Put a saved state into ``sequence``.

        False, and an empty sequence, when llama.cpp refuses it.
        """
        self.remove(sequence)
        if lib.llama_state_seq_set_data(self.handle, state, len(state), sequence) == 0:
            self.remove(sequence)
            return False
        return True

    def clear(self) -> None:
        """Forget everything of every sequence."""
        lib.llama_memory_clear(self._memory, False)

    def close(self) -> None:
        """Give the memory back. Idempotent; the model must still be open."""
        if self.handle:
            lib.llama_batch_free(self._batch)
            lib.llama_free(self.handle)
            self.handle = None
