"""The smallest WebSocket client, on bytes of any kind."""

from __future__ import annotations

import io
import json

import pytest

from apps.ai_pool.doctor.greeting import answer_of, hello_frame


def sent(text: bytes, opcode: int = 1) -> bytes:
    size = bytes([len(text)]) if len(text) < 126 else b"\x7e" + len(text).to_bytes(2)
    return bytes([0x80 | opcode]) + size + text


WELCOME = json.dumps({"type": "welcome", "v": 1, "filler": "x" * 300}).encode()
ERROR = b'{"type": "error", "code": "origin_not_allowed"}'


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (sent(WELCOME), "welcome"),
        (sent(b"", 9) + sent(b'{"type": "status"}') + sent(WELCOME), "welcome"),
        (sent(ERROR), "origin_not_allowed"),
        (sent(b"\x03\xe8", 8) + sent(WELCOME), ""),
        (sent(b"[]") + sent(b"no json"), ""),
        (b"\x81\x7f" + (1 << 40).to_bytes(8), ""),
        (b"", ""),
        (sent(b"", 9) * 100 + sent(WELCOME), ""),
    ],
)
def test_first_answer(data: bytes, answer: str) -> None:
    assert answer_of(io.BytesIO(data)) == answer


def test_hello_is_masked() -> None:
    frame = hello_frame()
    mask, data = frame[2:6], frame[6:]
    text = bytes(byte ^ mask[place % 4] for place, byte in enumerate(data))
    assert frame[1] & 0x80 and json.loads(text) == {"type": "hello", "v": 1}
