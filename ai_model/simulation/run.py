"""Runs a command under the limits of a small machine and watches its memory."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from enum import Enum, auto
from types import FrameType

from ai_model.memory.mapped_models import mapped_models
from ai_model.memory.sensor import MemorySensor
from ai_model.simulation.cage import Cage, membership
from ai_model.simulation.trace import Peaks, TraceLine
from ai_model.simulation.watch import Watch

PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1)
LAST_WARNING = 3
"""So many interrupts end the command at once."""
NOT_FOUND, NOT_STARTED = 127, 126
_CHUNK = 1 << 16


class Output(Enum):
    """Where the output of the command goes."""

    AS_IS = auto()
    """Where ours goes."""
    TO_ERRORS = auto()
    """To our standard error, so that standard output holds the trace alone."""
    RELAYED = auto()
    """Through ``on_output``."""


class Run:
    """One command in one cage. Runs in the main thread, because it takes over the signals."""

    def __init__(
        self,
        command: list[str],
        cage: Cage,
        *,
        on_line: Callable[[TraceLine], None],
        output: Output = Output.AS_IS,
        on_output: Callable[[bytes], None] = lambda _: None,
    ) -> None:
        self._command = command
        self._cage = cage
        self._on_line = on_line
        self._on_output = on_output
        self._output = output
        self._num_interrupts = 0
        self._early: list[int] = []
        self._process: subprocess.Popen[bytes] | None = None
        self.peaks = Peaks()
        self.failure = ""
        """A sentence if the command could not even be started."""

    def wait(self) -> int:
        """Run the command to its end and return its exit code; 128 and more for a signal.

        What it leaves behind in the cage is ended too. The cage is closed in any case.
        """
        try:
            with self._signals():
                return self._run()
        finally:
            self._cage.close()

    def _run(self) -> int:
        try:
            process = self._start()
        except FileNotFoundError:
            self.failure = f"There is no command {self._command[0]}."
            return NOT_FOUND
        except (OSError, subprocess.SubprocessError) as error:
            self.failure = f"{self._command[0]} cannot be started ({error})."
            return NOT_STARTED
        self._process = process
        try:
            for number in self._early:
                self._send(process, number)
            self._cage.settle(process.pid)
            self._follow(process)
        finally:
            self._cage.close()
            process.kill()
            code = process.wait()
            self._drain(process)
        return code if code >= 0 else 128 - code

    def _start(self) -> subprocess.Popen[bytes]:
        relayed = self._output is Output.RELAYED
        return subprocess.Popen(
            self._cage.command(self._command),
            # It has a process group of its own, which may not read from our terminal.
            stdin=subprocess.DEVNULL if sys.stdin is None or sys.stdin.isatty() else None,
            stdout=subprocess.PIPE if relayed else self._stdout(),
            stderr=subprocess.STDOUT if relayed else None,
            process_group=0,
            preexec_fn=self._cage.enter,
        )

    def _stdout(self) -> int | None:
        return sys.stderr.fileno() if self._output is Output.TO_ERRORS else None

    def _follow(self, process: subprocess.Popen[bytes]) -> None:
        sensor = MemorySensor(
            weight_files=lambda: mapped_models(self._cage.pids() or [process.pid]),
            # A cage without a group: the machine is all there is to see.
            membership=membership(process.pid if self._cage.has_group else os.getpid()),
        )
        watch = Watch(sensor, num_processes=lambda: len(self._cage.pids()))
        self.peaks = watch.peaks
        while True:
            line = watch.look()
            if line is not None:
                self._on_line(line)
            if process.poll() is not None:
                break
            self._pause(process, watch.interval_s)
        # What ended it may show only now.
        watch.look()

    def _pause(self, process: subprocess.Popen[bytes], seconds: float) -> None:
        until = time.monotonic() + seconds
        while process.poll() is None and (left := until - time.monotonic()) > 0:
            if process.stdout is None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=left)
            elif select.select([process.stdout], [], [], min(left, 0.1))[0]:
                self._relay(process)

    def _relay(self, process: subprocess.Popen[bytes]) -> bool:
        assert process.stdout is not None
        chunk = os.read(process.stdout.fileno(), _CHUNK)
        if chunk:
            self._on_output(chunk)
        else:
            # Closed while the command runs on: nothing more to wait for.
            time.sleep(0.05)
        return bool(chunk)

    def _drain(self, process: subprocess.Popen[bytes]) -> None:
        if process.stdout is None:
            return
        while select.select([process.stdout], [], [], 0)[0] and self._relay(process):
            pass
        process.stdout.close()

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        before = {number: signal.signal(number, self._pass_on) for number in PASSED_ON}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        if self._process is None:
            self._early.append(number)
        elif self._process.poll() is None:
            self._send(self._process, number)

    def _send(self, process: subprocess.Popen[bytes], number: int) -> None:
        if number == signal.SIGINT:
            self._num_interrupts += 1
            if self._num_interrupts >= LAST_WARNING:
                number = signal.SIGKILL
        with contextlib.suppress(ProcessLookupError):
            # What a terminal sends goes to all processes of a command, the rest to the first one.
            if number in (signal.SIGINT, signal.SIGQUIT):
                os.killpg(process.pid, number)
            else:
                process.send_signal(number)
