"""The engine: a thread that owns the model and answers several requests at once, and a thread-safe
face."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from ai_model.engine.abort_flag import AbortFlag
from ai_model.engine.config import MAX_INSTANCES, EngineConfig
from ai_model.engine.decoder import Decoder
from ai_model.engine.errors import EngineNotReady, ModelLoadError, NoFreeInstance
from ai_model.engine.events import EngineEvent, Finished, FinishReason
from ai_model.engine.instance import Listener
from ai_model.engine.model_info import ModelInfo
from ai_model.engine.request import EngineRequest
from ai_model.engine.snapshot import EngineSnapshot, EngineState, StepRecord
from ai_model.prompt import Tokenizer

logger = logging.getLogger(__name__)

_IDLE_BEAT_S = 1.0
"""How long the thread sleeps at most without showing a heartbeat."""


class Engine:
    """One model, loaded once, and ``num_instances`` conversations answered together (continuous
    batching).

    All methods are thread-safe. Listeners are called on the engine's thread and must return at
    once; ``on_state`` likewise. The engine has no queue: submit() raises NoFreeInstance when every
    instance is taken.
    """

    def __init__(
        self, config: EngineConfig, on_state: Callable[[EngineState], None] = lambda state: None
    ) -> None:
        self.config = config
        self._on_state = on_state
        self._state = EngineState.LOADING
        self._failure = ""
        self._decoder: Decoder | None = None
        self._model: ModelInfo | None = None
        self._n_ctx = config.n_ctx
        self._next_config: EngineConfig | None = None
        self._is_woken = False
        self._idle_since: float | None = None
        self._abort_flag = AbortFlag()
        self._wakeup = threading.Condition()
        self._arrivals: deque[tuple[EngineRequest, Listener]] = deque()
        self._late: deque[tuple[EngineRequest, Listener]] = deque()
        self._cancels: deque[str] = deque()
        self._taken: set[str] = set()
        self._warming: dict[str, str] = {}
        """The conversations of the warm-ups, by their ids."""
        self._num_instances = config.num_instances
        self._parked_bytes = config.parked_bytes
        self._is_closing = False
        self._beat = time.monotonic()
        self._thread = threading.Thread(target=self._live, name="corral-engine", daemon=True)

    def start(self) -> None:
        """Begin loading the model on the engine's own thread; returns at once. Call it once."""
        self._thread.start()

    @property
    def state(self) -> EngineState:
        """Where in its life the engine is."""
        return self._state

    @property
    def tokenizer(self) -> Tokenizer:
        """The model's tokenizer. Raises EngineNotReady before the model is loaded."""
        if self._decoder is None or self._state is not EngineState.READY:
            raise EngineNotReady(self._failure or f"the engine is {self._state}")
        return self._decoder.model

    @property
    def n_ctx(self) -> int:
        """Context of one instance in tokens, as the loaded model allows it."""
        return self._n_ctx

    @property
    def num_free(self) -> int:
        """Instances that can take a request now."""
        with self._wakeup:
            return max(0, self._num_instances - len(self._taken))

    def submit(self, request: EngineRequest, listener: Listener) -> None:
        """Begin to answer ``request``; its events go to ``listener``, ending with exactly one
        Finished.

        Raises EngineNotReady, NoFreeInstance, and ValueError for a prompt that leaves no room for
        an answer or a known id.
        """
        with self._wakeup:
            if self._state is not EngineState.READY or self._is_closing:
                raise EngineNotReady(self._failure or f"the engine is {self._state}")
            if request.id in self._taken or request.id in self._warming:
                raise ValueError(f"request {request.id} is being answered already")
            length = len(request.prompt.tokens) + len(request.produced)
            if not 0 < length < self.n_ctx:
                raise ValueError(f"a prompt of {length} tokens does not fit into {self.n_ctx}")
            num_seats = self._num_instances - (len(self._warming) if request.is_warm_up else 0)
            if len(self._taken) >= num_seats:
                raise NoFreeInstance(f"all {self._num_instances} instances are taken")
            if request.is_warm_up:
                self._warming[request.id] = request.conversation
            else:
                self._taken.add(request.id)
                # What is read in idle time gives way at once, unless this is what it is read for.
                idle_work = set(self._warming.values())
                if self._decoder is not None:
                    idle_work |= self._decoder.reads_ahead_for
                if idle_work - {request.conversation}:
                    self._abort_flag.set()
            self._arrivals.append((request, self._releasing(request.id, listener)))
            self._wakeup.notify()

    def cancel(self, request_id: str) -> None:
        """End an answer where it is, within the running step. Idempotent; Finished follows."""
        with self._wakeup:
            if request_id not in self._taken and request_id not in self._warming:
                return
            self._cancels.append(request_id)
            if self._decoder is not None and not self._decoder.is_swift:
                self._abort_flag.set()
            self._wakeup.notify()

    def resize(self, num_instances: int) -> None:
        """Change the number of instances while answers are running; takes effect between two steps.

        Shrinking waits until no more than ``num_instances`` are busy. When memory does not suffice
        to grow, the size stays and the log says so. Raises ValueError for less than one.
        """
        if not 1 <= num_instances <= MAX_INSTANCES:
            raise ValueError(f"an engine has 1 to {MAX_INSTANCES} instances, not {num_instances}")
        with self._wakeup:
            self._num_instances = num_instances
            self._wakeup.notify()

    def limit_parking(self, max_bytes: int) -> None:
        """Keep at most ``max_bytes`` of parked conversations, those used last, until told
        otherwise; takes effect between two steps. Raises ValueError for less than nothing."""
        if max_bytes < 0:
            raise ValueError(f"parked conversations take 0 bytes or more, not {max_bytes}")
        with self._wakeup:
            self._parked_bytes = max_bytes
            self._wakeup.notify()

    def switch_model(self, config: EngineConfig) -> None:
        """Answer with another model, as soon as the running answers have finished.

        Until then nothing new is accepted (state LOADING). When the new model cannot be loaded, the
        old one stays in use and the snapshot's ``failure`` says why. Raises EngineNotReady.
        """
        with self._wakeup:
            if self._state is not EngineState.READY or self._is_closing:
                raise EngineNotReady(self._failure or f"the engine is {self._state}")
            self._next_config = config
            self._wakeup.notify()
        self._enter(EngineState.LOADING)

    def wake(self) -> None:
        """Load the model again if the engine sleeps; returns at once."""
        with self._wakeup:
            self._is_woken = True
            self._wakeup.notify()

    def snapshot(self) -> EngineSnapshot:
        """Return how the engine is doing; never waits for decoding."""
        decoder = self._decoder
        now = time.monotonic()
        model = self._model
        kv_bytes = model.kv_bytes_per_token if model is not None else 0
        return EngineSnapshot(
            state=self._state,
            failure=self._failure,
            model=model,
            n_ctx=self.n_ctx,
            instances=tuple(
                instance.snapshot(kv_bytes_per_token=kv_bytes, now=now)
                for instance in (decoder.instances if decoder is not None else ())
            ),
            heartbeat_age_s=now - self._beat,
            decode_tok_s=decoder.decode_speed.tok_s if decoder is not None else 0.0,
            prefill_tok_s=decoder.prefill_speed.tok_s if decoder is not None else 0.0,
            parked_bytes=decoder.parked_bytes if decoder is not None else 0,
            step_cost=decoder.step_cost if decoder is not None else None,
            mapped_file=decoder.model.mapped_file if decoder is not None else None,
        )

    def recent_steps(self) -> tuple[StepRecord, ...]:
        """Return what the last steps evaluated and how long they took, oldest first."""
        decoder = self._decoder
        return tuple(decoder.steps.copy()) if decoder is not None else ()

    def close(self, timeout_s: float = 10.0) -> None:
        """End all answers, give the memory back and end the thread. Idempotent.

        Waits at most ``timeout_s`` seconds and logs an error when the thread does not end.
        """
        with self._wakeup:
            self._is_closing = True
            self._abort_flag.set()
            self._wakeup.notify()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout_s)
            if self._thread.is_alive():
                logger.error("The engine's thread did not end within %.0f s.", timeout_s)

    def _releasing(self, request_id: str, listener: Listener) -> Listener:
        """Wrap a listener so that the instance is free by the time Finished is told."""

        def deliver(event: EngineEvent) -> None:
            if isinstance(event, Finished):
                with self._wakeup:
                    self._taken.discard(request_id)
                    self._warming.pop(request_id, None)
            try:
                listener(event)
            except Exception:
                logger.exception("A listener of the engine failed.")

        return deliver

    def _live(self) -> None:
        decoder = self._load(self.config)
        try:
            while decoder is not None and not self._is_closing:
                self._turn(decoder)
                if self._next_config is not None and decoder.num_busy == 0:
                    decoder = self._switch(decoder, self._next_config)
                elif self._is_tired():
                    decoder = self._sleep(decoder)
        except Exception:
            logger.exception("The engine stopped.")
            self._enter(EngineState.FAILED, "The engine stopped after an error; see the log.")
            if decoder is not None:
                decoder.fail_all(self._failure)
        finally:
            self._refuse_arrivals()
            if decoder is not None:
                decoder.close()
            if self._state is not EngineState.FAILED:
                self._enter(EngineState.CLOSED)

    def _load(self, config: EngineConfig) -> Decoder | None:
        """Return a decoder for ``config`` and use it, or None with the state FAILED."""
        started = time.monotonic()
        try:
            decoder = Decoder(config, self._abort_flag)
        except (ModelLoadError, OSError) as error:
            self._enter(EngineState.FAILED, str(error))
            return None
        except Exception:
            logger.exception("The model could not be loaded.")
            self._enter(EngineState.FAILED, "The model could not be loaded; see the log.")
            return None
        logger.info(
            "Loaded %s (%s) in %.1f s: %d instances of %d tokens, %d threads.",
            decoder.model.info.name,
            decoder.model.info.quant,
            time.monotonic() - started,
            config.num_instances,
            decoder.n_ctx,
            config.num_threads,
        )
        self._use(decoder)
        return decoder

    def _use(self, decoder: Decoder, failure: str = "") -> None:
        self.config = decoder.config
        self._model = decoder.model.info
        self._n_ctx = decoder.n_ctx
        self._idle_since = None
        self._decoder = decoder
        self._beat = time.monotonic()
        self._enter(EngineState.READY, failure)

    def _switch(self, old: Decoder, config: EngineConfig) -> Decoder:
        """Return a decoder for the new model, or the old one when that cannot be loaded."""
        self._next_config = None
        try:
            new = Decoder(config, self._abort_flag)
        except (ModelLoadError, OSError) as error:
            self._use(old, f"{old.model.info.name} stays in use: {error}")
            return old
        self._use(new)
        old.close()
        logger.info("Switched to %s (%s).", new.model.info.name, new.model.info.quant)
        return new

    def _is_tired(self) -> bool:
        """Whether nobody has asked anything for so long that the model may be given back."""
        patience_s = self.config.idle_sleep_s
        if not patience_s or self._idle_since is None:
            return False
        return time.monotonic() - self._idle_since >= patience_s

    def _sleep(self, decoder: Decoder) -> Decoder | None:
        """Give the model back until somebody needs it; returns a decoder loaded again."""
        with self._wakeup:
            if self._arrivals or self._next_config:
                return decoder
            self._is_woken = False
            self._state = EngineState.SLEEPING
            self._decoder = None
        decoder.close()
        logger.info("Nobody asked for %.0f s; the model sleeps.", self.config.idle_sleep_s)
        self._enter(EngineState.SLEEPING)
        with self._wakeup:
            while not (self._is_woken or self._is_closing):
                self._beat = time.monotonic()
                self._wakeup.wait(_IDLE_BEAT_S)
        if self._is_closing:
            return None
        self._enter(EngineState.LOADING)
        # Perhaps there is room for fewer by now.
        return self._load(replace(self.config, num_instances=self._num_instances))

    def _turn(self, decoder: Decoder) -> None:
        """Take what arrived, run a step, and sleep when there is nothing to do yet."""
        with self._wakeup:
            if not self._is_closing:
                # Cleared before the inbox is read: a cancel from now on stops the coming step.
                self._abort_flag.clear()
            cancels, arrivals = list(self._cancels), [*self._late, *self._arrivals]
            self._cancels.clear()
            self._arrivals.clear()
            self._late.clear()
            decoder.expect_step()
        for request_id in cancels:
            decoder.cancel(request_id)
        decoder.limit_parking(self._parked_bytes)
        self._fit_size(decoder)
        for request, listener in arrivals:
            if decoder.has_room:
                decoder.start(request, listener)
            elif request.id in cancels:
                listener(Finished(request_id=request.id, reason=FinishReason.CANCELLED))
            else:  # the pool shrank after it was accepted
                self._late.append((request, listener))
        for request_id in cancels:
            decoder.cancel(request_id)
        self._beat = time.monotonic()
        pause = decoder.step()
        self._beat = time.monotonic()
        if pause is not None:
            self._idle_since = None
        elif self._idle_since is None:
            self._idle_since = self._beat
        if pause == 0.0:
            return
        with self._wakeup:
            must_switch = self._next_config is not None and decoder.num_busy == 0
            if not (self._arrivals or self._cancels or must_switch or self._is_closing):
                self._wakeup.wait(_IDLE_BEAT_S if pause is None else min(pause, _IDLE_BEAT_S))

    def _fit_size(self, decoder: Decoder) -> None:
        """Give the decoder as many instances as asked for, as soon as that is possible."""
        wanted = self._num_instances
        if wanted == len(decoder.instances) or decoder.num_busy > wanted:
            return
        try:
            decoder.resize(wanted)
        except ModelLoadError as error:
            logger.error("The pool stays at %d instances: %s", len(decoder.instances), error)
            with self._wakeup:
                self._num_instances = len(decoder.instances)

    def _refuse_arrivals(self) -> None:
        """Give those who arrived too late their Finished."""
        while self._late or self._arrivals:
            request, listener = (self._late or self._arrivals).popleft()
            listener(
                Finished(
                    request_id=request.id,
                    reason=FinishReason.FAILED,
                    error=self._failure or "the engine was closed",
                )
            )

    def _enter(self, state: EngineState, failure: str = "") -> None:
        with self._wakeup:
            self._state = state
            self._failure = failure
        if failure:
            logger.error("%s", failure)
        try:
            self._on_state(state)
        except Exception:
            logger.exception("A state listener of the engine failed.")
