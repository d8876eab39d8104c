"""A stand-in for the engine: same methods, scripted answers, no llama.cpp.

By hand: ``engine.step()`` delivers the next token of every running request. By itself:
``FakeEngine(..., pace_s=0.001)`` answers from a small thread. ``factory(...)`` makes what
PoolThread and Pool take as ``engine_factory``, and remembers the engine it made.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from ai_model.engine.config import EngineConfig
from ai_model.engine.errors import EngineNotReady, NoFreeInstance
from ai_model.engine.events import Delta, EngineEvent, Finished, FinishReason, Progress, Started
from ai_model.engine.request import EngineRequest
from ai_model.engine.snapshot import EngineState

DEFAULT_SCRIPT = ("The ", "pool ", "answers ", "you.")

Listener = Callable[[EngineEvent], None]


class FakeTokenizer:
    """One token per character."""

    bos = 1
    end_of_turn = 2

    def tokenize(self, text: str) -> list[int]:
        """Return a token per character."""
        return [3 + ord(character) for character in text]

    def recall(self, text: str) -> tuple[int, ...] | None:
        """Remember nothing."""
        return None


@dataclass
class Running:
    """One request the fake engine answers."""

    request: EngineRequest
    listener: Listener
    script: tuple[str, ...]
    instance: int
    done: int = 0
    """Pieces of the script that were delivered, here or earlier."""
    num_tokens: int = 0
    since: float = field(default_factory=time.monotonic)


class FakeEngine:
    """Answers with scripts. The token with id 100 + n stands for the n-th piece of the script."""

    def __init__(
        self,
        config: EngineConfig,
        on_state: Callable[[EngineState], None] = lambda state: None,
        *,
        pace_s: float | None = None,
        is_loading: bool = False,
        script: Sequence[str] = DEFAULT_SCRIPT,
    ) -> None:
        self.config = config
        self.tokenizer = FakeTokenizer()
        self.requests: list[EngineRequest] = []
        self.warm_ups: list[EngineRequest] = []
        self.sizes: list[int] = []
        """What resize() was called with."""
        self.parked_limits: list[int] = []
        """What limit_parking() was called with."""
        self.step_cost: Any = None
        self.kv_bytes_per_token = 10
        self.num_instances = config.num_instances
        self.max_size = 128
        """More instances than this do not fit into memory."""
        self.is_next_model_bad = False
        self.model_name = "Fake Model"
        self.cancelled: list[str] = []
        self.ignores_cancel = False
        self.is_deaf = False
        """Refuse every submission, as an engine does that is still busy with its last answer."""
        self.heartbeat_age_s = 0.0
        self.prefill_tok_s = 100.0
        self.failure = ""
        self.state = EngineState.LOADING
        self._on_state = on_state
        self._pace_s = pace_s
        self._is_loading = is_loading
        self._default_script = tuple(script)
        self._scripts: list[tuple[str, ...]] = []
        self._running: dict[str, Running] = {}
        self._warming: dict[str, Listener] = {}
        self._next_config: EngineConfig | None = None
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    # What a test does.

    def enqueue(self, *pieces: str) -> None:
        """Let the next request be answered with these pieces, one token each."""
        self._scripts.append(pieces)

    def become_ready(self) -> None:
        """Finish loading."""
        self._enter(EngineState.READY)

    def fail(self, sentence: str) -> None:
        """Fail to load, or break down later."""
        self.failure = sentence
        self._enter(EngineState.FAILED)
        with self._lock:
            for running in list(self._running.values()):
                self._finish(running, FinishReason.FAILED, sentence)

    def step(self, num_tokens: int = 1) -> None:
        """Deliver the next tokens of everything that runs; an answer behind its script ends."""
        for _ in range(num_tokens):
            with self._lock:
                for running in list(self._running.values()):
                    self._step_one(running)

    def finish_all(self) -> None:
        """Deliver everything that is left."""
        while self._running:
            self.step()

    def tell(self, event: EngineEvent) -> None:
        """Deliver an event as it is."""
        with self._lock:
            self._running[event.request_id].listener(event)

    def release(self, request_id: str) -> None:
        """Carry out a cancel that was ignored."""
        with self._lock:
            if request_id in self._running:
                self._finish(self._running[request_id], FinishReason.CANCELLED)

    def finish_warm_ups(self) -> None:
        """Let what is read in idle time be read."""
        with self._lock:
            for request_id, listener in list(self._warming.items()):
                del self._warming[request_id]
                listener(Finished(request_id=request_id, reason=FinishReason.STOP))

    @property
    def running_ids(self) -> list[str]:
        """Requests that hold an instance."""
        with self._lock:
            return list(self._running)

    # What the pool does.

    def start(self) -> None:
        """Load, unless told to wait; answer by itself when there is a pace."""
        if not self._is_loading:
            self.become_ready()
        if self._pace_s is not None:
            self._thread = threading.Thread(target=self._pace, name="fake-engine", daemon=True)
            self._thread.start()

    def submit(self, request: EngineRequest, listener: Listener) -> None:
        """Begin an answer."""
        with self._lock:
            if self.state is not EngineState.READY:
                raise EngineNotReady(self.failure or "loading")
            if self.is_deaf or self.num_free <= (len(self._warming) if request.is_warm_up else 0):
                raise NoFreeInstance
            if request.is_warm_up:
                self.warm_ups.append(request)
                self._warming[request.id] = listener
                return
            script = self._scripts.pop(0) if self._scripts else self._default_script
            taken = {running.instance for running in self._running.values()}
            instance = next(i for i in range(self.num_instances) if i not in taken)
            script, done = _behind(script, request)
            num_tokens = len(request.produced)
            running = Running(request, listener, script, instance, done, num_tokens)
            self.requests.append(request)
            self._running[request.id] = running
            num_prompt = len(request.prompt.tokens)
            listener(
                Started(
                    request_id=request.id,
                    instance=instance,
                    num_prompt_tokens=num_prompt,
                    num_cached_tokens=0,
                )
            )
            listener(
                Progress(
                    request_id=request.id, num_done=num_prompt, num_total=num_prompt, num_cached=0
                )
            )

    def cancel(self, request_id: str) -> None:
        """End an answer."""
        with self._lock:
            self.cancelled.append(request_id)
            if not self.ignores_cancel and request_id in self._running:
                self._finish(self._running[request_id], FinishReason.CANCELLED)

    @property
    def num_free(self) -> int:
        """Instances without a request."""
        with self._lock:
            return self.num_instances - len(self._running)

    def resize(self, num_instances: int) -> None:
        """Change the number of instances, as far as there is memory."""
        with self._lock:
            self.sizes.append(num_instances)
            self.num_instances = min(num_instances, self.max_size)

    def limit_parking(self, max_bytes: int) -> None:
        """Note what conversations without an instance may take."""
        self.parked_limits.append(max_bytes)

    def switch_model(self, config: EngineConfig) -> None:
        """Load another model once nothing runs."""
        with self._lock:
            if self.state is not EngineState.READY:
                raise EngineNotReady(self.failure or "loading")
            self._next_config = config
            self._enter(EngineState.LOADING)
            self._switch()

    def snapshot(self) -> Any:
        """Return something shaped like an EngineSnapshot."""
        is_loaded = self.state is EngineState.READY
        model = SimpleNamespace(
            name=self.model_name,
            quant="F0",
            n_ctx_train=self.config.n_ctx,
            num_parameters=1000,
            size_bytes=1000,
            kv_bytes_per_token=self.kv_bytes_per_token,
            is_demo=True,
        )
        with self._lock:
            instances = tuple(
                SimpleNamespace(
                    index=running.instance,
                    state="decode",
                    request_id=running.request.id,
                    conversation=running.request.conversation,
                    num_prompt=len(running.request.prompt.tokens),
                    num_prompt_done=len(running.request.prompt.tokens),
                    num_generated=running.done,
                    tok_s=1.0,
                    num_kv_tokens=running.done,
                    kv_bytes=10 * running.done,
                    since_s=time.monotonic() - running.since,
                )
                for running in self._running.values()
            ) + tuple(
                SimpleNamespace(
                    index=index,
                    state="idle",
                    request_id="",
                    conversation="",
                    num_prompt=0,
                    num_prompt_done=0,
                    num_generated=0,
                    tok_s=0.0,
                    num_kv_tokens=0,
                    kv_bytes=0,
                    since_s=0.0,
                )
                for index in range(self.num_instances)
                if index not in {running.instance for running in self._running.values()}
            )
        return SimpleNamespace(
            state=self.state,
            failure=self.failure,
            model=model if is_loaded else None,
            n_ctx=self.config.n_ctx,
            instances=instances,
            heartbeat_age_s=self.heartbeat_age_s,
            decode_tok_s=10.0,
            prefill_tok_s=self.prefill_tok_s,
            parked_bytes=0,
            step_cost=self.step_cost,
            mapped_file=self.config.model_path if is_loaded else None,
        )

    def close(self, timeout_s: float = 10.0) -> None:
        """End everything."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(timeout_s)
        with self._lock:
            for running in list(self._running.values()):
                self._finish(running, FinishReason.FAILED, "the engine was closed")
        if self.state is EngineState.READY:
            self._enter(EngineState.CLOSED)

    def _pace(self) -> None:
        while not self._closing.wait(self._pace_s):
            self.step()

    def _step_one(self, running: Running) -> None:
        max_tokens = running.request.sampling.max_tokens
        if running.done >= len(running.script):
            self._finish(running, FinishReason.STOP)
            return
        text = running.script[running.done]
        token = 100 + running.done
        running.done += 1
        running.num_tokens += 1
        running.listener(Delta(request_id=running.request.id, tokens=(token,), text=text))
        if running.num_tokens >= max_tokens:
            self._finish(running, FinishReason.LENGTH)

    def _finish(self, running: Running, reason: FinishReason, error: str = "") -> None:
        del self._running[running.request.id]
        running.listener(
            Finished(
                request_id=running.request.id,
                reason=reason,
                error=error,
                num_prompt_tokens=len(running.request.prompt.tokens),
                num_completion_tokens=running.num_tokens,
            )
        )
        self._switch()

    def _switch(self) -> None:
        """Take the next model when there is one and nothing runs."""
        if self._next_config is None or self._running:
            return
        config, self._next_config = self._next_config, None
        if self.is_next_model_bad:
            self.failure = f"{self.model_name} stays in use: {config.model_path.name} is bad."
        else:
            self.failure = ""
            self.config = config
            self.num_instances = config.num_instances
            self.model_name = config.model_path.stem
        self._enter(EngineState.READY)

    def _enter(self, state: EngineState) -> None:
        self.state = state
        self._on_state(state)


