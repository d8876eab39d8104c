"""The first frame a chat socket sends: who you are, what the limits are, what is running."""

from __future__ import annotations

import time
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings

from ai_model.pool.log_store import DEFAULT_TTL_S
from ai_model.pool.status import PoolState, PoolStatus
from apps.ai_chat import generations, services
from apps.ai_chat.banner_watch import banner_text
from apps.ai_chat.entrance import Admission
from apps.ai_chat.errors import visitor_text
from apps.ai_chat.generations import GenerationRegistry
from apps.ai_chat.visitor import Visitor

HEARTBEAT_S = 20
TEXTS = {"failed": "no_model", "loading": "model_loading", "down": "pool_lost"}


async def welcome_frame(registry: GenerationRegistry, admission: Admission) -> dict[str, Any]:
    """Build the frame; a pool that does not answer at once is ``down`` and delays nothing."""
    visitor = admission.visitor
    max_chars, max_inflight = await database_sync_to_async(_limits)(visitor)
    rows = await database_sync_to_async(services.live_answers)(visitor=visitor)
    status = await generations.pool_status()
    live = []
    for row in rows:
        relay = registry.find(row.generation) if row.generation else None
        live.append(
            {
                "gen": str(row.generation),
                "conversation": str(row.conversation_id),
                "message": str(row.id),
                "state": row.state,
                "seq": len(relay.log) if relay else 0,
            }
        )
    frame: dict[str, Any] = {
        "type": "welcome",
        "v": 1,
        "visitor": visitor.pseudonym,
        "heartbeat_s": HEARTBEAT_S,
        "server_ms": int(time.time() * 1000),
        "limits": {
            "max_chars": max_chars,
            "max_inflight": max_inflight,
            "queue_max": settings.CORRAL_QUEUE_SIZE,
            "resume_ttl_s": int(DEFAULT_TTL_S),
        },
        "model": _model(status),
        "pool": _pool(status),
        "banner": await banner_text(),
        "live": live,
    }
    return frame | _site(admission) | _token(admission)


def _limits(visitor: Visitor) -> tuple[int, int]:
    return services.max_chars_for(visitor), services.max_inflight_for(visitor)


def _site(admission: Admission) -> dict[str, Any]:
    site = admission.site
    if site is None:
        return {}
    shown = {"key": site.key, "name": site.assistant_name, "is_on": site.is_on}
    return {"site": shown} | ({"user": True} if admission.visitor.is_verified else {})


def _token(admission: Admission) -> dict[str, Any]:
    if not admission.token:
        return {}
    ends = {} if admission.token_exp is None else {"token_exp": admission.token_exp}
    return {"token": admission.token} | ends


def _model(status: PoolStatus) -> dict[str, Any] | None:
    if status.model is None:
        return None
    model = status.model
    return {"label": model.name, "ctx": model.n_ctx, "demo": model.is_demo}


def _pool(status: PoolStatus) -> dict[str, Any]:
    state = str(status.state)
    if status.state is PoolState.READY:
        state = "busy" if status.num_waiting else "ok"
    text = TEXTS.get(state)
    return {"state": state, "text": visitor_text(text) if text else ""}
