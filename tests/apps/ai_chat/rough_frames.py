"""What a hostile or broken client may send: frames of all kinds, in any order, and no frames."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from apps.ai_chat.frames import FRAMES

NAMES = tuple(
    f"{whose} {what}"
    for whose in ("own", "foreign")
    for what in ("message", "answer", "conversation", "gen", "cid")
)
"""Stand for ids that are only known when the frames are sent."""
_ID = (
    st.sampled_from(NAMES)
    | st.sampled_from(NAMES)
    | st.integers(0, 5).map(lambda n: str(uuid.UUID(int=n)))
    | st.uuids(version=4).map(str)
)
_TEXT = st.sampled_from(
    [
        "Hello?",
        "/pool",
        "",
        " \n",
        "x" * 4001,
        "\U0001f434" * 50,
        "\u202e\u0000",
        "</s>",
        "{}",
        "<b>",
    ]
) | st.text(max_size=40)
_NUMBER = st.integers(-1, 12) | st.sampled_from([2**53, 2**53 + 1, 2**70])
_JUNK = (
    st.none()
    | st.booleans()
    | _NUMBER
    | st.floats()
    | st.text(max_size=30)
    | st.lists(st.none() | _ID, max_size=4)
    | st.dictionaries(st.text(max_size=5), st.none() | _ID, max_size=4)
)
_KINDS = {
    "text": _TEXT,
    "user_jwt": _TEXT,
    "token": _TEXT,
    "site": _TEXT,
    "reason": _TEXT,
    "comment": _TEXT,
    "after": _NUMBER,
    "seen": _NUMBER,
    "n": _NUMBER,
    "value": st.integers(-2, 2),
    "every_ms": st.integers(900, 1200),
    "context": st.dictionaries(st.text(max_size=10), st.text(max_size=30) | _NUMBER, max_size=11),
    "resume": st.lists(st.fixed_dictionaries({"gen": _ID, "after": _NUMBER}), max_size=17),
}


@st.composite
def shaped_frames(draw: st.DrawFn) -> str:
    """A frame of a known type, mostly as it should be; ``hello`` and ``identify`` close a line."""
    kinds = sorted(set(FRAMES) - {"hello", "identify"})
    kind = draw(st.sampled_from([*kinds, "message.send", "message.edit", "gen.regenerate"]))
    frame = {"type": kind}
    for name in FRAMES[kind].parsers:
        if draw(st.integers(0, 20)):
            frame[name] = draw(_KINDS.get(name, _ID))
    return json.dumps(frame)


@st.composite
def twisted_frames(draw: st.DrawFn) -> str:
    """A frame of a known type with a value that is anything."""
    frame = json.loads(draw(shaped_frames()))
    names = st.sampled_from([*frame, "type", "more", "gen", "cid"])
    for name in draw(st.lists(names, min_size=1, max_size=3)):
        frame[name] = draw(_JUNK)
    return json.dumps(frame)


NO_FRAMES = (
    st.text(max_size=50)
    | st.sampled_from(
        ["", "{", "[]", "null", "[" * 8000, "9" * 9000, '{"type":', "NaN", '"\\ud800"']
    )
    | st.sampled_from(["x" * 17_000, '{"type":"ping","pad":"%s"}' % ("x" * 30_000)])
    | st.sampled_from(['{"type":"hello","v":1}', '{"type":"identify","user_jwt":"x"}'])
)


def bursts(num_frames: int) -> st.SearchStrategy[list[str]]:
    """Many frames for one line, few enough of them malformed that the line may survive them."""

    @st.composite
    def build(draw: st.DrawFn) -> list[str]:
        num_odd = draw(st.integers(0, 8))
        size = max(1, num_frames - num_odd)
        right = draw(st.lists(shaped_frames(), min_size=size, max_size=size))
        odd = draw(st.lists(twisted_frames() | NO_FRAMES, max_size=num_odd))
        twice = draw(st.lists(st.sampled_from(right), max_size=3))
        return draw(st.permutations(right + odd + twice))

    return build()


def with_ids(text: str, ids: Mapping[str, str]) -> str:
    """The frame with real ids in place of their names."""
    for name in NAMES:
        text = text.replace(f'"{name}"', json.dumps(ids.get(name, str(uuid.UUID(int=9)))))
    return text


def ids_of(whose: str, frames: list[dict[str, Any]]) -> dict[str, str]:
    """The ids of the first question among a tab's frames."""
    ack = next(frame for frame in frames if frame["type"] == "message.ack")
    created = next(frame for frame in frames if frame["type"] == "gen.created")
    found = {name: ack[name] for name in ("message", "conversation", "gen", "cid")}
    found["answer"] = created["message"]
    return {f"{whose} {name}": value for name, value in found.items()}
