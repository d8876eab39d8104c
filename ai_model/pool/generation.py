"""One generation from submission to its last frame: a state machine that writes the event log."""

from __future__ import annotations

import hashlib
from enum import Enum, StrEnum, auto

from ai_model.engine.events import Delta, Finished, Progress, Started
from ai_model.pool.audience import Audience
from ai_model.pool.coalescer import Coalescer
from ai_model.pool.eta import Eta
from ai_model.pool.event_log import EventLog
from ai_model.pool.odds_frame import odds_to_json
from ai_model.pool.request import PoolRequest

NO_INSTANCE = -1
"""Instance named in gen.started of an answer that goes on in a new pool and waits for one."""


class GenerationState(Enum):
    """The life of a generation; it only ever moves downwards."""

    WAITING = auto()
    """In the line."""
    STARTING = auto()
    """An instance is reserved and the prompt is being made."""
    RUNNING = auto()
    """The engine has it."""
    ENDED = auto()


class DoneReason(StrEnum):
    """Why an answer is as long as it is."""

    STOP = "stop"
    LENGTH = "length"
    USER_STOP = "user_stop"
    DEADLINE = "deadline"
    SHUTDOWN = "shutdown"
    MEMORY = "memory"
    """Memory was about to run out."""


class Reduction(StrEnum):
    """What an answer had to do without because memory was short."""

    HISTORY = "history"
    """Earlier exchanges that the model would have seen."""
    LENGTH = "length"
    """Its end: it met a limit below the usual one."""
    ENDED = "ended"
    """Its end: it was ended to save the rest."""


class Outcome(StrEnum):
    """How a generation ended, for the books."""

    DONE = "done"
    LENGTH = "length"
    USER_STOP = "user_stop"
    DEADLINE = "deadline"
    CANCELLED = "cancelled"
    FAILED = "failed"
    EXPIRED = "expired"
    POOL_LOST = "pool_lost"


OUTCOME_OF_REASON = {
    DoneReason.STOP: Outcome.DONE,
    DoneReason.LENGTH: Outcome.LENGTH,
    DoneReason.USER_STOP: Outcome.USER_STOP,
    DoneReason.DEADLINE: Outcome.DEADLINE,
    DoneReason.SHUTDOWN: Outcome.CANCELLED,
    DoneReason.MEMORY: Outcome.FAILED,
}


