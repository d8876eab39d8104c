"""What parent and child say to each other."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_model.pool.errors import BadFrame
from ai_model.pool.launch import Launch, Word, say, understand
from tests.ai_model.pool.builders import make_config


def test_the_launch_line() -> None:
    """Arrives as it was sent, on one line."""
    launch = Launch(make_config(), Path("/run/pool.sock"))
    line = launch.to_line()
    assert line.endswith(b"\n") and line.count(b"\n") == 1
    assert Launch.from_line(line) == launch
    for wrong in (b"", b"{}", b'{"type":"launch","config":{}}'):
        with pytest.raises(BadFrame):
            Launch.from_line(wrong)


def test_words() -> None:
    """With a sentence of one line."""
    assert understand(say(Word.LISTENING)) == (Word.LISTENING, "")
    assert understand(say(Word.FAILED, "It\nbroke.")) == (Word.FAILED, "It broke.")
    assert understand(b"Hello from a library\n") is None


@given(st.binary())
def test_any_bytes(line: bytes) -> None:
    """Are a word or nothing."""
    understand(line)
