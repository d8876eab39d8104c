"""pip's output becomes a few lines; a failure becomes one sentence."""

from __future__ import annotations

import io

import pytest

from deploy.make.pip_output import PipOutput, Progress, explain

LINES = """\
Collecting django==5.2.19
Collecting llama-cpp-python==0.3.36
  Collecting scikit-build-core
  Installing collected packages: scikit-build-core, ninja
Building wheels for collected packages: llama-cpp-python
  Building wheel for llama-cpp-python (pyproject.toml): started
  [1/214] Building CXX object a.o
  [57/214] Building CXX object b.o
  Building wheel for llama-cpp-python (pyproject.toml): finished with status 'done'
Installing collected packages: django, numpy, llama-cpp-python
""".splitlines()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_steps_are_told_once_each() -> None:
    out = io.StringIO()
    output = PipOutput(Progress(out), num_jobs=2)
    for line in LINES:
        output.feed(line)
    assert out.getvalue().splitlines() == [
        "  compiling llama.cpp; this takes some minutes, 2 files at once",
        "  installing 3 package(s)",
    ]


def test_the_compiler_count_and_the_time_are_shown() -> None:
    out = io.StringIO()
    output = PipOutput(Progress(out, every_s=0), num_jobs=1)
    for line in LINES[:8]:
        output.feed(line)
    last = out.getvalue().splitlines()[-1]
    assert last == "  compiling llama.cpp; this takes some minutes 57 of 214 files (0:00)"


def test_what_one_package_builds_with_is_not_counted() -> None:
    output = PipOutput(Progress(io.StringIO()), num_jobs=1)
    for line in LINES[:5]:
        output.feed(line)
    assert output.num_collected == 2


def test_a_terminal_gets_one_living_line() -> None:
    out = Terminal()
    progress = Progress(out)
    progress.every_s = 0
    progress.say("collecting")
    progress.tick("3 so far")
    progress.say("installing")
    progress.end()
    shown = out.getvalue()
    assert shown.count("\n") == 2
    assert "\r\x1b[K  collecting 3 so far (0:00)\n" in shown


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("c++: fatal error: Killed signal terminated program cc1plus", "out of memory"),
        ("THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "not the one"),
        ("NameResolutionError: Failed to resolve", "cannot be reached"),
        ("ERROR: Failed building wheel for llama-cpp-python", "could not be compiled"),
        ("something nobody foresaw", "pip failed."),
    ],
)
def test_a_failure_is_explained(line: str, sentence: str) -> None:
    assert sentence in explain(["before", line, "after"])
