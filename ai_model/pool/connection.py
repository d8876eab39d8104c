"""One client of the pool's socket: its hello, its commands, its subscriptions."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Coroutine
from typing import Any

from ai_model.pool.commands import (
    Acknowledge,
    Cancel,
    CancelOrphans,
    Command,
    ControlCommand,
    CountTokens,
    Drain,
    GetHistory,
    GetStatus,
    Limit,
    ListWaiting,
    MoveToFront,
    Pause,
    Resize,
    Restart,
    Resume,
    SetEmergency,
    Stop,
    Submit,
    Subscribe,
    SwitchModel,
    Unlimit,
    Unsubscribe,
    Warm,
    Watching,
    command_id,
    parse_command,
)
from ai_model.pool.control_result import ControlResult
from ai_model.pool.errors import BadFrame, PoolError
from ai_model.pool.frames import PROTOCOL, Frame, check_protocol, decode, encode
from ai_model.pool.pool import Pool
from ai_model.pool.pool_sample import to_json

logger = logging.getLogger(__name__)

HELLO_TIMEOUT_S = 5.0
WRITE_TIMEOUT_S = 10.0
"""A client that takes nothing for this long is dropped."""
OUTBOX_BYTES = 256 * 1024
"""What a client may leave unread before writing to it waits."""
MAX_SUBSCRIPTIONS = 1024


class Connection:
    """Serves one client until it leaves. Its end stops no generation."""

    def __init__(
        self, pool: Pool, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._pool = pool
        self._reader = reader
        self._writer = writer
        self._subscriptions: dict[int, asyncio.Task[None]] = {}
        """What takes its time: subscriptions, a switch of the model, counting tokens."""
        writer.transport.set_write_buffer_limits(high=OUTBOX_BYTES)

    async def run(self) -> None:
        """Serve the client; returns when it is gone or was dropped. Never raises."""
        try:
            if await self._greet():
                while frame := await self._read():
                    await self._answer(frame)
        except BadFrame as error:
            # What follows a broken frame cannot be trusted to begin at the right place.
            with contextlib.suppress(PoolError, OSError, TimeoutError):
                await self._send(_error(None, error))
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            logger.debug("A client of the pool left or was dropped.")
        except Exception:
            logger.exception("A connection to the pool failed.")
        finally:
            await self._close()

    async def flush(self) -> None:
        """Wait until the followers of ended generations have sent everything."""
        if self._subscriptions:
            await asyncio.wait(set(self._subscriptions.values()))

    async def _greet(self) -> bool:
        """Read the hello; returns whether the client speaks our version."""
        hello = await asyncio.wait_for(self._read(), HELLO_TIMEOUT_S)
        if hello is None:
            return False
        if hello["type"] != "hello":
            raise BadFrame("the first frame is not a hello")
        sentence = check_protocol(hello)
        if sentence is not None:
            logger.error("A client was refused. %s", sentence)
            await self._send({"type": "refused", "protocol": PROTOCOL, "text": sentence})
            return False
        await self._send({"type": "welcome", "protocol": PROTOCOL, "pid": os.getpid()})
        return True

    async def _answer(self, frame: Frame) -> None:
        number = command_id(frame)
        try:
            command = parse_command(frame)
            reply = self._carry_out(command, number)
        except PoolError as error:
            reply = _error(number, error)
        if reply is not None:
            await self._send(reply)

    def _carry_out(self, command: Command, number: int) -> Frame | None:
        """Do what a command says; None when the answer comes later."""
        match command:
            case Submit():
                self._pool.submit(command.request)
            case Subscribe():
                self._subscribe(command, number)
                return None
            case Unsubscribe():
                task = self._subscriptions.pop(command.sub, None)
                if task is not None:
                    task.cancel()
            case Stop():
                self._pool.stop(command.generation, command.seen)
            case Acknowledge():
                self._pool.acknowledge(command.generation)
            case GetStatus():
                return {"type": "status", "id": number, "status": self._pool.status().to_json()}
            case GetHistory():
                samples = to_json(self._pool.history.since(command.age_s))
                return {"type": "history", "id": number, "history": samples}
            case Warm():
                return {"type": "ok", "id": number, "begun": self._pool.warm(command.request)}
            case Watching():
                self._pool.count_viewers(command.generation, command.num_viewers, self)
            case CountTokens():
                self._run_aside(number, self._count_tokens(command, number))
                return None
            case ListWaiting():
                waiting = [one.to_json() for one in self._pool.controls.list_waiting()]
                return {"type": "ok", "id": number, "waiting": waiting}
            case SwitchModel():
                self._run_aside(number, self._switch_model(command, number))
                return None
            case _:
                return _result(number, self._control(command))
        return {"type": "ok", "id": number}

    def _control(self, command: ControlCommand) -> ControlResult:
        match command:
            case Pause():
                return self._pool.controls.pause(command.message)
            case Resume():
                return self._pool.controls.resume()
            case Drain():
                return self._pool.controls.drain()
            case Resize():
                return self._pool.controls.resize(command.num_instances)
            case Cancel():
                return self._pool.controls.cancel(command.generation)
            case MoveToFront():
                return self._pool.controls.move_to_front(command.generation)
            case CancelOrphans():
                return self._pool.controls.cancel_orphans()
            case SetEmergency():
                return self._pool.controls.set_emergency(command.mode)
            case Limit() | Unlimit() | Restart():
                return self._control_limits(command)

    def _control_limits(self, command: Limit | Unlimit | Restart) -> ControlResult:
        controls = self._pool.controls
        try:
            match command:
                case Limit():
                    return controls.limit(command.name, command.value, command.seconds)
                case Unlimit():
                    return controls.unlimit(command.name)
                case Restart():
                    return controls.restart(command.patience_s)
        except ValueError as error:
            raise BadFrame(str(error)) from None

    async def _switch_model(self, command: SwitchModel, number: int) -> None:
        await self._send(_result(number, await self._pool.controls.switch_model(command.path)))

    async def _count_tokens(self, command: CountTokens, number: int) -> None:
        try:
            num_tokens = await self._pool.count_tokens(command.text)
        except PoolError as error:
            await self._send(_error(number, error))
        else:
            await self._send({"type": "ok", "id": number, "num_tokens": num_tokens})

    def _subscribe(self, command: Subscribe, number: int) -> None:
        self._run_aside(number, self._follow(command, number))

    def _run_aside(self, number: int, work: Coroutine[Any, Any, None]) -> None:
        """Carry out a command that takes its time while the client gives others."""
        if number in self._subscriptions or len(self._subscriptions) >= MAX_SUBSCRIPTIONS:
            work.close()
            raise BadFrame("too many subscriptions, or two with the same id")
        task = asyncio.create_task(self._guard(work))
        self._subscriptions[number] = task
        task.add_done_callback(lambda _: self._subscriptions.pop(number, None))

    async def _follow(self, command: Subscribe, number: int) -> None:
        """Send a generation's frames at the pace at which the client takes them."""
        try:
            log = await self._pool.find_log(command.generation)
            frames = log.follow(command.after)
            await self._send({"type": "ok", "id": number})
            with self._pool.watching(command.generation, self):
                async for frame in frames:
                    await self._send({"type": "event", "sub": number, "frame": frame})
            await self._send({"type": "end", "sub": number})
        except PoolError as error:
            await self._send(_error(number, error))

    async def _guard(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a subscription; a client that cannot be written to loses its connection."""
        try:
            await work
        except (OSError, TimeoutError):
            self._writer.transport.abort()
        except Exception:
            logger.exception("A subscription failed.")
            self._writer.transport.abort()

    async def _read(self) -> Frame | None:
        """Return the next frame, None at the end of the stream. Raises BadFrame."""
        try:
            line = await self._reader.readuntil(b"\n")
        except asyncio.LimitOverrunError:
            raise BadFrame("the frame is too long") from None
        except asyncio.IncompleteReadError as error:
            if error.partial:
                logger.debug("A client of the pool left in the middle of a frame.")
            return None
        return decode(line)

    async def _send(self, frame: Frame) -> None:
        """Write a frame. Raises TimeoutError for a client that reads nothing, OSError for none."""
        if self._writer.is_closing():
            raise ConnectionResetError
        self._writer.write(encode(frame))
        if self._writer.transport.get_write_buffer_size() > OUTBOX_BYTES:
            async with asyncio.timeout(WRITE_TIMEOUT_S):
                await self._writer.drain()

    async def _close(self) -> None:
        tasks = list(self._subscriptions.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._writer.close()
        try:
            await asyncio.wait_for(self._writer.wait_closed(), 1.0)
        except (OSError, TimeoutError):
            self._writer.transport.abort()


def _error(number: int | None, error: PoolError) -> Frame:
    frame: Frame = {"type": "error", "id": number, "code": error.code, "text": error.text}
    if error.retry_after_s is not None:
        frame["retry_after_s"] = error.retry_after_s
    if error.num_waiting is not None:
        frame["num_waiting"] = error.num_waiting
    if error.reason:
        frame["reason"] = str(error.reason)
    return frame


def _result(number: int, result: ControlResult) -> Frame:
    return {"type": "ok", "id": number, "result": result.to_json()}
