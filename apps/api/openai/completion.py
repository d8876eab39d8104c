"""The objects a client of OpenAI's API gets: whole answers, pieces of them, and what they took."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from apps.ai_chat.exchange import JsonFrame
from apps.api.openai.logprobs import TextToken, chat_logprobs, text_logprobs

_FINISH = {"stop": "stop", "length": "length", "user_stop": "stop"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """One answer as objects. ``id`` is unique; ``created`` is in epoch seconds."""

    id: str
    model: str
    is_chat: bool
    created: int = field(default_factory=lambda: int(time.time()))

    def piece(
        self, text: str, tokens: list[TextToken] | None = None, *, is_first: bool = False
    ) -> dict[str, Any]:
        """A chunk of a stream with some text, and its tokens if somebody asked."""
        delta = {"role": "assistant", "content": text} if is_first else {"content": text}
        choice = self._streamed(delta, text, None) | {"logprobs": self._logprobs(tokens)}
        return self._chunk([choice])

    def end(self, done: JsonFrame) -> dict[str, Any]:
        """The chunk that says why the answer ends where it does."""
        reason = finish_reason(done)
        return self._chunk([self._streamed({}, "", reason)]) | {"timings": timings(done)}

    def used(self, done: JsonFrame) -> dict[str, Any]:
        """The last chunk for those who asked for the usage."""
        return self._chunk([]) | {"usage": usage(done)}

    def whole(
        self, text: str, done: JsonFrame, tokens: list[TextToken] | None = None
    ) -> dict[str, Any]:
        """The whole answer, and its tokens if somebody asked."""
        choice: dict[str, Any] = {"index": 0, "finish_reason": finish_reason(done)}
        choice["logprobs"] = self._logprobs(tokens)
        if self.is_chat:
            choice["message"] = {"role": "assistant", "content": text, "refusal": None}
        else:
            choice["text"] = text
        kind = "chat.completion" if self.is_chat else "text_completion"
        return self._head(kind) | {
            "choices": [choice],
            "usage": usage(done),
            "timings": timings(done),
        }

    def _logprobs(self, tokens: list[TextToken] | None) -> dict[str, Any] | None:
        if tokens is None:
            return None
        return chat_logprobs(tokens) if self.is_chat else text_logprobs(tokens)

    def _streamed(self, delta: dict[str, Any], text: str, reason: str | None) -> dict[str, Any]:
        body: dict[str, Any] = {"delta": delta} if self.is_chat else {"text": text}
        return {"index": 0, **body, "logprobs": None, "finish_reason": reason}

    def _chunk(self, choices: list[dict[str, Any]]) -> dict[str, Any]:
        kind = "chat.completion.chunk" if self.is_chat else "text_completion"
        return self._head(kind) | {"choices": choices}

    def _head(self, kind: str) -> dict[str, Any]:
        prefix = "chatcmpl" if self.is_chat else "cmpl"
        return {
            "id": f"{prefix}-{self.id}",
            "object": kind,
            "created": self.created,
            "model": self.model,
        }


def finish_reason(done: JsonFrame) -> str:
    """OpenAI's word for the end of an answer; what was cut short for any reason is ``length``."""
    return _FINISH.get(str(done.get("reason")), "length")


def usage(done: JsonFrame) -> dict[str, Any]:
    """Tokens read and written; ``cached_tokens`` needed no reading."""
    counts = done.get("usage") or {}
    prompt, completion = int(counts.get("prompt") or 0), int(counts.get("completion") or 0)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": int(counts.get("cached") or 0)},
    }


def timings(done: JsonFrame) -> dict[str, Any]:
    """The same as llama.cpp's server tells it; times in milliseconds."""
    counts, times = done.get("usage") or {}, done.get("timing") or {}
    cached, prompt = int(counts.get("cached") or 0), int(counts.get("prompt") or 0)
    num_read, num_written = max(0, prompt - cached), int(counts.get("completion") or 0)
    prompt_ms, written_ms = float(times.get("prompt_ms") or 0), float(times.get("gen_ms") or 0)
    return {
        "cache_n": cached,
        "prompt_n": num_read,
        "prompt_ms": prompt_ms,
        "prompt_per_second": _per_second(num_read, prompt_ms),
        "predicted_n": num_written,
        "predicted_ms": written_ms,
        "predicted_per_second": _per_second(num_written, written_ms),
        "queue_ms": float(times.get("queue_ms") or 0),
    }


def _per_second(count: int, ms: float) -> float:
    return round(count / ms * 1000, 2) if ms > 0 else 0.0
