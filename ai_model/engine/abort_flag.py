"""A flag that stops llama.cpp in the middle of a step without asking Python."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

from ai_model.engine.llama_library import lib


class AbortFlag:
    """The two-byte buffer behind ``llama_set_abort_callback``.

    llama.cpp asks its abort callback between the nodes of a graph, thousands of times a second. A
    Python callback would take the GIL each time; instead the callback is libc's ``strlen`` and its
    argument this buffer: an empty string means go on, a string of one character means stop (the C
    ``bool`` is the low byte of the length). Thread-safe: one byte is written atomically.
    """

    def __init__(self) -> None:
        self._buffer = ctypes.create_string_buffer(2)
        strlen = ctypes.CDLL(None).strlen
        self._callback = ctypes.cast(strlen, lib.ggml_abort_callback)

    def attach(self, ctx: lib.llama_context_p) -> None:
        """Make ``ctx`` obey this flag, which must outlive it."""
        lib.llama_set_abort_callback(ctx, self._callback, ctypes.addressof(self._buffer))

    @contextmanager
    def detached(self, ctx: lib.llama_context_p) -> Iterator[None]:
        """Let ``ctx`` run a step that nobody may stop; the flag may be set meanwhile."""
        lib.llama_set_abort_callback(ctx, lib.ggml_abort_callback(), None)
        try:
            yield
        finally:
            self.attach(ctx)

    def set(self) -> None:
        """Stop the step that is running, or the next one."""
        self._buffer[0] = b"\x01"

    def clear(self) -> None:
        """Let steps run."""
        self._buffer[0] = b"\x00"
