"""The shared schema says what the code does."""

from __future__ import annotations

import json
import uuid
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.ai_chat.errors import ChatError
from apps.ai_chat.frames import FRAMES, MAX_FRAME_BYTES, parse_frame
from tests.apps.ai_chat.chat_schema import CLIENT, SCHEMA, SERVER, check_server_frame, types_of

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=60)
IDS = st.uuids().map(str)
ODD = (
    st.none()
    | st.booleans()
    | st.integers(-3, 2**54)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
    | st.just("x" * 41)
    | st.just("x" * 201)
    | st.just("x" * 1025)
    | st.just(str(uuid.UUID(int=0)) + "\n")
    | st.lists(IDS, max_size=2)
)
CONTEXTS = st.dictionaries(TEXTS, ODD, max_size=11)
RESUMES = st.lists(
    st.fixed_dictionaries({}, optional={"gen": IDS | ODD, "after": ODD}), max_size=18
)
VALUES = IDS | ODD | CONTEXTS | RESUMES | st.dictionaries(st.sampled_from(["name", "path"]), ODD)
FIELDS = sorted({name for frame in FRAMES.values() for name in frame.parsers} | {"more"})


def frames() -> st.SearchStrategy[Any]:
    """Frames of every kind: mostly right ones, with one or two values replaced."""
    right = {
        **dict.fromkeys(("cid", "gen", "message", "conversation", "parent"), IDS),
        **dict.fromkeys(("text", "site", "token", "user_jwt", "lang", "tz", "handover"), TEXTS),
        **dict.fromkeys(("reason", "comment"), TEXTS),
        "v": st.just(1) | st.just(1.0),
        "n": st.integers(0, 9),
        "after": st.integers(0, 9),
        "seen": st.integers(0, 9),
        "value": st.sampled_from([1, 0, -1, 1.0, True]),
        "every_ms": st.sampled_from([999, 1000, 1000.0, 5000]),
        "context": CONTEXTS,
        "resume": RESUMES,
        "client": st.just({"name": "page", "ver": None}),
        "page": st.just({"path": "/"}),
    }

    @st.composite
    def build(draw: st.DrawFn) -> Any:
        kind = draw(st.sampled_from(sorted(FRAMES)))
        names = list(FRAMES[kind].parsers)
        frame = {name: draw(right[name]) for name in names if draw(st.integers(0, 9))}
        for name in draw(st.lists(st.sampled_from(FIELDS), max_size=2)):
            frame[name] = draw(VALUES)
        return {"type": kind, **frame}

    return build() | ODD | st.dictionaries(TEXTS, ODD, max_size=3)


def is_accepted(frame: Any) -> bool:
    try:
        parse_frame(json.dumps(frame))
    except ChatError as error:
        assert error.code in ("bad_frame", "unknown_type")
        return False
    return True


@settings(max_examples=600, deadline=None)
@given(frames())
def test_schema_and_parser_agree(frame: Any) -> None:
    if len(json.dumps(frame)) <= MAX_FRAME_BYTES:
        assert is_accepted(frame) == CLIENT.is_valid(frame), frame


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_it_lists_exactly_the_frames_of_the_code() -> None:
    assert types_of("client") == set(FRAMES)
    for kind, frame in FRAMES.items():
        listed = set(SCHEMA["$defs"][f"client.{kind}"]["properties"]) - {"type"}
        assert listed == set(frame.parsers), kind


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "pong"},
        {"type": "pong", "n": -1},
        {"type": "pong", "n": 1, "secret": "x"},
        {"type": "gen.delta", "gen": str(uuid.uuid4()), "off": 0, "text": "no number"},
        {"type": "no.such"},
        [],
    ],
)
def test_wrong_server_frames_are_noticed(frame: Any) -> None:
    assert not SERVER.is_valid(frame)
    with pytest.raises(AssertionError):
        check_server_frame(frame)


@pytest.mark.parametrize(
    ("node", "is_valid"),
    [
        ("text", True),
        (["p", "a", ["strong", "b"]], True),
        (["a", {"href": "https://example.org/", "host": "example.org"}, "x"], True),
        (["script", "x"], False),
        (["a", {"href": "javascript:alert(1)"}, "x"], False),
        (["p", {"onclick": "x"}], False),
        ([], False),
        (7, False),
    ],
)
def test_only_listed_nodes(node: Any, is_valid: bool) -> None:
    frame = {"type": "gen.block", "gen": str(uuid.uuid4()), "seq": 3}
    assert SERVER.is_valid({**frame, "from_off": 0, "to_off": 4, "nodes": [node]}) is is_valid
