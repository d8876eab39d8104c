"""How the rest of Corral talks to a pool, wherever it runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from ai_model.pool.commands import MAX_COUNTED_BYTES
from ai_model.pool.control_result import ControlResult
from ai_model.pool.errors import BadFrame, PoolLost, PoolUnavailable, ProtocolMismatch, TooLong
from ai_model.pool.fields import Fields
from ai_model.pool.frames import Frame, encode
from ai_model.pool.history import MAX_SAMPLES
from ai_model.pool.link import Link
from ai_model.pool.pool_sample import PoolSample, from_json
from ai_model.pool.request import PoolRequest
from ai_model.pool.socket_path import usable_socket_path
from ai_model.pool.status import PoolStatus
from ai_model.pool.temporary_limit import LimitName
from ai_model.pool.waiting_request import WaitingRequest

Result = TypeVar("Result")

RETRY_S = 0.05
MAX_ID = 2**53 - 1
CALL_TIMEOUT_S = 10.0
SWITCH_TIMEOUT_S = 300.0
"""A switch of the model waits for running answers and reads a file of a gigabyte."""
MAX_LISTED = 1000


class PoolClient:
    """A client of the pool at ``socket_path``: one connection, shared by all calls.

    Belongs to the event loop that first uses it; make one per loop. The connection is made at the
    first call and again whenever it was lost; calls wait a bounded time for a pool that is
    starting. What was in flight when it was lost is the caller's business: see PoolLost.
    """

    def __init__(self, socket_path: Path) -> None:
        self.socket_path = usable_socket_path(socket_path)
        self._link: Link | None = None
        self._connecting: asyncio.Lock | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_closed = False

    async def submit(self, request: PoolRequest, *, timeout_s: float = CALL_TIMEOUT_S) -> None:
        """Hand in a request; returns when it waits or runs. Idempotent by generation id.

        Raises QueueFull, InflightLimit, NoModel, TooLong, PoolUnavailable.
        """
        frame: Frame = {"type": "submit", "request": request.to_json()}
        try:
            encode({**frame, "id": MAX_ID})
        except BadFrame as error:
            raise TooLong(f"The request cannot be sent: {error.text}.") from None
        await self._ask(frame, timeout_s)

    async def subscribe(
        self, generation: str, *, after: int = 0, timeout_s: float = CALL_TIMEOUT_S
    ) -> AsyncIterator[Frame]:
        """Yield the frames of a generation behind number ``after``, ending with the terminal one.

        ``timeout_s`` bounds the wait for the pool to answer, not the answer. A reader that is slow
        misses ephemeral frames only. Raises UnknownGeneration, PoolUnavailable before the first
        frame, and PoolLost (with the last number) when the connection breaks.
        """
        last_seq = after
        while True:
            deadline = time.monotonic() + timeout_s
            link = await self._connect(deadline)
            subscription = await _within(link.subscribe(generation, last_seq), deadline)
            try:
                while (frame := await subscription.get()) is not None:
                    if (seq := Fields(frame).optional_integer("seq")) is not None:
                        last_seq = seq
                    yield frame
                    if frame["type"] in ("gen.done", "gen.error"):
                        return
            finally:
                link.unsubscribe(subscription)
            # A reader that was too slow begins anew where it is: the log has what it missed.
            if not subscription.is_behind:
                raise PoolLost(
                    "The connection to the pool was lost during an answer.",
                    generation=generation,
                    last_seq=last_seq,
                )

    async def stop(
        self, generation: str, *, seen: int | None = None, timeout_s: float = CALL_TIMEOUT_S
    ) -> None:
        """End a generation; its terminal frame follows. ``seen`` counts code points on the screen.

        Raises UnknownGeneration, PoolUnavailable.
        """
        await self._ask({"type": "stop", "generation": generation, "seen": seen}, timeout_s)

    async def acknowledge(self, generation: str, *, timeout_s: float = CALL_TIMEOUT_S) -> None:
        """Tell that the answer is stored; the pool may forget it. Raises PoolUnavailable."""
        await self._ask({"type": "acknowledge", "generation": generation}, timeout_s)

    async def status(self, *, timeout_s: float = 2.0) -> PoolStatus:
        """Return how the pool is doing. Raises PoolUnavailable at once when there is none."""
        answer = await self._ask({"type": "status"}, timeout_s, waits_for_pool=False)
        return PoolStatus.from_json(answer.get("status"))

    async def history(self, age_s: float, *, timeout_s: float = 5.0) -> tuple[PoolSample, ...]:
        """Return the pool's samples of the last ``age_s`` seconds, oldest first.

        Raises PoolUnavailable.
        """
        frame = {"type": "history", "age_s": age_s}
        answer = await self._ask(frame, timeout_s, waits_for_pool=False)
        return from_json(answer.get("history"), max_samples=MAX_SAMPLES)

    async def warm(self, request: PoolRequest, *, timeout_s: float = 2.0) -> bool:
        """Have a conversation read in idle time; returns whether an instance was idle for it.

        Only the keys and messages of ``request`` count; its generation is never known to the pool.
        Raises PoolUnavailable at once when there is none.
        """
        frame: Frame = {"type": "warm", "request": request.to_json()}
        answer = await self._ask(frame, timeout_s, waits_for_pool=False)
        return Fields(answer).flag("begun", default=False)

    async def watching(self, generation: str, num_viewers: int, *, timeout_s: float = 2.0) -> None:
        """Tell for how many people this client follows a generation; with 0 it has no reader.

        Generations without a reader are the first to end when there is not enough for all. Until
        this is called, a client that follows counts as a reader, and so it does again once it has
        left. Idempotent; ended and unknown generations need nobody. Raises PoolUnavailable at once
        when there is no pool.
        """
        frame = {"type": "watching", "generation": generation, "num_viewers": num_viewers}
        await self._ask(frame, timeout_s, waits_for_pool=False)

    async def count_tokens(self, text: str, *, timeout_s: float = 5.0) -> int:
        """Return how many tokens ``text``, of at most 16 KB, takes in a prompt.

        Raises TooLong, NoModel while none is loaded, and PoolUnavailable at once without a pool.
        """
        if len(text.encode("utf-8", "replace")) > MAX_COUNTED_BYTES:
            raise TooLong(f"Tokens are counted in at most {MAX_COUNTED_BYTES} bytes.")
        frame = {"type": "count_tokens", "text": text}
        return Fields(await self._ask(frame, timeout_s, waits_for_pool=False)).integer("num_tokens")

    # What an operator may do. All of these raise PoolUnavailable at once when there is no pool.

    async def pause(self, message: str = "", *, timeout_s: float = CALL_TIMEOUT_S) -> ControlResult:
        """Refuse new requests, telling visitors ``message``; what waits and runs goes on."""
        return await self._control({"type": "pause", "message": message}, timeout_s)

    async def resume(self, *, timeout_s: float = CALL_TIMEOUT_S) -> ControlResult:
        """Take requests again after pause() or drain()."""
        return await self._control({"type": "resume"}, timeout_s)

    async def drain(self, *, timeout_s: float = CALL_TIMEOUT_S) -> ControlResult:
        """Take nothing new and finish what waits and runs, until resume()."""
        return await self._control({"type": "drain"}, timeout_s)

    async def resize(
        self, num_instances: int, *, timeout_s: float = CALL_TIMEOUT_S
    ) -> ControlResult:
        """Have 1 to 128 instances at most; running answers go on. Raises BadFrame for others."""
        return await self._control({"type": "resize", "num_instances": num_instances}, timeout_s)

    async def switch_model(
        self, path: Path, *, timeout_s: float = SWITCH_TIMEOUT_S
    ) -> ControlResult:
        """Answer with the model at the absolute ``path`` once what runs has finished.

        ``is_done`` of the result says whether it is in use; otherwise its text says why not.
        """
        return await self._control({"type": "switch_model", "path": str(path)}, timeout_s)

    async def cancel(self, generation: str, *, timeout_s: float = CALL_TIMEOUT_S) -> ControlResult:
        """End a generation for the operator. Raises UnknownGeneration."""
        return await self._control({"type": "cancel", "generation": generation}, timeout_s)

    async def move_to_front(
        self, generation: str, *, timeout_s: float = CALL_TIMEOUT_S
    ) -> ControlResult:
        """Let who waits be the next one; ``is_done`` says whether it waited. Raises
        UnknownGeneration."""
        return await self._control({"type": "move_to_front", "generation": generation}, timeout_s)

    async def cancel_orphans(self, *, timeout_s: float = CALL_TIMEOUT_S) -> ControlResult:
        """End the running answers that nobody has watched for some seconds."""
        return await self._control({"type": "cancel_orphans"}, timeout_s)

    async def limit(
        self, name: LimitName, value: int, seconds: float, *, timeout_s: float = CALL_TIMEOUT_S
    ) -> ControlResult:
        """Change a limit for a while. Raises BadFrame for values that cannot be."""
        frame = {"type": "limit", "name": str(name), "value": value, "seconds": seconds}
        return await self._control(frame, timeout_s)

    async def unlimit(self, name: LimitName, *, timeout_s: float = CALL_TIMEOUT_S) -> ControlResult:
        """Let a limit go back to its usual value now."""
        return await self._control({"type": "unlimit", "name": str(name)}, timeout_s)

    async def set_emergency(self, mode: str, *, timeout_s: float = CALL_TIMEOUT_S) -> ControlResult:
        """Switch the emergency mode ``on``, ``off`` or to ``auto``. Raises BadFrame for others."""
        return await self._control({"type": "set_emergency", "mode": mode}, timeout_s)

    async def restart(
        self, patience_s: float, *, timeout_s: float = CALL_TIMEOUT_S
    ) -> ControlResult:
        """Have a new pool process when what runs has finished, after ``patience_s`` at the latest.

        Returns at once; the connection ends with the process.
        """
        return await self._control({"type": "restart", "patience_s": patience_s}, timeout_s)

    async def list_waiting(
        self, *, timeout_s: float = CALL_TIMEOUT_S
    ) -> tuple[WaitingRequest, ...]:
        """Return those in line, the next one first, at most 1000 of them."""
        answer = await self._ask({"type": "list_waiting"}, timeout_s, waits_for_pool=False)
        waiting = Fields(answer).items("waiting", max_items=MAX_LISTED, default=[])
        return tuple(WaitingRequest.from_json(one) for one in waiting)

    async def close(self) -> None:
        """Leave the pool; generations go on. Idempotent, and no call works afterwards."""
        self._is_closed = True
        if self._link is not None:
            await self._link.close()
            self._link = None

    async def _control(self, frame: Frame, timeout_s: float) -> ControlResult:
        answer = await self._ask(frame, timeout_s, waits_for_pool=False)
        return ControlResult.from_json(answer.get("result"))

    async def _ask(self, frame: Frame, timeout_s: float, *, waits_for_pool: bool = True) -> Frame:
        deadline = time.monotonic() + timeout_s
        link = await self._connect(deadline, waits_for_pool=waits_for_pool)
        return await _within(link.ask(frame), deadline)

    async def _connect(self, deadline: float, *, waits_for_pool: bool = True) -> Link:
        self._check_loop()
        assert self._connecting is not None
        while True:
            # Held for one attempt only: a call that does not want to wait must not wait for one
            # that does.
            async with self._connecting:
                if self._is_closed:
                    raise PoolUnavailable("This client of the pool was closed.")
                if self._link is not None and not self._link.is_lost:
                    return self._link
                if self._link is not None:
                    await self._link.close()
                    self._link = None
                try:
                    self._link = await _within(Link.connect(self.socket_path), deadline)
                    return self._link
                except ProtocolMismatch:
                    raise
                except (OSError, PoolUnavailable) as error:
                    if not waits_for_pool or time.monotonic() + RETRY_S >= deadline:
                        raise _unavailable(error) from None
            await asyncio.sleep(RETRY_S)

    def _check_loop(self) -> None:
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
            self._connecting = asyncio.Lock()
        if self._loop is not loop:
            raise RuntimeError("a PoolClient belongs to one event loop; make another one")


async def _within(work: Coroutine[Any, Any, Result], deadline: float) -> Result:
    try:
        # Not wait_for(): before Python 3.12 that may swallow the end of the task it runs in.
        async with asyncio.timeout(max(0.01, deadline - time.monotonic())):
            return await work
    except TimeoutError:
        raise PoolUnavailable("The pool did not answer in time.") from None


def _unavailable(error: OSError | PoolUnavailable) -> PoolUnavailable:
    if isinstance(error, PoolUnavailable):
        return error
    return PoolUnavailable("No pool is running: it is starting, stopped, or cannot start.")
