"""Where the pool's socket lies: the wished path, or a short private one when that is too long."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from ai_model.pool.errors import PoolStartError

MAX_PATH_BYTES = 100
"""The kernel allows 107; a few are left for the temporary name a socket is born with."""


def usable_socket_path(wished: Path) -> Path:
    """Return ``wished``, made absolute, when a Unix socket can have that path, else a short one.

    The short path only depends on the wished one and the user, so that every process of a site
    finds the same socket. It lies in a directory nobody else can enter, below ``XDG_RUNTIME_DIR``
    or ``/tmp``. Makes that directory when it is needed; raises PoolStartError when it cannot.
    """
    wished = Path(os.path.abspath(wished))
    if len(os.fsencode(wished)) <= MAX_PATH_BYTES:
        return wished
    digest = hashlib.sha256(os.fsencode(wished)).hexdigest()[:12]
    for base in (os.environ.get("XDG_RUNTIME_DIR"), "/tmp"):
        if not base or not os.path.isdir(base):
            continue
        short = Path(base, f"corral-{os.geteuid()}-{digest}", "pool.sock")
        if len(os.fsencode(short)) <= MAX_PATH_BYTES:
            _make_private(short.parent)
            return short
    raise PoolStartError(
        f"The socket path {wished} is too long for a Unix socket; set CORRAL_VAR_DIR to a shorter "
        "path."
    )


def _make_private(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
        found = directory.lstat()
    except OSError as error:
        raise PoolStartError(f"{directory} cannot be made: {error.strerror}.") from None
    is_ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    if not is_ours or stat.S_IMODE(found.st_mode) & 0o077:
        raise PoolStartError(f"{directory} is not a private directory of this user; remove it.")
