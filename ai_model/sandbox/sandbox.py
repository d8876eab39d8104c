"""The sandbox of a pool process: what it is to give up, and what came of it."""

from __future__ import annotations

import contextlib
import os
import platform
import resource
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from ai_model.sandbox import file_access, kernel
from ai_model.sandbox.carving import all_but
from ai_model.sandbox.file_access import FileRights
from ai_model.sandbox.system_calls import refuse_system_calls

MAX_OPEN_FILES = 1024
"""More than the pool's connections and a model's files need."""
DEVICES = Path("/dev")
_ALWAYS_WRITABLE = (DEVICES / "null", Path("/proc/pressure"))
"""The alarms for short memory are set by writing."""


class SandboxMode(StrEnum):
    """What the owner wants."""

    AUTO = "auto"
    """Whatever the platform can do; what it cannot is told."""
    REQUIRED = "required"
    """All of it, or no pool."""
    OFF = "off"


class SandboxMissing(Exception):
    """The platform cannot do what is required. The text is a sentence for the operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """What a pool process is to give up."""

    mode: SandboxMode = SandboxMode.AUTO
    private: tuple[Path, ...] = ()
    """Files and directories that it has no business with: the site's database, keys and backups."""

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"mode": str(self.mode), "private": [str(path) for path in self.private]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What the process goes on needing, whatever it gives up."""

    models: tuple[Path, ...] = ()
    """Files to read, even if they lie in a private directory."""
    socket_dir: Path | None = None
    """Where its own socket is to be removed in the end, unless that is a private directory."""
    stall_file: Path | None = None
    """Where the alarm for short memory is set."""
    has_gpu: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Confinement:
    """What is in force."""

    closed: tuple[str, ...] = ()
    """What the process can no longer do, in words."""
    gaps: tuple[str, ...] = ()
    """What it still can although it should not, and why; sentences without a full stop."""


NOT_CONFINED = Confinement()


def confine(sandbox: Sandbox, needs: Needs) -> Confinement:
    """Give it up, for good; call it while there is one thread and before anything is loaded.

    Each part is tried for itself. Raises SandboxMissing when one is required and cannot be had.
    """
    if sandbox.mode is SandboxMode.OFF:
        return NOT_CONFINED
    parts: Mapping[str, Callable[[], None]] = {
        "memory dumps": _forbid_dumps,
        "many open files": _limit_open_files,
        "new privileges": kernel.forbid_new_privileges,
        "rights of root": kernel.drop_capabilities,
        "writing files": lambda: _close_files(sandbox, needs),
        "network": lambda: _close_network(needs),
    }
    closed, gaps = [], []
    for name, take in parts.items():
        try:
            take()
        except OSError as error:
            gaps.append(f"{name}: {error.strerror or error} ({platform.system()})")
        else:
            closed.append(name)
            if take is parts["writing files"] and sandbox.private:
                closed.append("private files")
    if gaps and sandbox.mode is SandboxMode.REQUIRED:
        raise SandboxMissing(
            "CORRAL_POOL_SANDBOX is required, and this machine cannot take away "
            f"{', '.join(gaps)}; use Linux 5.13 or newer on x86_64 or aarch64, or set it to auto."
        )
    return Confinement(closed=tuple(closed), gaps=tuple(gaps))


def _forbid_dumps() -> None:
    """A dump would hold the texts of visitors."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _limit_open_files() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = MAX_OPEN_FILES if most == resource.RLIM_INFINITY else min(most, MAX_OPEN_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))


def _close_files(sandbox: Sandbox, needs: Needs) -> None:
    writable = [*_ALWAYS_WRITABLE]
    if needs.stall_file is not None:
        writable.append(needs.stall_file)
    if needs.has_gpu:
        writable.append(DEVICES)
    readable = None
    if sandbox.private:
        # Drivers write into devices and read them; the model may be a link to where it really is.
        readable = [*all_but(sandbox.private), *(Path(os.path.realpath(p)) for p in needs.models)]
    removable = []
    if needs.socket_dir is not None and not _is_private(needs.socket_dir, sandbox):
        removable.append(needs.socket_dir)
    file_access.restrict(FileRights(readable=readable, writable=writable, removable=removable))


def _is_private(directory: Path, sandbox: Sandbox) -> bool:
    real = Path(os.path.realpath(directory))
    private = {Path(os.path.realpath(path)) for path in sandbox.private}
    # Also a directory above one: whoever may remove files there may remove those.
    return not private.isdisjoint((real, *real.parents)) or any(
        real in path.parents for path in private
    )


def _close_network(needs: Needs) -> None:
    """Refuse sockets, and look whether they are: a filter that does nothing is worse than none."""
    refuse_system_calls(may_connect=needs.has_gpu)
    with contextlib.suppress(PermissionError), socket.socket(socket.AF_INET):
        raise OSError("the filter has no effect")
