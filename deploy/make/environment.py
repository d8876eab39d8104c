"""Makes a virtual environment and installs a pinned requirements file into it, showing progress.

Run by ``install.sh`` with any Python from 3.11 on, so it uses the standard library only. An
installation that was interrupted is mended by the next one: the stamp that says "all done" is
written last.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.make import llama_build, ready_wheel
from deploy.make.machine import free_memory, num_compile_jobs, usable_cpus
from deploy.make.pip_output import PipOutput, Progress, explain

ROOT = Path(__file__).resolve().parents[2]
PIP_REQUIREMENTS = "deploy/make/pip.txt"
LOCK_TIMEOUT_S = 3600.0
STEP_TIMEOUT_S = 3600.0


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that can be installed."""

    venv: str
    requirements: tuple[str, ...]
    """The first file is installed; it contains the others, whose stamps are written as well."""
    modules: tuple[str, ...]
    """What must import afterwards."""


TARGETS = {
    "web": Target(".venv", ("requirements.txt",), ("django", "daphne", "llama_cpp")),
    "dev": Target(
        ".venv", ("requirements-dev.txt", "requirements.txt"), ("django", "llama_cpp", "pytest")
    ),
    "train": Target(
        ".venv-train", ("requirements-train.txt",), ("torch", "sentencepiece", "gguf", "numpy")
    ),
}


class InstallError(Exception):
    """The installation cannot go on; the message is one sentence for the person who started it."""


def fingerprint(requirements: str) -> str:
    """Return what a stamp must contain for this requirements file, this Python and the way
    llama.cpp is compiled."""
    digest = hashlib.sha256(f"{sys.version_info[:2]} {llama_build.WISHED_FLAGS}".encode())
    digest.update((ROOT / requirements).read_bytes())
    return digest.hexdigest()


def stamp_path(target: Target, requirements: str) -> Path:
    """Return the file whose presence says that ``requirements`` is installed."""
    return ROOT / target.venv / f"corral-{Path(requirements).stem}.stamp"


def is_current(target: Target) -> bool:
    """Say whether everything ``target`` needs is installed; meant to run inside its environment."""
    path = stamp_path(target, target.requirements[0])
    try:
        return path.read_text() == fingerprint(target.requirements[0])
    except OSError:
        return False


@contextmanager
def only_one(path: Path, progress: Progress, timeout_s: float = LOCK_TIMEOUT_S) -> Iterator[int]:
    """Hold a lock that also covers what this process starts, so two installations never mix."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        deadline = time.monotonic() + timeout_s
        is_told = False
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise InstallError("Another installation here does not end.") from None
                if not is_told:
                    progress.say("waiting for another installation in this directory")
                    is_told = True
                progress.tick()
                time.sleep(0.2)
        yield descriptor
    finally:
        os.close(descriptor)


def run(
    command: Sequence[str],
    log: Path,
    feed: PipOutput,
    lock: int,
    settings: Mapping[str, str] | None = None,
) -> None:
    """Run a command to its end, its output into ``log`` and to ``feed``; raises InstallError.

    ``settings`` are added to the environment.
    """
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
    environment.setdefault("CMAKE_BUILD_PARALLEL_LEVEL", str(feed.num_jobs))
    environment.update(PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1", PYTHONUNBUFFERED="1")
    environment.update(settings or {})
    lines: queue.Queue[str | None] = queue.Queue(maxsize=1000)
    last: deque[str] = deque(maxlen=60)
    deadline = time.monotonic() + STEP_TIMEOUT_S
    # In a session of its own: an interruption then ends pip and every compiler below it.
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
        pass_fds=(lock,),
    )
    reader = threading.Thread(target=_read, args=(process, lines), name="pip-output", daemon=True)
    reader.start()
    try:
        with log.open("a") as file:
            while True:
                try:
                    line = lines.get(timeout=0.5)
                except queue.Empty:
                    feed.progress.tick(feed.detail)
                    if time.monotonic() >= deadline:
                        raise InstallError(f"{command[0]} does not come to an end.") from None
                    continue
                if line is None:
                    break
                file.write(line)
                last.append(line.rstrip())
                feed.feed(line)
        code = process.wait(timeout=60)
    finally:
        if process.poll() is None:
            _end(process)
        reader.join(timeout=5)
    if code != 0:
        feed.progress.end()
        errors = [line for line in last if "error" in line.lower()][-6:] or list(last)[-6:]
        raise InstallError("\n".join([*errors, f"{explain(last)} All of pip's output: {log}"]))


def _read(process: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            lines.put(line)
    lines.put(None)


def _end(process: subprocess.Popen[str]) -> None:
    """End pip and everything below it, first so that ninja can end its compilers."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(timeout=5)
        except (ProcessLookupError, PermissionError):
            return
        except subprocess.TimeoutExpired:
            continue


def is_usable(python: Path) -> bool:
    """Say whether this environment is whole enough to install into."""
    check = f"import pip, sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
    return _run_quietly([python, "-c", check], timeout_s=60)


def does_import(python: Path, modules: Sequence[str]) -> bool:
    """Say whether the modules load, which for llama_cpp loads the compiled library as well."""
    return _run_quietly([python, "-c", f"import {', '.join(modules)}"], timeout_s=300)


