"""How values are written into a shared cache: as JSON, so that reading one can run nothing."""

from __future__ import annotations

import json
from typing import Any


class JsonValues:
    """Turns values into what Redis keeps and back. Whole numbers stay numbers that Redis can count
    with."""

    def dumps(self, value: Any) -> int | bytes:
        """Return a value as it is kept. Raises TypeError for what JSON cannot say."""
        return value if type(value) is int else json.dumps(value).encode()

    def loads(self, kept: bytes) -> Any:
        """Return the value. Raises ValueError for what nobody here has written."""
        return json.loads(kept)
