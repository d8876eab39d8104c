"""Takes files away from this thread and all that come after it: Linux's Landlock.

Rights are only taken, never given: what the user may not do, stays forbidden.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ai_model.sandbox import kernel

_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446
_VERSION = 1
_PATH_BENEATH = 1

_WRITE_FILE, _READ_FILE, _REMOVE_FILE = 1 << 1, 1 << 2, 1 << 5
# Writing, and making or removing anything: files, directories, links, sockets, pipes, devices.
_CHANGE = _WRITE_FILE | sum(1 << bit for bit in range(4, 13))
_MOVE, _TRUNCATE = 1 << 13, 1 << 14
"""Known from version 2 and 3 on."""
_TCP = 1 | 2
"""Offer and connect; known from version 4 on."""
_ABSTRACT_SOCKETS, _SIGNALS = 1, 2
"""Of processes outside; known from version 6 on."""


class _Ruleset(ctypes.Structure):
    _fields_ = [("files", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scope", ctypes.c_uint64)]


class _Rule(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("access", ctypes.c_uint64), ("descriptor", ctypes.c_int32)]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRights:
    """What may still be done; whatever is not there is passed over."""

    readable: Iterable[Path] | None = None
    """Files, and directories with all below them; None leaves reading as it is."""
    writable: Iterable[Path] = ()
    """The same for writing into what is there already."""
    removable: Iterable[Path] = ()
    """Directories in which files may be removed."""


def version() -> int:
    """Which Landlock the kernel has. Raises OSError where there is none, or it is switched off."""
    return kernel.system_call(_CREATE, None, 0, _VERSION)


def restrict(rights: FileRights) -> None:
    """Take everything but ``rights`` away, for good. ``kernel.forbid_new_privileges`` comes first.

    It holds for the calling thread and those it starts, so call it while there is only one. Raises
    OSError where the kernel cannot do it; then nothing is taken away.
    """
    known = version()
    ruleset = _Ruleset(files=_changes(known), net=_TCP, scope=_ABSTRACT_SOCKETS | _SIGNALS)
    if rights.readable is not None:
        ruleset.files |= _READ_FILE
    size = 8 if known < 4 else 16 if known < 6 else 24
    descriptor = kernel.system_call(_CREATE, ctypes.byref(ruleset), size, 0)
    try:
        for paths, access in (
            (rights.readable or (), _READ_FILE),
            (rights.writable, _WRITE_FILE),
            (rights.removable, _REMOVE_FILE),
        ):
            for path in paths:
                _allow(descriptor, path, access)
        kernel.system_call(_RESTRICT, descriptor, 0)
    finally:
        os.close(descriptor)


def _changes(known: int) -> int:
    return _CHANGE | (_MOVE if known >= 2 else 0) | (_TRUNCATE if known >= 3 else 0)


def _allow(ruleset: int, path: Path, access: int) -> None:
    """Allow ``access`` at a path; a link is not followed, for it may lead anywhere."""
    with contextlib.suppress(OSError):
        found = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            if not stat.S_ISLNK(os.fstat(found).st_mode):
                rule = _Rule(access=access, descriptor=found)
                kernel.system_call(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0)
        finally:
            os.close(found)