def _run_quietly(command: Sequence[str | Path], timeout_s: float) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=timeout_s).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def install(name: str, progress: Progress) -> bool:
    """Make the environment if there is none, and install; say whether there was anything to do.

    Raises InstallError.
    """
    target = TARGETS[name]
    venv = ROOT / target.venv
    python = venv / "bin" / "python"
    with only_one(ROOT / target.requirements[0], progress) as lock:
        if is_usable(python):
            if is_current(target):
                return False
            # An environment for training that somebody made by hand (with a PyTorch for a
            # processor only, say) is as good.
            if name == "train" and does_import(python, target.modules):
                return False
        else:
            progress.say(f"making the environment {target.venv}")
            # --clear: what is there is half of something, or of another Python.
            made = subprocess.run(
                [sys.executable, "-m", "venv", "--clear", venv],
                capture_output=True,
                text=True,
                timeout=300,
            )
            if made.returncode != 0:
                told = (made.stdout + made.stderr).strip()
                raise InstallError(f"{told}\n{target.venv} could not be made.")
        _pip_install(target, python, progress, lock)
        progress.say("trying what was installed")
        if not does_import(python, target.modules):
            raise InstallError(
                "What was installed does not load; `make clean`, then the same again with "
                "PIP_NO_CACHE_DIR=1 compiles llama.cpp anew for this machine."
            )
        for requirements in target.requirements:
            stamp_path(target, requirements).write_text(fingerprint(requirements))
    return True


def _pip_install(target: Target, python: Path, progress: Progress, lock: int) -> None:
    num_jobs = num_compile_jobs(usable_cpus(), free_memory())
    if os.environ.get("CMAKE_BUILD_PARALLEL_LEVEL", "").isdigit():
        num_jobs = int(os.environ["CMAKE_BUILD_PARALLEL_LEVEL"])
    log = python.parent.parent / "install.log"
    log.unlink(missing_ok=True)
    pip = [str(python), "-m", "pip", "install", "--require-hashes", "--progress-bar", "off"]
    feed = PipOutput(progress, num_jobs)
    progress.say("collecting packages")
    # An older pip (Debian 12's) compiles llama.cpp again after every `make clean`.
    run([*pip, "-q", "-r", PIP_REQUIREMENTS], log, feed, lock)
    _install_llama(target, pip, log, feed, lock)
    run([*pip, "-r", target.requirements[0]], log, feed, lock)


def _install_llama(
    target: Target, pip: Sequence[str], log: Path, feed: PipOutput, lock: int
) -> None:
    """Install llama-cpp-python by itself: a wheel that was brought along, or compiled with our
    flags and kept in a cache of its own."""
    pinned = llama_build.pinned_block((ROOT / target.requirements[0]).read_text())
    if not pinned or _install_wheel(pinned, pip, log, feed, lock):
        return
    args = llama_build.cmake_args(os.environ)
    cache = llama_build.wheel_cache(os.environ, args)
    built = log.with_name("corral-llama-build.txt")
    command = [*pip, "-v", "--no-deps"]
    if os.environ.get("PIP_NO_CACHE_DIR", "") in ("", "0"):
        command += ["--cache-dir", str(cache)]
    if not built.exists() or built.read_text() != args:
        command.append("--force-reinstall")  # what is there was compiled in another way
    requirements = log.with_name("corral-llama.txt")
    requirements.write_text(pinned)
    # -v lets the compiler's own count through.
    run([*command, "-r", str(requirements)], log, feed, lock, {"CMAKE_ARGS": args})
    built.write_text(args)


def _install_wheel(pinned: str, pip: Sequence[str], log: Path, feed: PipOutput, lock: int) -> bool:
    """Install a wheel of ``make wheel`` that fits; say whether there was one and it loads here."""
    wheel = ready_wheel.find_wheel(ROOT / ready_wheel.DIRECTORY, pinned)
    if wheel is None:
        return False
    feed.progress.say(f"taking {wheel.relative_to(ROOT)}")
    built = log.with_name("corral-llama-build.txt")
    line = ready_wheel.requirement(wheel)
    command = [*pip, "-q", "--no-deps"]
    if not built.exists() or built.read_text() != line:
        command.append("--force-reinstall")
    requirements = log.with_name("corral-llama.txt")
    requirements.write_text(line)
    run([*command, "-r", str(requirements)], log, feed, lock)
    # The module of the C library: the package itself wants others that are not there yet.
    if not _run_quietly([pip[0], "-c", ready_wheel.LOADS], timeout_s=60):
        feed.progress.say("it does not load here (an older C library?), so llama.cpp is compiled")
        return False
    built.write_text(line)
    return True


def _interrupt(signum: int, frame: object) -> None:
    raise KeyboardInterrupt


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--is-current", action="store_true", help="only answer by the exit code")
    parser.add_argument("target", choices=TARGETS)
    options = parser.parse_args(arguments)
    if options.is_current:
        return 0 if is_current(TARGETS[options.target]) else 1
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    progress = Progress(sys.stdout)
    started = time.monotonic()
    try:
        was_needed = install(options.target, progress)
    except InstallError as error:
        progress.end()
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        progress.end()
        print("Interrupted; the next start goes on from here.", file=sys.stderr)
        return 130
    progress.end()
    seconds = int(time.monotonic() - started)
    if was_needed:
        print(f"  installed in {seconds // 60}:{seconds % 60:02d} minutes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
