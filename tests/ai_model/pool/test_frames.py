"""Whatever bytes arrive: a frame or BadFrame, nothing else; and what we write we can read."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai_model.pool.commands import command_id, parse_command
from ai_model.pool.errors import BadFrame
from ai_model.pool.frames import MAX_FRAME_BYTES, PROTOCOL, check_protocol, decode, encode

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
COMMANDS = st.sampled_from(
    ["submit", "subscribe", "unsubscribe", "stop", "acknowledge", "status", "other"]
)
FIELDS = st.sampled_from(
    ["id", "request", "generation", "after", "seen", "sub", "messages", "sampling", "meta"]
)


@given(st.binary(max_size=200))
def test_any_bytes(line: bytes) -> None:
    """Rubbish is BadFrame."""
    try:
        frame = decode(line)
    except BadFrame:
        return
    assert isinstance(frame["type"], str)


@given(kind=COMMANDS, fields=st.dictionaries(FIELDS, JSON))
def test_any_fields(kind: str, fields: dict[str, object]) -> None:
    """Wrong fields are BadFrame."""
    for read in (parse_command, command_id):
        try:
            read({**fields, "type": kind})
        except BadFrame:
            continue


@settings(max_examples=30)
@given(st.dictionaries(st.text(), JSON))
def test_round_trip(fields: dict[str, object]) -> None:
    """A frame arrives as it was sent, on one line."""
    frame = {**fields, "type": "x"}
    line = encode(frame)
    assert line.count(b"\n") == 1
    assert decode(line) == json.loads(json.dumps(frame))


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]",
        b"{}",
        b'{"type":1}',
        b'{"type":"x","v":NaN}',
        b'{"type":"x","v":Infinity}',
        b"[" * 200_000,
        b'{"type":"x"',
        b'{"type":"\xff"}',
        '{"type":"x"}'.encode("utf-16"),
        b'{"type":"x","v":' + b"9" * 10_000 + b"}",
        b'{"type":"\\ud800"}',
    ],
)
def test_rubbish(line: bytes) -> None:
    """The usual suspects."""
    with pytest.raises(BadFrame):
        decode(line)


def test_the_limit() -> None:
    """A frame may have exactly the limit."""
    room = MAX_FRAME_BYTES - len(encode({"type": "x", "v": ""}))
    assert len(encode({"type": "x", "v": "a" * room})) == MAX_FRAME_BYTES
    with pytest.raises(BadFrame):
        encode({"type": "x", "v": "a" * (room + 1)})
    with pytest.raises(BadFrame):
        decode(b" " * MAX_FRAME_BYTES + b"{}")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800", object(), b""])
def test_what_cannot_be_written(value: object) -> None:
    """Is refused before it is sent."""
    with pytest.raises(BadFrame):
        encode({"type": "x", "v": value})


def test_versions() -> None:
    """Another version gets a sentence that says what to do."""
    assert check_protocol({"type": "hello", "protocol": PROTOCOL}) is None
    sentence = check_protocol({"type": "hello", "protocol": "pool.v9"})
    assert sentence is not None and "pool.v9" in sentence and "restart" in sentence
    with pytest.raises(BadFrame):
        check_protocol({"type": "hello"})
