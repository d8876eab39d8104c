"""The few calls of Linux that Python has no name for."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import sys
from functools import cache
from typing import Any

_SET_NO_NEW_PRIVILEGES = 38
_CAPABILITIES_VERSION = 0x20080522
_KEPT_CAPABILITIES = (1, 2, 14, 23, 24)
"""Of root: reading a model that another user owns, keeping it in memory, priorities, and the finer
alarm for short memory."""


@cache
def machine() -> str:
    """The processor as Linux names it (x86_64, aarch64), or "" where this is no 64-bit Linux."""
    is_usable = sys.platform == "linux" and sys.maxsize > 2**32
    return platform.machine() if is_usable else ""


@cache
def _libc() -> ctypes.CDLL:
    if not machine():
        raise OSError(errno.ENOSYS, "this is no 64-bit Linux")
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    return libc


def system_call(number: int, *arguments: Any) -> int:
    """Make a system call by its number. Raises OSError with what the kernel says.

    Arguments are integers, None, or ctypes pointers that live until it returns.
    """
    words = [
        ctypes.c_long(argument) if isinstance(argument, int) else argument for argument in arguments
    ]
    return _checked(_libc().syscall(ctypes.c_long(number), *words))


def forbid_new_privileges() -> None:
    """Let no program that this process starts have more rights than it. Raises OSError."""
    zero = ctypes.c_ulong(0)
    _checked(_libc().prctl(_SET_NO_NEW_PRIVILEGES, ctypes.c_ulong(1), zero, zero, zero))


def drop_capabilities() -> None:
    """Keep of root's rights only what the work needs; others have none anyway. Raises OSError."""
    libc, header = _libc(), (ctypes.c_uint32 * 2)(_CAPABILITIES_VERSION, 0)
    sets = (ctypes.c_uint32 * 6)()
    _checked(libc.capget(header, sets))
    kept = sum(1 << number for number in _KEPT_CAPABILITIES)
    # Effective, permitted, inheritable: of the first 32, then of the others.
    _checked(libc.capset(header, (ctypes.c_uint32 * 6)(sets[0] & kept, sets[1] & kept)))


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
