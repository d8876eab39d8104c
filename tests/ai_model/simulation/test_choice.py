"""The best limits there are are taken, and the reasons against better ones told."""

from __future__ import annotations

import os

import pytest

from ai_model.simulation import choice
from ai_model.simulation.bare_cage import BareCage
from ai_model.simulation.cage import NoCage
from ai_model.simulation.machine import SmallMachine

MACHINE = SmallMachine(num_cpus=1, memory_bytes=1 << 30)


class Locked(BareCage):
    """Can be made, but not entered."""

    num_closed = 0

    def enter(self) -> None:
        raise PermissionError

    def close(self) -> None:
        Locked.num_closed += 1


def _impossible(machine: SmallMachine) -> BareCage:
    raise NoCage("none here")


def test_without_any_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "GroupCage", Locked)
    monkeypatch.setattr(choice, "SystemdCage", _impossible)
    cage, reasons = choice.choose_cage(MACHINE)
    assert type(cage) is BareCage
    assert reasons == ("this user may not move a process under such limits", "none here")
    assert Locked.num_closed == 1


def test_the_first_that_can_be_entered(monkeypatch: pytest.MonkeyPatch) -> None:
    before = os.sched_getaffinity(0)
    monkeypatch.setattr(choice, "GroupCage", BareCage)
    cage, reasons = choice.choose_cage(MACHINE)
    assert type(cage) is BareCage and reasons == ()
    assert os.sched_getaffinity(0) == before, "only the command is limited"
