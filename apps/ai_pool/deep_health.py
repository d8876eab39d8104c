"""Whether the model really writes: one token is asked for, or others are seen to get theirs."""

from __future__ import annotations

import asyncio
import threading
import uuid
import weakref
from contextlib import aclosing, suppress

from ai_model.engine.request import SamplingParams
from ai_model.pool.errors import PoolError
from ai_model.pool.priority import Priority
from ai_model.pool.request import PoolRequest
from ai_model.pool.status import PoolStatus
from ai_model.prompt import ChatMessage, Role
from apps.ai_pool import services
from apps.ai_pool.services import AssistantHealth

GOOD_FOR_S = 30.0
BAD_FOR_S = 5.0
"""An alarm is to end soon after its cause."""
TIMEOUT_S = 10.0
LOOK_AGAIN_S = 0.5
KEY = "health-probe"
"""Of its visitor and conversation: always the same, so one conversation at most is held for it."""
OK = AssistantHealth(True, "ok")


class DeepProbe:
    """The newest finding, shared by all who ask. Belongs to one event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._lock = asyncio.Lock()
        self._found: AssistantHealth | None = None
        self._good_until = 0.0

    async def check(self) -> AssistantHealth:
        """Return what was found in the last seconds, or look. Never raises; 13 s at most."""
        async with self._lock:
            if self._found is None or self._loop.time() >= self._good_until:
                self._found = await _look()
                good_for_s = GOOD_FOR_S if self._found.is_ok else BAD_FOR_S
                self._good_until = self._loop.time() + good_for_s
            return self._found


async def _look() -> AssistantHealth:
    status = await services.pool_status()
    health = services.health_of(status)
    if not health.is_ok:
        return health
    try:
        async with asyncio.timeout(TIMEOUT_S):
            if status.num_available or not await _is_somebody_served(status):
                await _generate()
        return OK
    except (PoolError, OSError, ValueError) as error:
        return _broken(f"The model wrote nothing ({type(error).__name__}).")
    except TimeoutError:
        return _broken(f"The model wrote nothing within {TIMEOUT_S:.0f} s.")


def _broken(reason: str) -> AssistantHealth:
    return AssistantHealth(False, "broken", reason, retry_after_s=int(BAD_FOR_S))


async def _is_somebody_served(before: PoolStatus) -> bool:
    """Wait until some answer has grown, True, or an instance is free, False.

    A full pool is not asked for one answer more.
    """
    known = {one.generation: one.num_generated for one in before.instances if one.generation}
    while True:
        await asyncio.sleep(LOOK_AGAIN_S)
        now = await services.pool_status()
        if any(
            one.num_generated > known.get(one.generation, one.num_generated)
            for one in now.instances
        ):
            return True
        if now.num_available:
            return False


async def _generate() -> None:
    """Have one token written. Raises PoolError when it is not."""
    client = services.get_pool_client()
    request = PoolRequest(
        generation=str(uuid.uuid4()),
        conversation=KEY,
        visitor=KEY,
        messages=(ChatMessage(Role.USER, "Hello"),),
        sampling=SamplingParams(temperature=0.0, max_tokens=1),
        priority=Priority.API,
    )
    try:
        await client.submit(request, timeout_s=TIMEOUT_S)
        async with aclosing(client.subscribe(request.generation)) as frames:
            async for frame in frames:
                if frame["type"] == "gen.error":
                    raise PoolError(str(frame.get("code") or "failed"))
    except BaseException:
        with suppress(PoolError, OSError, TimeoutError):
            await client.stop(request.generation, timeout_s=1.0)
        raise
    with suppress(PoolError, OSError, TimeoutError):
        await client.acknowledge(request.generation, timeout_s=1.0)


_probes: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, DeepProbe] = (
    weakref.WeakKeyDictionary()
)
_lock = threading.Lock()


def get_deep_probe() -> DeepProbe:
    """Return the probe of the running event loop. Thread-safe."""
    loop = asyncio.get_running_loop()
    with _lock:
        known = _probes.get(loop)
        if known is None:
            known = _probes[loop] = DeepProbe()
        return known
