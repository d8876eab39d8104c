"""The whole product in a small control group: Daphne, its pool process and SQLite."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ai_model.control_group import ROOT as GROUPS
from ai_model.control_group import own_groups
from ai_model.kernel_file import read_table
from ai_model.memory.mapped_models import mapped_models
from ai_model.memory.sensor import MemorySensor
from ai_model.simulation.cage import NoCage, membership
from ai_model.simulation.file_cache import forget
from ai_model.simulation.group_cage import GroupCage
from ai_model.simulation.machine import SmallMachine
from ai_model.simulation.trace import Peaks
from ai_model.simulation.watch import Watch
from benchmarks import live_site
from benchmarks.small_parts.figure import GROUP_BYTES

STOP_TIMEOUT_S = 30.0


@contextmanager
def small_group(model: Path, memory_bytes: int = GROUP_BYTES) -> Iterator[GroupCage]:
    """A control group of one CPU without swap; what runs in it at the end is ended.

    Raises RuntimeError where none can be made: without limits there is nothing to measure.
    """
    forget([model])
    machine = SmallMachine(num_cpus=1, memory_bytes=memory_bytes, swap_bytes=0)
    try:
        cage = GroupCage(machine)
    except (NoCage, OSError) as error:
        raise RuntimeError(f"no control group can be made: {error}") from None
    try:
        yield cage
    finally:
        cage.close()


class CagedSite:
    """A site in a control group. Started and stopped by its owner; its data stays meanwhile."""

    def __init__(
        self, cage: GroupCage, model: Path, directory: Path, settings: Mapping[str, str]
    ) -> None:
        self.cage = cage
        self.port = 0
        self.socket_path = directory / "pool.sock"
        self._log = directory / "server.log"
        self._values = live_site.environment(model, directory, 0) | dict(settings)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The web process's."""
        assert self._process is not None
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the web process runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it and wait until it can answer. Raises RuntimeError."""
        self._manage("migrate", "--verbosity", "0")
        self.port = live_site.free_port()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*live_site.MANAGE, "serve", "--port", str(self.port)],
                cwd=live_site.ROOT,
                env=self._values,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=self.cage.enter,
            )
        try:
            live_site.wait_until_answering(self.port, self._process)
        except RuntimeError as error:
            error.add_note(self._log.read_text(errors="replace")[-2000:])
            raise

    def stop(self) -> None:
        """End it. Idempotent."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _manage(self, *arguments: str) -> None:
        done = subprocess.run(
            [*live_site.MANAGE, *arguments],
            cwd=live_site.ROOT,
            env=self._values,
            capture_output=True,
            text=True,
            timeout=300,
        )
        if done.returncode:
            raise RuntimeError(f"manage.py {arguments[0]} failed: {done.stderr[-500:]}")

    def sensor(self) -> MemorySensor:
        """Return what reads the group's memory."""
        return MemorySensor(
            weight_files=lambda: mapped_models(self.cage.pids()), membership=membership(self.pid)
        )

    def num_major_faults(self) -> int:
        """Return how often the group had to wait for the disk to go on, since it was made."""
        stat = read_table(
            own_groups(GROUPS, membership(self.pid), "memory")[0].directory / "memory.stat"
        )
        return stat.get("total_pgmajfault", stat.get("pgmajfault", 0))


class Observer:
    """Follows the group's memory in a thread of its own until it is left."""

    def __init__(self, site: CagedSite) -> None:
        self._sensor = site.sensor()
        self._watch = Watch(self._sensor)
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="observer", daemon=True)

    @property
    def peaks(self) -> Peaks:
        """The worst so far."""
        return self._watch.peaks

    def __enter__(self) -> Observer:
        # Loaded and not asked anything yet: the level of rest, as the pool learns it.
        self._watch.ladder.learn_rest(self._sensor.read())
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join(10)

    def _follow(self) -> None:
        while not self._ends.wait(self._watch.interval_s):
            self._watch.look()


@contextmanager
def caged_site(
    model: Path,
    *,
    memory_bytes: int = GROUP_BYTES,
    settings: Mapping[str, str] | None = None,
) -> Iterator[CagedSite]:
    """A site that answers, in a group of its own, ended with the block. Raises RuntimeError."""
    with (
        tempfile.TemporaryDirectory(prefix="corral-", dir="/tmp") as name,
        small_group(model, memory_bytes) as cage,
    ):
        site = CagedSite(cage, model, Path(name), settings or {})
        try:
            site.start()
            yield site
        finally:
            site.stop()


def run_in_group(cage: GroupCage, *arguments: str) -> str:
    """Run a module of ours in the group and return what it prints. Raises RuntimeError."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=live_site.ROOT,
        capture_output=True,
        text=True,
        timeout=1800,
        preexec_fn=cage.enter,
    )
    if done.returncode:
        raise RuntimeError(f"{arguments[0]} ended with {done.returncode}: {done.stderr[-500:]}")
    return done.stdout
