"""What the site may know about the pool: its status, the assistant's health, the note for staff."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from typing import Any

from ai_model.pool.errors import PoolError
from ai_model.pool.status import PoolState, PoolStatus
from apps.ai_pool import conf, lifecycle
from apps.ai_pool.connection import get_pool_client

STATUS_TIMEOUT_S = 1.5
NOT_RUNNING = "The pool does not answer; it is starting again, or was never started here."
_RETRY_AFTER_S = {
    PoolState.LOADING: 2,
    PoolState.DRAINING: 5,
    PoolState.DOWN: 5,
    PoolState.FAILED: 30,
}


@dataclass(frozen=True, slots=True)
class AssistantHealth:
    """Whether the assistant can answer now; otherwise why not and when to ask again."""

    is_ok: bool
    state: str
    reason: str = ""
    retry_after_s: int = 0


async def pool_status() -> PoolStatus:
    """Return how the pool is doing. Never raises, never waits for decoding, 1.5 s at most."""
    reason = lifecycle.failure()
    if not reason:
        try:
            async with asyncio.timeout(STATUS_TIMEOUT_S * 2):
                return await get_pool_client().status(timeout_s=STATUS_TIMEOUT_S)
        except PoolError as error:
            reason = error.text
        except conf.ImpossibleSetting as error:
            reason = str(error)
        except (OSError, TimeoutError):
            reason = NOT_RUNNING
    trouble = lifecycle.trouble()
    if trouble is not None:
        return PoolStatus(state=trouble.state, reason=trouble.reason or reason)
    return PoolStatus.down(reason or NOT_RUNNING)


async def assistant_health() -> AssistantHealth:
    """Return whether a question asked now would be answered."""
    return health_of(await pool_status())


def health_of(status: PoolStatus) -> AssistantHealth:
    """Return what a status means for a probe."""
    if status.state is PoolState.READY:
        return AssistantHealth(True, str(status.state))
    reason = status.reason or f"The pool is {status.state}."
    return AssistantHealth(False, str(status.state), reason, _RETRY_AFTER_S[status.state])


def public_form(status: PoolStatus) -> dict[str, Any]:
    """Return what everybody may know: numbers, no reasons, no names."""
    return {
        "state": str(status.state),
        "available": status.num_available,
        "instances": status.num_instances,
        "in_use": status.num_running,
        "waiting": status.num_waiting,
        "wait_s": _rounded_wait(status),
    }


def staff_form(status: PoolStatus) -> dict[str, Any]:
    """Return everything the pool tells about itself; it holds no visitor's text."""
    return status.to_json() | {"available": status.num_available}


def wait_words(status: PoolStatus) -> str:
    """Return "about 1 min" when somebody waits and the pool can tell how long, else ""."""
    seconds = _rounded_wait(status)
    if seconds is None:
        return ""
    if seconds < 60:
        return f"about {seconds} s"
    return f"about {math.ceil(seconds / 60)} min"


def _rounded_wait(status: PoolStatus) -> int | None:
    if not status.num_waiting or status.eta_s is None:
        return None
    step = 5 if status.eta_s < 60 else 30
    return max(step, math.ceil(status.eta_s / step) * step)


def model_notice() -> dict[str, Any] | None:
    """Return the note for staff on the chat page, or None when a real model is in use.

    Reads the file system, not the pool: the page must not wait.
    """
    problem = lifecycle.failure()
    if problem:
        return {"is_demo": False, "sentence": f"The assistant has no model yet. {problem}"}
    if conf.is_pool_external():
        return None
    try:
        chosen = conf.chosen_model()
    except ValueError as error:
        return {"is_demo": False, "sentence": f"The assistant has no model yet. {error}"}
    if not chosen.is_demo:
        return None
    return {
        "is_demo": True,
        "sentence": (
            "This is the small demo model. `make model` fetches the real TinyLlama (0.8 GB); then "
            "restart the server."
        ),
    }
