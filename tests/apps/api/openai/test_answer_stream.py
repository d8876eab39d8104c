"""What a stream holds beside the answer: signs of life while nothing comes, and its end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from apps.api.openai import answer_stream
from apps.api.openai.answer_stream import DONE, PING, AnswerStream
from apps.api.openai.completion import Completion
from apps.api.openai.errors import OpenAIError

USED = {"reason": "stop", "usage": {"prompt": 3, "completion": 2, "cached": 1}}


class ScriptedAnswer:
    """An answer that pauses before its second text, and may fail behind it."""

    def __init__(self, failure: OpenAIError | None = None) -> None:
        self.done: dict[str, Any] | None = None
        self.num_closed = 0
        self.may_go_on = asyncio.Event()
        self._failure = failure

    async def texts(self) -> AsyncGenerator[str, None]:
        yield "One"
        await self.may_go_on.wait()
        yield " two"
        if self._failure is not None:
            raise self._failure
        self.done = USED

    def take_tokens(self) -> None:
        return None

    async def close(self) -> None:
        self.num_closed += 1


def stream_of(answer: ScriptedAnswer, *, includes_usage: bool = False) -> AnswerStream:
    completion = Completion(id="1", model="m", is_chat=True)
    return AnswerStream(answer, completion, includes_usage=includes_usage)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_stream, "KEEP_ALIVE_S", 0.01)


async def lines_of(stream: AnswerStream, answer: ScriptedAnswer) -> list[bytes]:
    """All lines; the answer goes on behind the first comment."""
    lines = []
    async for line in stream:
        lines.append(line)
        if line == PING:
            answer.may_go_on.set()
    return lines


def objects(lines: list[bytes]) -> list[Any]:
    return [
        json.loads(line.removeprefix(b"data: "))
        for line in lines
        if line not in (PING, DONE) and line.startswith(b"data: ")
    ]


async def test_a_comment_shows_that_the_line_is_alive() -> None:
    answer = ScriptedAnswer()
    async with asyncio.timeout(10):
        lines = await lines_of(stream_of(answer, includes_usage=True), answer)
    assert PING in lines and PING.startswith(b":") and lines[-1] == DONE
    first, second, end, used = objects(lines)
    assert first["choices"][0]["delta"] == {"role": "assistant", "content": "One"}
    assert second["choices"][0]["delta"] == {"content": " two"}
    assert end["choices"][0]["finish_reason"] == "stop"
    assert used["choices"] == [] and used["usage"]["total_tokens"] == 5


async def test_who_has_read_the_end_finds_its_place_free() -> None:
    answer = ScriptedAnswer()
    answer.may_go_on.set()
    async for line in stream_of(answer):
        if line == DONE:
            assert answer.num_closed == 1


async def test_a_failure_behind_the_first_byte_is_an_event_and_the_end() -> None:
    answer = ScriptedAnswer(OpenAIError.of_code("deadline"))
    answer.may_go_on.set()
    lines = [line async for line in stream_of(answer)]
    error = objects(lines)[-1]["error"]
    assert error["type"] == "timeout_error" and DONE not in lines


async def test_a_reader_who_goes_away_frees_the_instance() -> None:
    answer = ScriptedAnswer()
    stream = stream_of(answer)
    async for _ in stream:
        break
    stream.close()
    stream.close()
    async with asyncio.timeout(10):
        while not answer.num_closed:
            await asyncio.sleep(0)
    assert answer.num_closed == 1