def _behind(script: tuple[str, ...], request: EngineRequest) -> tuple[tuple[str, ...], int]:
    """Return a script and how many of its pieces the answer has already."""
    shown = request.produced_text
    if not shown or "".join(script[: len(request.produced)]) == shown:
        return script, len(request.produced)
    done = 0
    while done < len(script) and shown.startswith(script[done]):
        shown = shown[len(script[done]) :]
        done += 1
    if done == len(script):
        return script, done
    # It may have ended within a piece.
    return (*script[:done], script[done].removeprefix(shown), *script[done + 1 :]), done


class Factory:
    """Makes one fake engine with the given options, and gives it to the test as ``engine``."""

    def __init__(self, **options: Any) -> None:
        self._options = options
        self._made = threading.Event()
        self._engine: FakeEngine | None = None

    def __call__(self, config: EngineConfig, on_state: Callable[[EngineState], None]) -> FakeEngine:
        self._engine = FakeEngine(config, on_state, **self._options)
        self._made.set()
        return self._engine

    @property
    def is_made(self) -> bool:
        """Whether there is an engine."""
        return self._made.is_set()

    @property
    def engine(self) -> FakeEngine:
        """The engine; waits a moment for it to be made."""
        assert self._made.wait(5), "the pool has made no engine"
        assert self._engine is not None
        return self._engine


def factory(**options: Any) -> Factory:
    """Return an engine factory for Pool and PoolThread; options as for FakeEngine."""
    return Factory(**options)
