"""The one door to the pool: what the site may know of it, and what its operator may do to it."""

from __future__ import annotations

import asyncio
import math
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ai_model.catalog import CATALOG
from ai_model.engine.config import MAX_INSTANCES
from ai_model.engine.request import SamplingParams
from ai_model.memory.level import MemoryLevel
from ai_model.pool.client import SWITCH_TIMEOUT_S, PoolClient
from ai_model.pool.control_result import ControlResult
from ai_model.pool.errors import PoolError, PoolUnavailable, TooLong
from ai_model.pool.request import PoolRequest
from ai_model.pool.status import PoolState, PoolStatus
from ai_model.pool.temporary_limit import LimitName
from ai_model.pool.temporary_limits import MAX_SECONDS, MIN_SECONDS
from ai_model.pool.waiting_request import WaitingRequest
from ai_model.prompt import ChatMessage, Role
from apps.ai_pool import conf, lifecycle
from apps.ai_pool.connection import get_pool_client

Result = TypeVar("Result")

STATUS_TIMEOUT_S = 1.5
RESTART_PATIENCE_S = 30.0
"""How long a restart waits for running answers unless somebody says otherwise."""
LONGEST = 65_536
"""The pool cuts this down to what an answer may have."""
NOT_RUNNING = "The pool does not answer; it is starting again, or was never started here."
EMERGENCY = "emergency"
EMERGENCY_RETRY_S = 15
SHORT_OF_MEMORY = "Memory is short: new conversations are refused until some is free again."
_RETRY_AFTER_S = {
    PoolState.LOADING: 2,
    PoolState.DRAINING: 5,
    PoolState.PAUSED: 60,
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
                status = await get_pool_client().status(timeout_s=STATUS_TIMEOUT_S)
            return status
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


def read_status() -> PoolStatus:
    """Return the same for synchronous code."""
    return asyncio.run(pool_status())


async def assistant_health() -> AssistantHealth:
    """Return whether a question asked now would be answered."""
    return health_of(await pool_status())


def health_of(status: PoolStatus) -> AssistantHealth:
    """Return what a status means for a probe."""
    if status.state is PoolState.READY and status.memory.level == MemoryLevel.CRITICAL:
        return AssistantHealth(False, EMERGENCY, SHORT_OF_MEMORY, EMERGENCY_RETRY_S)
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
    counts = {"available": status.num_available, "orphans": status.num_orphans}
    return status.to_json() | counts | {"is_memory_warned": status.memory.is_warned}


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


async def warm_up(*, conversation: str, visitor: str, messages: Sequence[ChatMessage]) -> bool:
    """Let the pool read a conversation in idle time, so that its next answer begins at once.

    ``conversation`` and ``visitor`` are the keys that its requests carry, ``messages`` what was
    said so far, the system prompt first. Returns whether an instance was idle for it. Never raises.
    """
    turns = tuple(messages)
    if not turns or turns[-1].role is not Role.USER:
        # Prompts end with a question; the next one is not known yet, and read when it comes.
        turns += (ChatMessage(Role.USER, ""),)
    try:
        request = PoolRequest(
            generation=str(uuid.uuid4()),
            conversation=conversation,
            visitor=visitor,
            messages=turns,
            # As much as an answer may have: so the history is cut where it will be cut then.
            sampling=SamplingParams(max_tokens=LONGEST),
        )
        return await get_pool_client().warm(request, timeout_s=STATUS_TIMEOUT_S)
    except (PoolError, OSError, TimeoutError, ValueError):
        return False


# What an operator may do. These block and are for synchronous code: commands, the admin. Each
# raises PoolError with a sentence (PoolUnavailable when no pool answers), and
# conf.ImpossibleSetting for a wrong CORRAL_POOL_URL. What is changed holds until the supervisor of
# the pool ends, over deaths and restarts of the pool process.


def pause_pool(message: str = "") -> ControlResult:
    """Take no new questions and tell visitors ``message``; what waits and runs goes on."""
    return ask_pool(lambda client: client.pause(message))


def resume_pool() -> ControlResult:
    """Take questions again after a pause or a drain."""
    return ask_pool(lambda client: client.resume())


def drain_pool() -> ControlResult:
    """Take nothing new and finish what waits and runs, for example before a restart."""
    return ask_pool(lambda client: client.drain())


def resize_pool(num_instances: int) -> ControlResult:
    """Answer at most 1 to 128 questions at the same time; running answers go on.

    Raises ValueError with a sentence for other numbers.
    """
    if not 1 <= num_instances <= MAX_INSTANCES:
        raise ValueError(f"A pool has 1 to {MAX_INSTANCES} instances, not {num_instances}.")
    return ask_pool(lambda client: client.resize(num_instances))


def switch_model(name: str, *, wait_s: float = SWITCH_TIMEOUT_S) -> ControlResult:
    """Answer with another model as soon as what runs has finished; waits for that.

    After ``wait_s`` seconds it raises PoolUnavailable, and the switch goes on without a witness.
    ``name`` is what ``manage.py model use`` takes. Raises UnknownModel, BadModelFile and
    ChecksumMismatch besides; a file that turns out to be bad later is told in the result.
    """
    store = conf.model_store()
    path = store.resolve(name)
    for entry in CATALOG:
        if path.name == entry.filename and path.is_file():
            store.checksums.verify(path, entry.sha256)
    return ask_pool(lambda client: client.switch_model(path.absolute(), timeout_s=wait_s))


def restart_pool(patience_s: float = RESTART_PATIENCE_S) -> ControlResult:
    """Replace the pool process by a new one as soon as what runs has finished; returns at once.

    What still runs after ``patience_s`` goes on in the new process. A pool that was given up after
    many deaths is tried again, when this process is the one that runs it.
    """
    try:
        return ask_pool(lambda client: client.restart(patience_s))
    except PoolUnavailable:
        if lifecycle.retry():
            return ControlResult(text="A pool process is started again.")
        raise


def set_emergency(mode: str) -> ControlResult:
    """Switch the emergency mode: ``on`` begins it, ``off`` forbids it, ``auto`` leaves it to how
    short memory is. Raises BadFrame for anything else."""
    return ask_pool(lambda client: client.set_emergency(mode))


def limit_pool(name: LimitName, value: int, seconds: float) -> ControlResult:
    """Change a limit for a while; it goes back by itself. Raises ValueError with a sentence."""
    low, high = name.bounds
    if not low <= value <= high:
        raise ValueError(f"{name} can be {low} to {high}, not {value}.")
    if not MIN_SECONDS <= seconds <= MAX_SECONDS:
        raise ValueError("A limit can be changed for a second to a day.")
    return ask_pool(lambda client: client.limit(name, value, seconds))


def unlimit_pool(name: LimitName) -> ControlResult:
    """Let a limit go back to its usual value now."""
    return ask_pool(lambda client: client.unlimit(name))


def cancel_generation(generation: str) -> ControlResult:
    """End a question that waits or an answer that runs. Raises UnknownGeneration."""
    return ask_pool(lambda client: client.cancel(generation))


def move_to_front(generation: str) -> ControlResult:
    """Let a question that waits be the next one. Raises UnknownGeneration."""
    return ask_pool(lambda client: client.move_to_front(generation))


def cancel_orphans() -> ControlResult:
    """End the running answers that nobody has watched for some seconds."""
    return ask_pool(lambda client: client.cancel_orphans())


def count_tokens(text: str) -> int | None:
    """Return how many tokens ``text`` takes of a prompt, or None while no model is loaded.

    Blocks, for synchronous code; never waits for a pool that is away. Raises ValueError with a
    sentence for more than 16 KB.
    """
    try:
        return ask_pool(lambda client: client.count_tokens(text))
    except TooLong as error:
        raise ValueError(error.text) from None
    except (PoolError, conf.ImpossibleSetting):
        return None


def list_waiting() -> tuple[WaitingRequest, ...]:
    """Return those in line, the next one first, at most 1000; never what they ask."""
    return ask_pool(lambda client: client.list_waiting())


def ask_pool(call: Callable[[PoolClient], Awaitable[Result]]) -> Result:
    """Return what ``call`` gets from the pool's client; for synchronous code, such as all above."""

    async def ask() -> Result:
        try:
            return await call(get_pool_client())
        except (OSError, TimeoutError):
            raise PoolUnavailable(NOT_RUNNING) from None

    return asyncio.run(ask())
