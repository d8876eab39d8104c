"""Takes system calls away from this process: a seccomp filter, made without any library.

What is left is enough to compute and to answer on sockets that are open already. The network is
closed because no socket of it can be made; ``io_uring`` has to go with it, since it would make
sockets that no filter sees.
"""

from __future__ import annotations

import ctypes
import errno
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from ai_model.sandbox import kernel

_LOAD, _JUMP_IF_EQUAL, _JUMP_IF_NOT_BELOW, _RETURN = 0x20, 0x15, 0x35, 0x06
_OFFSET_NUMBER, _OFFSET_MACHINE, _OFFSET_FIRST_ARGUMENT = 0, 4, 16
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_SET_MODE_FILTER = 1
# For all threads; and without the slower speculation that older kernels give to filtered processes.
_FLAGS = 1 | 4
_X32_BIT = 0x40000000


@dataclass(frozen=True, slots=True)
class Machine:
    """One kind of processor: its numbers of system calls."""

    audit: int
    """How the kernel names it to a filter."""
    seccomp: int
    socket: int
    connect: int
    refused: tuple[int, ...]
    """Looking into other processes, loading code into the kernel, mounting, tracing."""


# In the order of the names: ptrace, process_vm_readv, process_vm_writev, pidfd_getfd, bpf,
# userfaultfd, perf_event_open, add_key, request_key, keyctl, unshare, setns, mount, umount2,
# pivot_root, chroot, open_by_handle_at, init_module, finit_module, delete_module, kexec_load,
# kexec_file_load, reboot, swapon, swapoff.
_X86_64 = Machine(
    audit=0xC000003E,
    seccomp=317,
    socket=41,
    connect=42,
    refused=(
        *(101, 310, 311, 438, 321, 323, 298, 248, 249, 250, 272, 308, 165, 166),
        *(155, 161, 304, 175, 313, 176, 246, 320, 169, 167, 168),
    ),
)
_AARCH64 = Machine(
    audit=0xC00000B7,
    seccomp=277,
    socket=198,
    connect=203,
    refused=(
        *(117, 270, 271, 438, 280, 282, 241, 217, 218, 219, 97, 268, 40, 39),
        *(41, 51, 265, 105, 273, 106, 104, 294, 142, 224, 225),
    ),
)
MACHINES = {"x86_64": _X86_64, "aarch64": _AARCH64}
_IO_URING = (425, 426, 427)
"""The same on every processor."""


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def refuse_system_calls(*, may_connect: bool) -> None:
    """Install the filter for all threads, for good. ``kernel.forbid_new_privileges`` comes first.

    ``may_connect`` leaves connections to Unix sockets, which drivers of GPUs need. Raises OSError
    where the kernel or the processor has no such filter.
    """
    machine = MACHINES.get(kernel.machine())
    if machine is None:
        raise OSError(errno.ENOSYS, "no filter of system calls for this processor")
    code = b"".join(filter_code(machine, may_connect=may_connect))
    program = _Program(len(code) // 8, code)
    refused = kernel.system_call(
        machine.seccomp, _SET_MODE_FILTER, _FLAGS, ctypes.byref(program), 0, 0, 0
    )
    if refused:
        raise OSError(errno.EBUSY, f"thread {refused} has a filter of its own")


def filter_code(machine: Machine, *, may_connect: bool) -> Iterator[bytes]:
    """Give the instructions of the filter, 8 bytes each."""
    yield _step(_LOAD, _OFFSET_MACHINE)
    yield _step(_JUMP_IF_EQUAL, machine.audit, on_true=1)
    yield _refusal(errno.EPERM)
    yield _step(_LOAD, _OFFSET_NUMBER)
    if machine is _X86_64:
        yield _step(_JUMP_IF_NOT_BELOW, _X32_BIT, on_false=1)
        yield _refusal(errno.EPERM)
    for number in machine.refused if may_connect else (*machine.refused, machine.connect):
        yield _step(_JUMP_IF_EQUAL, number, on_false=1)
        yield _refusal(errno.EPERM)
    for number in _IO_URING:
        yield _step(_JUMP_IF_EQUAL, number, on_false=1)
        yield _refusal(errno.ENOSYS)
    yield _step(_JUMP_IF_EQUAL, machine.socket, on_true=1)
    yield _step(_RETURN, _ALLOW)
    yield _step(_LOAD, _OFFSET_FIRST_ARGUMENT)
    yield _step(_JUMP_IF_EQUAL, socket.AF_UNIX, on_false=1)
    yield _step(_RETURN, _ALLOW)
    yield _refusal(errno.EPERM)


def _step(code: int, value: int, *, on_true: int = 0, on_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, on_true, on_false, value)


def _refusal(number: int) -> bytes:
    return _step(_RETURN, _ERRNO | number)
