"""The line a web process writes when an answer has ended; the pool writes one under the same id."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from ai_model.log_format import Fact, facts

if TYPE_CHECKING:
    from apps.ai_chat.exchange import JsonFrame
    from apps.ai_chat.relay import Answer

log = logging.getLogger(__name__)


def log_end(
    answer: Answer, frame: JsonFrame, *, began_at: float, num_chars: int, is_stored: bool
) -> None:
    """Write ids, times, counts and how it ended; never text.

    ``frame`` is the last one; ``began_at`` monotonic seconds.
    """
    usage, timing = frame.get("usage") or {}, frame.get("timing") or {}
    log.info(
        "answer ended",
        extra=facts(
            gen=str(answer.generation),
            conversation=str(answer.conversation),
            message=str(answer.message),
            outcome=_outcome(frame),
            total_ms=max(0, round((time.monotonic() - began_at) * 1000)),
            queue_ms=_number(timing.get("queue_ms")),
            ttft_ms=_number(timing.get("ttft_ms")),
            gen_ms=_number(timing.get("gen_ms")),
            prompt_tokens=_number(usage.get("prompt")),
            cached_tokens=_number(usage.get("cached")),
            tokens=_number(usage.get("completion")),
            chars=num_chars,
            stored=None if is_stored else False,
            request=answer.request_id or None,
        ),
    )


def _outcome(frame: JsonFrame) -> str:
    """The reason of an answer, or the code of its error: words of our own tables."""
    name = "code" if frame["type"] == "gen.error" else "reason"
    return str(frame.get(name, "unknown"))[:32]


def _number(value: object) -> Fact:
    return value if isinstance(value, (int, float)) else None