class Generation:
    """One answer. All times are monotonic seconds given by the caller. Lives on one event loop."""

    def __init__(self, request: PoolRequest, log: EventLog, now: float) -> None:
        self.request = request
        self.log = log
        self.state = GenerationState.WAITING
        self.outcome: Outcome | None = None
        self.error_code = ""
        """Why it failed, once it has."""
        self.text = request.produced_text
        self.produced = request.produced
        """The tokens it goes on behind."""
        self.num_tokens = len(request.produced)
        self._is_text_logged = False
        self.submitted_at = now
        self.instance_at: float | None = None
        self.first_text_at: float | None = None
        self.first_token_at: float | None = None
        self.last_token_at: float | None = None
        self.num_prompt_tokens = 0
        self.num_cached_tokens = 0
        self.num_dropped_turns = 0
        self.is_capped = False
        """Whether it may have fewer tokens than usual, to save memory."""
        self.reduced: Reduction | None = None
        """What it did without because memory was short."""
        self.ending: DoneReason | None = None
        """Why the engine was told to end this answer, when it was."""
        self.passed_deadline: str | None = None
        """Which limit of time it had passed then."""
        self.audience = Audience(now)
        self._is_cancelled = False
        self._seen: int | None = None
        self._coalescer = Coalescer()
        self._shown_place: tuple[int, int, str] | None = None
        log.append("gen.created", dict(request.meta))
        if request.produced:
            self._log_started(instance=NO_INSTANCE, model="", waited_ms=0)
            self._log_produced()

    @property
    def id(self) -> str:
        """The generation's id."""
        return self.request.generation

    @property
    def is_ended(self) -> bool:
        """Whether the terminal frame is written."""
        return self.state is GenerationState.ENDED

    def show_place(self, position: int, size: int, eta: Eta | None, reason: str = "") -> None:
        """Tell the followers the place in line (1 = next of ``size``) when it has changed."""
        if not reason and self._shown_place is not None and position > self._shown_place[0]:
            # A place in line never gets worse without saying why.
            reason = "priority"
        place = (position, size, reason)
        if self.state is not GenerationState.WAITING or place == self._shown_place:
            return
        self._shown_place = place
        self.log.publish(
            "gen.queue",
            {
                "position": position,
                "size": size,
                "eta_s": None if eta is None else [round(eta.p50, 1), round(eta.p90, 1)],
                "basis": "none" if eta is None else "recent",
            }
            | ({"reason": reason} if reason else {}),
        )

    def take_instance(self, now: float) -> None:
        """Leave the line: an instance is reserved."""
        self._move(GenerationState.WAITING, GenerationState.STARTING)
        self.instance_at = now

    def give_instance_back(self) -> None:
        """Return to the line: the reserved instance was not free after all."""
        self._move(GenerationState.STARTING, GenerationState.WAITING)
        self.instance_at = None

    def start(self, event: Started, model: str) -> None:
        """The engine has begun to read the prompt."""
        self._move(GenerationState.STARTING, GenerationState.RUNNING)
        self.num_prompt_tokens = event.num_prompt_tokens
        self.num_cached_tokens = event.num_cached_tokens
        if self.request.produced:
            # It was announced before; this only says that an instance has it again.
            done, total = event.num_cached_tokens, event.num_prompt_tokens
            self._publish_reading(done, total, cached=done)
        else:
            self._log_started(event.instance, model, self._ms(self.submitted_at, self.instance_at))
            if self.produced:
                self.num_tokens = len(self.produced)
                self._log_produced()
        if self.num_dropped_turns:
            turns = self.num_dropped_turns
            self.log.append("gen.notice", {"code": "context_trimmed", "turns": turns})

    def progress(self, event: Progress) -> None:
        """Part of the prompt has been read."""
        if self.state is GenerationState.RUNNING:
            self._publish_reading(event.num_done, event.num_total, cached=event.num_cached)

    def add(self, event: Delta, now: float) -> float | None:
        """Take tokens; returns the seconds until flush() is due, or None when nothing waits."""
        if self.state is not GenerationState.RUNNING:
            return None
        if self.first_token_at is None:
            self.first_token_at = now
        if event.tokens:
            self.last_token_at = now
        if event.text and self.first_text_at is None:
            self.first_text_at = now
        self.num_tokens += len(event.tokens)
        self._coalescer.add(event.tokens, event.text, event.odds)
        due_in_s = self._coalescer.due_in_s(now)
        if due_in_s > 0:
            return due_in_s
        self.flush(now)
        return None

    def flush(self, now: float) -> None:
        """Write what was gathered as one frame."""
        if self.is_ended or self._coalescer.is_empty:
            return
        tokens, text, odds = self._coalescer.take(now)
        delta = {"off": len(self.text), "text": text, "tokens": list(tokens)}
        self.log.append("gen.delta", delta | ({"odds": odds_to_json(odds)} if odds else {}))
        self.text += text

    def request_end(
        self, reason: DoneReason, seen: int | None = None, *, is_cancelled: bool = False
    ) -> None:
        """Note why the engine is told to end this answer; the first reason stays.

        ``seen`` is how many code points the visitor had on the screen when stopping;
        ``is_cancelled`` says that it was not the visitor who stopped it.
        """
        if self.ending is None:
            self.ending = reason
            self._seen = seen
            self._is_cancelled = is_cancelled

    def finish(self, reason: DoneReason, now: float, event: Finished | None = None) -> None:
        """Write gen.done. A requested end wins over the engine's own ``reason``."""
        self.flush(now)
        # Nothing behind what was there before this answer began is shown if the visitor did not
        # see it: the text ends where it stood when the stop button was pressed.
        if self._seen is not None:
            self.text = self.text[: max(len(self.request.produced_text), self._seen)]
        reason = self.ending or reason
        if reason is DoneReason.MEMORY:
            self._tell_reduction(Reduction.ENDED)
        elif reason is DoneReason.LENGTH and self.is_capped:
            self._tell_reduction(Reduction.LENGTH)
        self._end(
            "gen.done",
            {
                "reason": str(reason),
                "chars": len(self.text),
                "sha256_8": hashlib.sha256(self.text.encode("utf-8", "replace")).hexdigest()[:8],
                "usage": {
                    "prompt": self.num_prompt_tokens,
                    "completion": self.num_tokens,
                    "cached": self.num_cached_tokens,
                },
                "timing": self._timing(now, event),
                **self._quality(),
            },
            Outcome.CANCELLED if self._is_cancelled else OUTCOME_OF_REASON[reason],
        )

    def fail(
        self,
        code: str,
        text: str,
        now: float,
        *,
        outcome: Outcome = Outcome.FAILED,
        is_retryable: bool = True,
        retry_after_s: float | None = None,
    ) -> None:
        """Write gen.error with the text so far kept (``partial`` says whether there is any)."""
        self.flush(now)
        self.error_code = code
        fields = {
            "code": code,
            "text": text,
            "retryable": is_retryable,
            "partial": bool(self.text),
        }
        if retry_after_s is not None:
            fields["retry_after_s"] = retry_after_s
        self._end("gen.error", fields, outcome)

    @property
    def num_new_tokens(self) -> int:
        """Tokens that were generated here."""
        return max(0, self.num_tokens - len(self.produced))

    def _log_produced(self) -> None:
        """Repeat what there is of the answer, so that a follower of this log has all of it."""
        produced = list(self.produced)
        self.log.append("gen.delta", {"off": 0, "text": self.text, "tokens": produced})
        self._is_text_logged = True

    def _publish_reading(self, done: int, total: int, *, cached: int) -> None:
        fields = {"phase": "prompt", "done": done, "total": total, "cached": cached}
        self.log.publish("gen.progress", fields)

    def _log_started(self, instance: int, model: str, waited_ms: int) -> None:
        self.log.append(
            "gen.started",
            {
                "instance": instance,
                "model": model,
                "waited_ms": waited_ms,
                "prompt_tokens": self.num_prompt_tokens,
                "cached_tokens": self.num_cached_tokens,
                **self._quality(),
            },
        )

    def _quality(self) -> dict[str, object]:
        if self.reduced is None:
            return {"quality": "full"}
        return {"quality": "reduced", "reduced": str(self.reduced)}

    def _tell_reduction(self, reduction: Reduction) -> None:
        self.reduced = reduction
        self.log.append("gen.notice", {"code": "reduced", "what": str(reduction)})

    def _timing(self, now: float, event: Finished | None) -> dict[str, object]:
        left_line_at = self.instance_at if self.instance_at is not None else now
        gen_s = now - self.first_token_at if self.first_token_at is not None else 0.0
        if event is not None and event.decode_s > 0:
            gen_s = event.decode_s
        prompt_ms = self._ms(self.instance_at, self.first_token_at)
        return {
            "queue_ms": self._ms(self.submitted_at, left_line_at),
            "prompt_ms": prompt_ms if event is None else round(event.prefill_s * 1000),
            "ttft_ms": (
                None
                if self.first_text_at is None
                else self._ms(self.submitted_at, self.first_text_at)
            ),
            "gen_ms": round(gen_s * 1000),
            "tok_s": round(self.num_new_tokens / gen_s, 1) if gen_s > 0 else None,
        }

    def _end(self, frame_type: str, fields: dict[str, object], outcome: Outcome) -> None:
        if self.is_ended:
            raise RuntimeError(f"generation {self.id} has ended already")
        if self.request.produced_text and not self._is_text_logged:
            # It never went on, so its tokens are not known; the text stays all the same.
            self.produced = ()
            self._log_produced()
        # The log comes first: whoever sees the state ENDED may rely on all frames being there.
        self.log.append(frame_type, fields, is_terminal=True)
        self.outcome = outcome
        self.state = GenerationState.ENDED

    def _move(self, source: GenerationState, target: GenerationState) -> None:
        if self.state is not source:
            raise RuntimeError(f"generation {self.id} is {self.state.name}, not {source.name}")
        self.state = target

    @staticmethod
    def _ms(start: float | None, end: float | None) -> int:
        return 0 if start is None or end is None else max(0, round((end - start) * 1000))
