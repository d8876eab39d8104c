"""What the browser loads for the embedded chat, as one set that belongs together.

The version names the contents: a page that has begun with one release never gets a file of another.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from dataclasses import dataclass, field
from functools import lru_cache

JAVASCRIPT = "text/javascript; charset=utf-8"
LOADER = "w.js"


@dataclass(frozen=True)
class Release:
    """The files of one version by name, all of them scripts; ``w.js`` is the loader.

    ``packed`` has the gzip of some of them, smaller than it could be made in a hurry.
    """

    version: str
    files: dict[str, bytes]
    packed: dict[str, bytes] = field(default_factory=dict)

    def packed_file(self, name: str) -> bytes:
        """A file as gzip."""
        return self.packed.get(name) or compress(self.files[name])

    @property
    def integrity(self) -> str:
        """The loader's subresource integrity."""
        digest = hashlib.sha384(self.files[LOADER]).digest()
        return "sha384-" + base64.b64encode(digest).decode()


@lru_cache(maxsize=32)
def compress(body: bytes) -> bytes:
    """The same bytes for the same body, whenever it is done."""
    return gzip.compress(body, 9, mtime=0)
