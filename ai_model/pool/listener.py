"""What the engine tells about answers, written down for their followers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ai_model.engine.events import Delta, EngineEvent, Finished, FinishReason, Progress, Started
from ai_model.pool.endings import Endings
from ai_model.pool.engine_link import EngineLink
from ai_model.pool.generation import Generation
from ai_model.pool.latencies import Latency
from ai_model.pool.register import Register
from ai_model.pool.timers import Timers


class Listener:
    """Takes the events of one engine. Lives on the pool's loop.

    ``on_freed`` is called when an instance is free again.
    """

    def __init__(
        self,
        *,
        register: Register,
        endings: Endings,
        engine: EngineLink,
        timers: Timers,
        on_freed: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        self.progress_at = clock()
        """When the engine last showed progress on anything, in monotonic seconds."""
        self._register = register
        self._endings = endings
        self._engine = engine
        self._timers = timers
        self._on_freed = on_freed
        self._clock = clock

    def take(self, generation_id: str, event: EngineEvent) -> None:
        """Take one event; those of generations without an instance are old news."""
        now = self.progress_at = self._clock()
        generation = self._register.held.get(generation_id)
        if generation is None:
            return
        if isinstance(event, Finished):
            self._register.release(generation, now)
            if generation.instance_at is not None and event.reason is not FinishReason.FAILED:
                self._register.estimator.record_run(
                    now - generation.instance_at,
                    max(0, event.num_completion_tokens - len(generation.produced)),
                    num_running=len(self._register.held) + 1,
                    prefill_s=event.prefill_s,
                )
            self._time_engine(event)
            self._endings.take_end(generation, event)
            self._on_freed()
        elif generation.is_ended:
            return
        elif isinstance(event, Delta):
            self._take_delta(generation, event, now)
        elif isinstance(event, Started):
            # Only now is it sure that it will not be given back to the line.
            left_at = now if generation.instance_at is None else generation.instance_at
            self._register.statistics.add_wait(left_at - generation.submitted_at, now)
            self._register.learn(self._register.wait_record.arrive(generation.id, left_at))
            generation.start(event, self._engine.model_label)
        elif isinstance(event, Progress):
            generation.progress(event)

    def _take_delta(self, generation: Generation, event: Delta, now: float) -> None:
        is_first, last_at = generation.first_text_at is None, generation.last_token_at
        due_in_s = generation.add(event, now)
        if is_first and generation.first_text_at is not None:
            self._register.statistics.add_ttft(now - generation.submitted_at, now)
        if last_at is not None and event.tokens:
            num_tokens = len(event.tokens)
            statistics = self._register.statistics
            statistics.latencies.add(Latency.INTER_TOKEN, (now - last_at) / num_tokens, num_tokens)
            statistics.writing.add(num_tokens, now - last_at, now)
        if due_in_s is None:
            self._timers.drop(generation.id)
        else:
            self._timers.arm(generation.id, due_in_s, partial(self._flush, generation))

    def _time_engine(self, event: Finished) -> None:
        """Note how long the engine itself worked on an answer, as far as it came."""
        latencies = self._register.statistics.latencies
        if event.prefill_s > 0:
            latencies.add(Latency.PREFILL, event.prefill_s)
        if event.decode_s > 0:
            latencies.add(Latency.DECODE, event.decode_s)

    def _flush(self, generation: Generation) -> None:
        generation.flush(self._clock())
