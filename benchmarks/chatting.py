"""A visitor who chats and checks every frame: none may be missing, and the text must be right."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
import uuid
from dataclasses import dataclass, field

from websockets.asyncio.client import ClientConnection

from benchmarks.chat_line import open_line
from benchmarks.words import words

ANSWER_TIMEOUT_S = 300.0
QUESTION_WORDS = 12
MAX_REFUSALS = 50


@dataclass
class Heard:
    """What one visitor got."""

    num_answers: int = 0
    num_refused: int = 0
    num_lost: int = 0
    """Numbers that were left out, and answers without an end."""
    num_wrong: int = 0
    """Texts that are not what the server says it has sent."""
    gaps_ms: list[float] = field(default_factory=list)


async def chat(port: int, cookie: str, number: int, num_turns: int) -> Heard:
    """Ask ``num_turns`` questions, one after the other, in one conversation each."""
    heard = Heard()
    async with open_line(port, cookie) as line:
        while heard.num_answers < num_turns and heard.num_refused < MAX_REFUSALS:
            generation = str(uuid.uuid4())
            question = {
                "type": "message.send",
                "cid": str(uuid.uuid4()),
                "gen": generation,
                "text": words(QUESTION_WORDS, 1000 * number + heard.num_answers),
            }
            await line.send(json.dumps(question))
            try:
                async with asyncio.timeout(ANSWER_TIMEOUT_S):
                    await _hear(line, generation, heard)
            except TimeoutError:
                heard.num_lost += 1
                break
    return heard


async def _hear(line: ClientConnection, generation: str, heard: Heard) -> None:
    """Read one answer to its end, or its refusal."""
    last_seq, text = 0, ""
    before: float | None = None
    async for data in line:
        frame = json.loads(data)
        if frame["type"] == "error":
            heard.num_refused += 1
            await asyncio.sleep(float(frame.get("retry_after_s") or 0.5))
            return
        if frame.get("gen") != generation or "seq" not in frame:
            continue
        heard.num_lost += max(0, frame["seq"] - last_seq - 1)
        last_seq = frame["seq"]
        if frame["type"] == "gen.delta":
            now = time.perf_counter()
            if before is not None:
                heard.gaps_ms.append((now - before) * 1000)
            before = now
            heard.num_wrong += frame["off"] != len(text)
            text = text[: frame["off"]] + frame["text"]
        elif frame["type"] == "gen.error":
            heard.num_refused += 1
            await asyncio.sleep(float(frame.get("retry_after_s") or 0.5))
            return
        elif frame["type"] == "gen.done":
            digest = hashlib.sha256(text.encode()).hexdigest()[:8]
            heard.num_wrong += digest != frame["sha256_8"]
            heard.num_answers += 1
            return
    raise ConnectionResetError
