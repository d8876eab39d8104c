"""The best limits this machine and this user allow."""

from __future__ import annotations

import subprocess

from ai_model.simulation.bare_cage import BareCage
from ai_model.simulation.cage import Cage, NoCage
from ai_model.simulation.group_cage import GroupCage
from ai_model.simulation.machine import SmallMachine
from ai_model.simulation.systemd_cage import SystemdCage

_TRIAL_S = 20


def choose_cage(machine: SmallMachine) -> tuple[Cage, tuple[str, ...]]:
    """Return limits that hold for the small machine, and why better ones cannot be had."""
    reasons: list[str] = []
    for kind in (GroupCage, SystemdCage):
        try:
            cage = kind(machine)
        except (NoCage, OSError) as error:
            reasons.append(str(error))
            continue
        if can_enter(cage):
            return cage, tuple(reasons)
        cage.close()
        reasons.append("this user may not move a process under such limits")
    return BareCage(machine), tuple(reasons)


def can_enter(cage: Cage) -> bool:
    """A group can be made where no process can be moved to: seen only by trying."""
    try:
        trial = subprocess.run(
            cage.command(["true"]),
            preexec_fn=cage.enter,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_TRIAL_S,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return trial.returncode == 0
