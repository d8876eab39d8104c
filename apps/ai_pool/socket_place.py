"""Whether the place of the pool's socket can be used by this process, and what to do if not."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from ai_model.pool.socket_path import MAX_PATH_BYTES

RUN_BY_SAME_USER = "Run the pool and the web processes as the same user (User= in both units)."


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with a place, and what to do."""

    cause: str
    fix: str

    def __str__(self) -> str:
        return f"{self.cause} {self.fix}"


def complaint_about(path: Path, *, is_server: bool = False) -> Complaint | None:
    """Return what keeps this process from connecting to a socket at ``path``, or from listening
    there when ``is_server``; None when nothing does. A missing socket is no complaint."""
    if len(os.fsencode(path)) > MAX_PATH_BYTES:
        return Complaint(
            f"{path} has {len(os.fsencode(path))} bytes and a Unix socket may have "
            f"{MAX_PATH_BYTES}.",
            "Choose a shorter path, such as /run/corral-pool/pool.sock.",
        )
    return _about_directory(path.parent, is_server=is_server) or _about_socket(path)


def _about_directory(directory: Path, *, is_server: bool) -> Complaint | None:
    try:
        mode = directory.stat().st_mode
    except FileNotFoundError:
        return Complaint(
            f"The directory {directory} of the pool's socket does not exist.",
            "Make it for the pool's user alone (install -d -m 0700), or start the service "
            "corral-pool, which makes its own.",
        )
    except OSError as error:
        return Complaint(
            f"The directory {directory} of the pool's socket cannot be entered by user "
            f"{os.geteuid()} ({error.strerror}).",
            RUN_BY_SAME_USER,
        )
    if not stat.S_ISDIR(mode):
        return Complaint(f"{directory} is not a directory.", "Choose another place.")
    needed = os.X_OK | (os.W_OK if is_server else 0)
    if not os.access(directory, needed):
        deed = "written" if is_server else "entered"
        return Complaint(
            f"The directory {directory} of the pool's socket cannot be {deed} by user "
            f"{os.geteuid()}.",
            RUN_BY_SAME_USER,
        )
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        return Complaint(
            f"Everybody may write in {directory}, and could put a false pool there.",
            f"Take that right away (chmod o-w {directory}).",
        )
    return None


def _about_socket(path: Path) -> Complaint | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        return Complaint(f"{path} cannot be looked at ({error.strerror}).", RUN_BY_SAME_USER)
    if not stat.S_ISSOCK(found.st_mode):
        return Complaint(
            f"{path} is there already and is not a socket.", "Choose another path, or remove it."
        )
    if found.st_uid != os.geteuid():
        return Complaint(
            f"The socket {path} belongs to user {found.st_uid} and this process is user "
            f"{os.geteuid()}; a pool serves its own user only.",
            RUN_BY_SAME_USER,
        )
    return None
