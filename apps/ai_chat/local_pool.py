"""A pool of one's own, in a thread of this process: for the terminal and for scripts."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from apps.ai_chat.errors import ChatError

if TYPE_CHECKING:
    from ai_model.pool.thread import PoolThread


class LocalPool:
    """Starts on ``start`` and ends on ``close``; both may be called from any thread, repeatedly."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: PoolThread | None = None
        self.sentence = ""
        """Which model it runs and why."""

    def start(self) -> Path:
        """Return the path of its socket; the model is still loading then.

        Raises ChatError ``no_model`` whose ``details["reason"]`` is a sentence for the operator.
        """
        from ai_model.catalog import UnknownModel
        from ai_model.model_file import BadModelFile
        from ai_model.pool.errors import PoolStartError
        from ai_model.pool.thread import PoolThread
        from apps.ai_pool import conf

        wrong = (BadModelFile, UnknownModel, conf.ImpossibleSetting, PoolStartError, OSError)
        with self._lock:
            if self._thread is None:
                try:
                    plan = conf.pool_plan()
                    thread = PoolThread(plan.config)
                    thread.start()
                except wrong as error:
                    raise ChatError("no_model", reason=str(error)) from None
                self.sentence = plan.sentence
                self._thread = thread
            return self._thread.socket_path

    def close(self) -> None:
        """End the thread."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.close()
