"""PostgreSQL whose connections are counted.

Every request works in a thread of its own with a connection of its own, and a crowd of requests
would take all that the server has, for every other program too. Beyond the bound a thread waits for
one that another gives back, which is soon: none is kept longer than it works.
"""

from __future__ import annotations

import threading
import weakref
from typing import Any

from django.db.backends.postgresql import base
from django.db.utils import OperationalError

MAX_CONNECTIONS = 20
"""Of one process: four of them leave room in PostgreSQL's usual 100."""
WAIT_S = 10.0
_places = threading.BoundedSemaphore(MAX_CONNECTIONS)


class DatabaseWrapper(base.DatabaseWrapper):
    """One thread's connection; has the place of one from connecting to closing."""

    _give_back: weakref.finalize[..., Any] | None = None

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Wait for a place, and connect. Raises OperationalError when none becomes free."""
        if not _places.acquire(timeout=WAIT_S):
            raise OperationalError(
                "All connections to the database that this process has are busy."
            )
        try:
            connection = super().get_new_connection(conn_params)
        except BaseException:
            _places.release()
            raise
        # Also when its thread ends without closing it.
        self._give_back = weakref.finalize(connection, _places.release)
        self._give_back.atexit = False
        return connection

    def _close(self) -> None:
        try:
            super()._close()
        finally:
            if self._give_back is not None:
                self._give_back()
