"""``make wheel``: compiles llama.cpp for other machines, so that a small one need not.

The wheel goes to ``wheels/KIND/``; copied there on the small machine, the installation takes it. It
needs a machine whose C library (glibc) is not newer than the small one's.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.make import llama_build, ready_wheel
from deploy.make.environment import ROOT, InstallError, only_one, run
from deploy.make.machine import free_memory, num_compile_jobs, usable_cpus
from deploy.make.pip_output import PipOutput, Progress
from deploy.make.ready_wheel import DEFAULT_KIND, KINDS, Kind

REQUIREMENTS = "requirements.txt"


def kind_called(name: str) -> Kind:
    """Return a kind of this machine's family. Raises InstallError."""
    machine = platform.machine()
    name = name or DEFAULT_KIND.get(machine, machine)
    known = [kind for kind in KINDS if kind.machine == machine]
    for kind in known:
        if kind.name == name:
            return kind
    names = ", ".join(kind.name for kind in known) or "none"
    raise InstallError(f"There is no kind {name} for {machine}; there are: {names}.")


def build_settings(kind: Kind, environment: Mapping[str, str]) -> dict[str, str]:
    """Return what pip is told besides ``environment``, whose CMAKE_ARGS count last."""
    ours = (kind.cmake_args(), llama_build.library_args(), environment.get("CMAKE_ARGS", ""))
    given = " ".join(filter(None, ours))
    args = llama_build.cmake_args({**environment, "CMAKE_ARGS": given})
    return {"CMAKE_ARGS": args}


def pip_command(requirements: Path, target: Path, cache: Path) -> list[str]:
    """Return the command that compiles into ``target``."""
    return [
        *(sys.executable, "-m", "pip", "wheel", "--require-hashes", "--progress-bar", "off"),
        *("-v", "--no-deps", "--no-binary", llama_build.PACKAGE, "--cache-dir", str(cache)),
        *("-w", str(target), "-r", str(requirements)),
    ]


def make(kind: Kind, progress: Progress) -> Path:
    """Compile, put the wheel into its place, and return it. Raises InstallError."""
    pinned = llama_build.pinned_block((ROOT / REQUIREMENTS).read_text())
    if not pinned:
        raise InstallError(f"{REQUIREMENTS} names no {llama_build.PACKAGE}.")
    settings = build_settings(kind, os.environ)
    feed = PipOutput(progress, num_compile_jobs(usable_cpus(), free_memory()))
    place = ROOT / ready_wheel.DIRECTORY / kind.name
    place.mkdir(parents=True, exist_ok=True)
    with only_one(place, progress) as lock, tempfile.TemporaryDirectory(dir=place) as name:
        target = Path(name)
        requirements = target / "pinned.txt"
        requirements.write_text(pinned)
        cache = llama_build.wheel_cache(os.environ, settings["CMAKE_ARGS"])
        log = place / "wheel.log"
        log.unlink(missing_ok=True)
        run(pip_command(requirements, target, cache), log, feed, lock, settings)
        return keep(target, place)


def keep(made: Path, place: Path) -> Path:
    """Move the one wheel in ``made`` to ``place``, its checksum last. Raises InstallError."""
    wheels = list(made.glob("*.whl"))
    if len(wheels) != 1:
        raise InstallError(f"pip has made {len(wheels)} wheels where one was expected.")
    wheel = place / wheels[0].name
    ready_wheel.sum_path(wheel).unlink(missing_ok=True)
    wheels[0].replace(wheel)
    ready_wheel.sum_path(wheel).write_text(f"{ready_wheel.digest(wheel)}  {wheel.name}\n")
    return wheel


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="make wheel", description=__doc__)
    names = ", ".join(kind.name for kind in KINDS if kind.machine == platform.machine())
    parser.add_argument("--kind", default="", help=f"instructions to compile for: {names}")
    options = parser.parse_args(arguments)
    progress = Progress(sys.stdout)
    try:
        wheel = make(kind_called(options.kind), progress)
    except InstallError as error:
        progress.end()
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        progress.end()
        print("Stopped. Nothing half-made is left behind.", file=sys.stderr)
        return 130
    progress.end()
    print(f"  made {wheel.relative_to(ROOT)}; copy the directory {ready_wheel.DIRECTORY}/ along")
    return 0


if __name__ == "__main__":
    sys.exit(main())
