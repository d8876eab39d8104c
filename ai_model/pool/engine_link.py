"""The pool's line to its engine: makes it, hands its events to the loop, makes prompts aside."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

from ai_model.engine.config import EngineConfig
from ai_model.engine.errors import EngineNotReady
from ai_model.engine.events import EngineEvent
from ai_model.engine.request import EngineRequest
from ai_model.engine.snapshot import EngineSnapshot, EngineState
from ai_model.model_file import BadModelFile, ModelFileInfo, inspect
from ai_model.pool.config import PoolConfig
from ai_model.pool.economy import NORMAL
from ai_model.pool.engine_port import EngineFactory, EnginePort
from ai_model.pool.opening import Opening, make_opening
from ai_model.pool.request import PoolRequest
from ai_model.prompt import count_tokens

logger = logging.getLogger(__name__)

MESSAGES_PER_EXCHANGE = 2


class EngineLink:
    """One engine, seen from the event loop. All callbacks come on the loop.

    ``on_ready`` is called once the model is loaded, ``on_lost`` with a sentence when loading fails
    or the engine ends later, and ``on_event`` with a request id for everything the engine tells.
    """

    def __init__(
        self,
        config: PoolConfig,
        factory: EngineFactory,
        *,
        on_ready: Callable[[], None],
        on_lost: Callable[[str], None],
        on_event: Callable[[str, EngineEvent], None],
    ) -> None:
        self.is_ready = False
        self.is_asleep = False
        """The engine gave the model back for want of requests; wake() brings it back."""
        self.n_ctx = self._usual_n_ctx = config.n_ctx
        self.model_label = ""
        self.economy = NORMAL
        """What answers do without for want of memory, from their beginning on."""
        self.why_not_switch: Callable[[ModelFileInfo, int], str] = lambda info, num_instances: ""
        """Asked before a switch: why there is no room for so many instances of another model."""
        self._config = config
        self._factory = factory
        self._on_ready = on_ready
        self._on_lost = on_lost
        self._on_event = on_event
        self._loop: asyncio.AbstractEventLoop
        self._engine: EnginePort | None = None
        self._parked_bytes = config.parked_bytes
        self._num_models = 0
        """Counts switches: a prompt made of one model's tokens is nonsense to another."""
        self._switch: asyncio.Future[str] | None = None
        self._is_closed = False
        self._counting = asyncio.Lock()
        # Importing llama.cpp and tokenising take long enough to be felt by everybody on the loop.
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="corral-prompt")

    async def start(self, num_instances: int) -> None:
        """Make the engine and let it load; returns when loading has begun."""
        self._loop = asyncio.get_running_loop()
        tell_state = partial(self._from_engine, self._take_state)
        make = partial(self._factory, self._engine_config(num_instances), tell_state)
        try:
            engine = await self._loop.run_in_executor(self._executor, make)
        except Exception as error:
            logger.exception("The engine cannot be made.")
            self._on_lost(f"The engine cannot be started: {error}")
            return
        self._engine = engine
        engine.limit_parking(self._parked_bytes)
        engine.start()

    def use(self, config: PoolConfig) -> None:
        """Keep these limits for answers that begin from now on."""
        self._config = config

    def _answer_room(self, request: PoolRequest) -> int:
        """Return the tokens an answer may have; half of the context stays for the prompt."""
        return min(request.sampling.max_tokens, self._config.max_tokens, self._context // 2)

    async def make_opening(self, request: PoolRequest) -> Opening:
        """Return how the answer begins. Raises PromptTooLong, ValueError, EngineNotReady."""
        num_models = self._num_models
        opening = await self._loop.run_in_executor(self._executor, self._open, request)
        if num_models != self._num_models:
            raise EngineNotReady("the model was switched meanwhile")
        return opening

    async def count_tokens(self, text: str) -> int:
        """Return how many tokens a text takes in a prompt. Raises EngineNotReady, ValueError."""
        # One at a time: a prompt that somebody waits for never stands behind more than one.
        async with self._counting:
            if not self.is_ready:
                raise EngineNotReady("it is loading, or sleeps")
            return await self._loop.run_in_executor(self._executor, self._count, text)

    def submit(
        self,
        request: PoolRequest,
        opening: Opening,
        *,
        on_warm_up: Callable[[EngineEvent], None] | None = None,
    ) -> None:
        """Begin the answer, or only read the prompt in idle time and tell ``on_warm_up``.

        Raises NoFreeInstance, EngineNotReady, ValueError.
        """
        self._port().submit(
            EngineRequest(
                id=request.generation,
                conversation=request.conversation,
                visitor=request.visitor,
                prompt=opening.prompt,
                sampling=replace(
                    request.sampling,
                    max_tokens=opening.max_tokens,
                    repeat_last_n=self._config.repeat_last_n,
                ),
                produced=opening.produced,
                produced_text=request.produced_text,
                is_warm_up=on_warm_up is not None,
            ),
            partial(self._from_engine, on_warm_up or partial(self._on_event, request.generation)),
        )

    def cancel(self, generation: str) -> None:
        """End an answer; its Finished follows. Idempotent."""
        if self._engine is not None:
            self._engine.cancel(generation)

    def resize(self, num_instances: int) -> None:
        """Have another number of instances a moment later; running answers go on."""
        self._port().resize(num_instances)

    def limit_parking(self, max_bytes: int) -> None:
        """Keep at most so many bytes of conversations without an instance, a moment later."""
        self._parked_bytes = max_bytes
        if self._engine is not None:
            self._engine.limit_parking(max_bytes)

    async def switch_model(self, path: Path, num_instances: int, limit_s: float) -> str:
        """Answer with the model in ``path`` as soon as what runs has finished.

        Returns an empty text once it is in use, else a sentence that says why not: then the old
        model stays in use, or the new one comes later than in ``limit_s`` seconds.
        """
        if self._switch is not None:
            return "Another model is being loaded already; try again when that is done."
        if self.is_asleep:
            return "The model sleeps; ask something to wake it, then try again."
        if not self.is_ready:
            return "The model in use is still loading; try again when the pool is ready."
        switch = self._switch = self._loop.create_future()
        try:
            # A file with a flaw is found here within a moment, while everybody is answered.
            info = await self._loop.run_in_executor(self._executor, inspect, path)
            if why := self.why_not_switch(info, num_instances):
                self._switch = None
                return why
            config = replace(self._engine_config(num_instances), model_path=path)
            self._port().switch_model(config)
        except (BadModelFile, EngineNotReady, ValueError) as error:
            self._switch = None
            return str(error)
        except asyncio.CancelledError:
            self._switch = None
            raise
        self._num_models += 1
        self.is_ready = False
        try:
            return await asyncio.wait_for(switch, limit_s)
        except TimeoutError:
            return f"Answers still run after {limit_s:.0f} s; the new model follows them."

    def wake(self) -> None:
        """Load the model again if the engine sleeps."""
        if self._engine is not None and self.is_asleep:
            self._engine.wake()

    @property
    def is_begun(self) -> bool:
        """Whether there is an engine, loaded or not."""
        return self._engine is not None

    def mapped_files(self) -> tuple[Path, ...]:
        """Return the model files whose pages are in use as weights."""
        snapshot = self.snapshot()
        mapped = None if snapshot is None else snapshot.mapped_file
        return () if mapped is None else (mapped,)

    def snapshot(self) -> EngineSnapshot | None:
        """Return how the engine is doing, None before there is one."""
        return None if self._engine is None else self._engine.snapshot()

    async def close(self, timeout_s: float) -> None:
        """End the engine, waiting at most ``timeout_s`` seconds, and the thread for prompts."""
        self._loop = asyncio.get_running_loop()  # it may never have been started
        self._is_closed = True
        self.is_ready = False
        self._end_switch("The pool was closed.")
        if self._engine is not None:
            end = partial(self._engine.close, timeout_s=timeout_s)
            await self._loop.run_in_executor(self._executor, end)
        is_idle = await self._is_executor_idle(timeout_s)
        # An idle thread is gone at once; one that still makes an engine would hold up the loop.
        self._executor.shutdown(wait=is_idle, cancel_futures=True)

    async def _is_executor_idle(self, timeout_s: float) -> bool:
        """Wait until the thread has done what it was given; False when that takes too long."""
        try:
            nothing = self._loop.run_in_executor(self._executor, _do_nothing)
            await asyncio.wait_for(nothing, timeout_s)
        except TimeoutError:
            logger.error("The thread for prompts did not end within %.0f s.", timeout_s)
            return False
        return True

    def _engine_config(self, num_instances: int) -> EngineConfig:
        # Memory is taken for the usual context, even if an operator has a shorter one just now.
        config = self._config.engine_config()
        return replace(config, num_instances=num_instances, n_ctx=self._usual_n_ctx)

    def _open(self, request: PoolRequest) -> Opening:
        economy, usual_tokens = self.economy, self._answer_room(request)
        max_tokens = min(usual_tokens, economy.max_tokens or usual_tokens)
        max_messages = self._config.max_messages
        if economy.max_exchanges is not None:
            max_messages = min(max_messages, MESSAGES_PER_EXCHANGE * economy.max_exchanges)
        opening = make_opening(
            request,
            tokenizer=self._port().tokenizer,
            n_ctx=self._context,
            max_tokens=max_tokens,
            max_messages=max_messages,
        )
        return replace(
            opening,
            is_capped=max_tokens < usual_tokens,
            has_short_memory=opening.prompt.num_dropped_turns > 0
            and (max_messages < self._config.max_messages or self._context < self.n_ctx),
        )

    @property
    def _context(self) -> int:
        """Tokens of a conversation the model sees; an operator may have fewer for a while."""
        return min(self.n_ctx, self._config.n_ctx)

    def _count(self, text: str) -> int:
        return count_tokens(text, self._port().tokenizer)

    def _port(self) -> EnginePort:
        if self._engine is None:
            raise EngineNotReady("the engine is loading")
        return self._engine

    def _from_engine(self, callback: Callable[..., None], *arguments: object) -> None:
        """Hand a call from the engine's thread to the loop; returns at once."""
        try:
            self._loop.call_soon_threadsafe(callback, *arguments)
        except RuntimeError:
            logger.debug("The engine spoke after the pool's loop had ended.")

    def _take_state(self, state: EngineState) -> None:
        snapshot = self.snapshot()
        if snapshot is None or self._is_closed:
            return
        self.is_asleep = state is EngineState.SLEEPING
        if state in (EngineState.LOADING, EngineState.SLEEPING):
            self.is_ready = False
        elif state is EngineState.READY:
            self.n_ctx = snapshot.n_ctx
            if snapshot.model is not None:
                self.model_label = f"{snapshot.model.name} {snapshot.model.quant}".strip()
            self.is_ready = True
            self._end_switch(snapshot.failure)
            self._on_ready()
        elif state in (EngineState.FAILED, EngineState.CLOSED):
            reason = snapshot.failure or "The engine was closed."
            self._end_switch(reason)
            self._on_lost(reason)

    def _end_switch(self, reason: str) -> None:
        """Tell who waits for another model; ``reason`` is empty when it is in use."""
        if self._switch is not None and not self._switch.done():
            self._switch.set_result(reason)
        self._switch = None


def _do_nothing() -> None:
    """Be the last work of a thread."""
