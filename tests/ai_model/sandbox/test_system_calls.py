"""The filter's program, followed instruction by instruction as the kernel would."""

from __future__ import annotations

import errno
import socket
import struct

import pytest

from ai_model.sandbox.system_calls import MACHINES, Machine, filter_code

ALLOWED = 0x7FFF0000


def run(machine: Machine, number: int, first: int = 0, *, audit: int = 0, connect: bool) -> int:
    """Return the verdict on a call."""
    data = struct.pack("<IIQQ", number, audit or machine.audit, 0, first)
    code = list(filter_code(machine, may_connect=connect))
    at, value = 0, 0
    while True:
        kind, on_true, on_false, operand = struct.unpack("=HBBI", code[at])
        at += 1
        if kind == 0x20:
            (value,) = struct.unpack_from("<I", data, operand)
        elif kind == 0x06:
            return int(operand)
        else:
            is_true = value == operand if kind == 0x15 else value >= operand
            at += on_true if is_true else on_false


def refused(number: int) -> int:
    return 0x00050000 | number


@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES.keys())
def test_verdicts(machine: Machine) -> None:
    for number in machine.refused:
        assert run(machine, number, connect=True) == refused(errno.EPERM)
    assert len(machine.refused) == 25 == len(set(machine.refused))
    for number in (425, 426, 427):
        assert run(machine, number, connect=True) == refused(errno.ENOSYS)
    for number in (0, 1, 63, 64, 98, 202, 444):  # reading, writing, waiting
        assert run(machine, number, connect=False) == ALLOWED
    assert run(machine, machine.socket, socket.AF_UNIX, connect=False) == ALLOWED
    for family in (socket.AF_INET, socket.AF_INET6, 16, 17, 40):
        assert run(machine, machine.socket, family, connect=True) == refused(errno.EPERM)
    assert run(machine, machine.connect, connect=True) == ALLOWED
    assert run(machine, machine.connect, connect=False) == refused(errno.EPERM)


def test_no_way_around_by_another_mode_of_the_processor() -> None:
    """32-bit calls have other numbers; x32 has the same with a bit set."""
    machine = MACHINES["x86_64"]
    assert run(machine, 102, audit=0x40000003, connect=True) == refused(errno.EPERM)
    assert run(machine, 0x40000000 | machine.socket, connect=True) == refused(errno.EPERM)
