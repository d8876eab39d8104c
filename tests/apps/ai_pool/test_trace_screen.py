"""The trace of memory on a terminal: one line that changes, and what a command writes above it."""

from __future__ import annotations

import io

import pytest
from django.core.management.base import OutputWrapper
from rich.console import Console

from ai_model.memory.level import MemoryLevel
from ai_model.memory.reading import MemoryReading
from ai_model.simulation.trace import Peaks, TraceLine
from apps.ai_pool.trace_screen import MAX_PENDING_BYTES, TraceScreen


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


def screen(out: io.StringIO, *, is_terminal: bool, as_json: bool = False) -> TraceScreen:
    console = Console(file=out, force_terminal=is_terminal, width=120, color_system=None)
    return TraceScreen(OutputWrapper(out), console, as_json=as_json)


def line(level: MemoryLevel, at_s: float = 1.0) -> TraceLine:
    return TraceLine(
        at_s=at_s, level=level, reason="Because.", reading=MemoryReading(), num_processes=1
    )


def test_new_level_leaves_a_line_with_its_reason(out: io.StringIO) -> None:
    with screen(out, is_terminal=True) as shown:
        shown.line(line(MemoryLevel.LOW))
        assert "Because." not in out.getvalue()
        shown.line(line(MemoryLevel.HIGH, 2.0))
    assert "2 s  high: Because." in out.getvalue()


def test_output_comes_in_whole_lines_without_control_characters(out: io.StringIO) -> None:
    with screen(out, is_terminal=True) as shown:
        shown.output(b"first\nsec")
        assert "first" in out.getvalue() and "sec" not in out.getvalue()
        shown.output(b"ond \x1b[31mred\x1b[0m \xff\n")
        shown.output(b"rest")
    text = out.getvalue()
    assert "second red \ufffd" in text and "rest" in text
    assert "\x1b[31m" not in text


def test_endless_line_is_cut(out: io.StringIO) -> None:
    with screen(out, is_terminal=True) as shown:
        shown.output(b"x" * (MAX_PENDING_BYTES + 1))
        assert out.getvalue().count("x") == MAX_PENDING_BYTES + 1


def test_pipe_gets_plain_lines(out: io.StringIO) -> None:
    with screen(out, is_terminal=False) as shown:
        assert not shown.is_live
        shown.line(line(MemoryLevel.LOW))
        shown.end(Peaks())
    assert out.getvalue().splitlines()[0].startswith("     1 s  low")
    assert "\x1b" not in out.getvalue()


def test_json_has_no_remarks(out: io.StringIO) -> None:
    with screen(out, is_terminal=True, as_json=True) as shown:
        assert not shown.is_live
        shown.say("Something.")
        shown.end(Peaks(), exit_code=3)
    assert out.getvalue().startswith('{"kind": "end", "exit_code": 3')
