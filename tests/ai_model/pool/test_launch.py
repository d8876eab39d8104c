"""What parent and child say to each other."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_model.pool.errors import BadFrame
from ai_model.pool.launch import Launch, Pulse, Word, say, understand
from ai_model.pool.orders import Orders
from ai_model.pool.restarts import Restarts
from ai_model.sandbox.sandbox import Sandbox, SandboxMode
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


def test_the_launch_line_tells_of_earlier_deaths() -> None:
    """And a line without them is a first start."""
    launch = Launch(make_config(), Path("/run/pool.sock"), Restarts(3, "it was ended by a signal"))
    assert Launch.from_line(launch.to_line()) == launch
    assert Launch(make_config(), Path("/run/pool.sock")).restarts == Restarts(0, "")


def test_the_launch_line_tells_what_to_give_up() -> None:
    """And names the files that have to stay readable; nonsense is refused."""
    sandbox = Sandbox(mode=SandboxMode.REQUIRED, private=(Path("/srv/var"), Path("/srv/.env")))
    orders = Orders(model_path=Path("/models/other.gguf"))
    launch = Launch(make_config(), Path("/run/pool.sock"), orders=orders, sandbox=sandbox)
    line = launch.to_line()
    assert Launch.from_line(line) == launch
    assert launch.models == (Path("/nowhere/model.gguf"), Path("/models/other.gguf"))
    for right, wrong in ((b'"required"', b'"perhaps"'), (b'"/srv/.env"', b"7")):
        with pytest.raises(BadFrame):
            Launch.from_line(line.replace(right, wrong))


@pytest.mark.parametrize("text", ["", "1", "1 2 3", "a 1", "1.5 b"])
def test_a_pulse_nobody_understands(text: str) -> None:
    """Is no complaint about the engine."""
    assert Pulse.from_sentence(text) == Pulse()
    assert Pulse.from_sentence(Pulse(12.34, 2).to_sentence()) == Pulse(12.3, 2)


def test_words() -> None:
    """With a sentence of one line."""
    assert understand(say(Word.LISTENING)) == (Word.LISTENING, "")
    assert understand(say(Word.FAILED, "It\nbroke.")) == (Word.FAILED, "It broke.")
    assert understand(b"Hello from a library\n") is None


@given(st.binary())
def test_any_bytes(line: bytes) -> None:
    """Are a word or nothing."""
    understand(line)
