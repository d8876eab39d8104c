"""Running a command: exit codes, signals, output, and what it leaves behind."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from ai_model.simulation.bare_cage import BareCage
from ai_model.simulation.cage import Cage
from ai_model.simulation.machine import SmallMachine
from ai_model.simulation.run import Output, Run
from ai_model.simulation.trace import TraceLine
from tests.ai_model.live_group import MIB, live_group


class Screen:
    """Keeps lines and output, and does something at the first line or output."""

    def __init__(self) -> None:
        self.lines: list[TraceLine] = []
        self.text = b""
        self.said = threading.Event()

    def line(self, line: TraceLine) -> None:
        self.lines.append(line)

    def output(self, chunk: bytes) -> None:
        self.text += chunk
        self.said.set()


@pytest.fixture
def screen() -> Screen:
    return Screen()


def run(screen: Screen, *command: str, cage: Cage | None = None) -> Run:
    cage = cage or BareCage(SmallMachine(num_cpus=1, memory_bytes=4 << 30))
    return Run(
        list(command),
        cage,
        on_line=screen.line,
        output=Output.RELAYED,
        on_output=screen.output,
    )


@pytest.mark.parametrize(
    ("script", "code"), [("exit 7", 7), ("exit 0", 0), ("kill -TERM $$", 143), ("kill -9 $$", 137)]
)
def test_exit_code(screen: Screen, script: str, code: int) -> None:
    assert run(screen, "sh", "-c", script).wait() == code


def test_a_line_while_it_runs(screen: Screen) -> None:
    assert run(screen, "sleep", "0.2").wait() == 0
    assert len(screen.lines) == 1 and screen.lines[0].reading.p is not None


def test_both_outputs_are_relayed(screen: Screen) -> None:
    assert run(screen, "sh", "-c", "echo one; echo two >&2; printf three").wait() == 0
    assert screen.text == b"one\ntwo\nthree"


def test_commands_that_cannot_be_started(screen: Screen, tmp_path: Path) -> None:
    missing = run(screen, "no-such-command")
    assert missing.wait() == 127 and "no-such-command" in missing.failure
    forbidden = run(screen, str(tmp_path))
    assert forbidden.wait() == 126 and str(tmp_path) in forbidden.failure


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
def test_signals_are_passed_on(screen: Screen, number: signal.Signals) -> None:
    before = signal.getsignal(number)
    script = f"trap 'exit 42' {number.name.removeprefix('SIG')}; echo ready; while :; do :; done"

    def send() -> None:
        if screen.said.wait(20):
            os.kill(os.getpid(), number)

    sender = threading.Thread(target=send)
    sender.start()
    assert run(screen, "sh", "-c", script).wait() == 42
    sender.join(timeout=20)
    assert signal.getsignal(number) is before


def test_third_interrupt_ends_the_deaf(screen: Screen) -> None:
    deaf = (
        "import os, signal, time\n"
        "signal.signal(signal.SIGINT, lambda *_: os.write(1, b'no\\n'))\n"
        "os.write(1, b'ready\\n')\n"
        "while True: time.sleep(0.05)\n"
    )

    class Insistent(Screen):
        def output(self, chunk: bytes) -> None:
            super().output(chunk)
            if chunk.endswith(b"\n"):
                os.kill(os.getpid(), signal.SIGINT)

    insistent = Insistent()
    assert run(insistent, sys.executable, "-c", deaf).wait() == 137
    assert insistent.text == b"ready\nno\nno\n"


def test_screen_that_breaks_ends_the_command(screen: Screen) -> None:
    def broken(line: TraceLine) -> None:
        raise BrokenPipeError

    cage = BareCage(SmallMachine(num_cpus=1, memory_bytes=4 << 30))
    running = Run(["sleep", "60"], cage, on_line=broken)
    with pytest.raises(BrokenPipeError):
        running.wait()
    assert cage.pids() == []


def test_in_a_real_group_the_kill_is_seen_and_nothing_stays(screen: Screen) -> None:
    with live_group(48 * MIB) as cage:
        script = f"sleep 60 & exec {sys.executable} -c 'bytearray(200 << 20)'"
        running = run(screen, "sh", "-c", script, cage=cage)
        assert running.wait() == 137
        assert running.peaks.num_oom_kills == 1
        assert cage.pids() == []
        group = next(line for line in screen.lines if line.reading.limit_bytes == 48 * MIB)
        assert not group.reading.alarm
