"""Asking over HTTP: one frame in, the generation that came of it out."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from apps.ai_chat import frames
from apps.ai_chat.entrance import Admission
from apps.ai_chat.generations import GenerationRegistry, get_registry
from apps.ai_chat.relay import GenerationRelay
from apps.ai_chat.session import ChatSession
from apps.api.key_bill import begin_bill, settle_at_end
from apps.api.models import ApiKey

Asking = frames.MessageSend | frames.MessageEdit | frames.GenRegenerate | frames.GenContinue


@dataclass(slots=True, kw_only=True)
class Asked:
    """What came of it."""

    generation: uuid.UUID
    relay: GenerationRelay | None = None
    """Makes the answer; None for one that was asked before and has ended long ago."""
    token: dict[str, Any] = field(default_factory=dict)
    """What a new visitor of a website comes back with: ``token`` and ``token_exp``."""


async def ask(
    admission: Admission, frame: Asking, *, key: ApiKey | None = None, language: str = ""
) -> Asked:
    """Store what is asked and start its answer; never only half of that, whoever hangs up.

    With a ``key`` the answer counts for it. Raises ChatError.
    """
    registry = get_registry()
    registry.begin_recovery()
    asked = Asked(generation=frame.gen)
    work = _ask(registry, admission, frame, key=key, language=language, asked=asked)
    await registry.finish_anyway(work)
    return asked


async def _ask(
    registry: GenerationRegistry,
    admission: Admission,
    frame: Asking,
    *,
    key: ApiKey | None,
    language: str,
    asked: Asked,
) -> None:
    answers: list[dict[str, Any]] = []
    session = ChatSession(admission, answers.append, registry=registry, language=language)
    spending = None if key is None else await begin_bill(key)
    is_new = False
    try:
        await session.handle(frame)
        ack = next((item for item in answers if item["type"] == "message.ack"), {})
        asked.generation = uuid.UUID(ack.get("gen", str(frame.gen)))
        asked.token = {name: ack[name] for name in ("token", "token_exp") if name in ack}
        asked.relay = registry.recall(asked.generation)
        # Who gets frames about the answer itself had asked before.
        is_new = not any(item["type"].startswith("gen.") for item in answers)
    finally:
        if spending is not None:
            if is_new and asked.relay is not None:
                registry.spawn(settle_at_end(spending, asked.relay))
            else:
                await spending.settle_aside(0)
