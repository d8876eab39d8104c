"""A client of OpenAI's API that measures: the same for every server that speaks it."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.workload import Answer, Message

ANSWER_TIMEOUT_S = 900.0
SAMPLING = {"temperature": 0.8, "top_k": 40, "repeat_penalty": 1.0, "seed": 1}


@dataclass(slots=True)
class Streamed:
    """One answer as it came; seconds are those of ``time.perf_counter``."""

    sent_at: float
    first_at: float = 0.0
    """When its first text came."""
    ended_at: float = 0.0
    pieces: list[str] = field(default_factory=list)
    usage: dict[str, Any] = field(default_factory=dict)
    timings: dict[str, Any] = field(default_factory=dict)

    @property
    def num_tokens(self) -> int:
        """Tokens of the answer, as the server counts them."""
        counted = self.usage.get("completion_tokens") or self.timings.get("predicted_n")
        return int(counted or len(self.pieces))

    @property
    def ttft_s(self) -> float:
        """Seconds from the request to the first text."""
        return (self.first_at or self.ended_at) - self.sent_at

    def answer(self) -> Answer:
        """The same as the workload counts it."""
        total_s = self.ended_at - self.sent_at
        return Answer(self.ttft_s, total_s, self.num_tokens, "".join(self.pieces))


def complete(
    url: str,
    messages: Sequence[Message],
    *,
    max_tokens: int,
    user: str = "",
    key: str = "",
    **sampling: object,
) -> Streamed:
    """Ask the server at ``url`` for an answer and read it to its end. Blocks.

    ``user`` is whom it is for. Raises OSError when it is refused, and ConnectionResetError when it
    ends before its end.
    """
    body = {
        "messages": [{"role": role, "content": text} for role, text in messages],
        "max_tokens": max_tokens,
        "stream": True,
        "stream_options": {"include_usage": True},
        # llama-server reuses what it has read only when asked to.
        "cache_prompt": True,
        "user": user,
        **(sampling or SAMPLING),
    }
    headers = {"Content-Type": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    request = urllib.request.Request(
        f"{url}/v1/chat/completions", json.dumps(body).encode(), headers
    )
    streamed = Streamed(time.perf_counter())
    is_whole = False
    with urllib.request.urlopen(request, timeout=ANSWER_TIMEOUT_S) as response:
        for line in response:
            if line.startswith(b"data: {"):
                _take(streamed, json.loads(line[6:]))
            elif line.startswith(b"data: [DONE]"):
                is_whole = True
    if not is_whole:
        raise ConnectionResetError("the answer ended before its end")
    streamed.ended_at = time.perf_counter()
    return streamed


def _take(streamed: Streamed, event: dict[str, Any]) -> None:
    if "error" in event:
        raise ConnectionResetError(str(event["error"])[:200])
    streamed.usage = event.get("usage") or streamed.usage
    streamed.timings = event.get("timings") or streamed.timings
    for choice in event.get("choices") or ():
        if piece := choice.get("delta", {}).get("content"):
            streamed.first_at = streamed.first_at or time.perf_counter()
            streamed.pieces.append(piece)
