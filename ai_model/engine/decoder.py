"""The work of the engine's thread: requests go into instances, steps are planned and run, tokens
come out."""

from __future__ import annotations

import math
import time
from collections import deque

from ai_model.engine import cost_curve
from ai_model.engine.abort_flag import AbortFlag
from ai_model.engine.config import EngineConfig
from ai_model.engine.context import DecodeOutcome
from ai_model.engine.errors import DecodeError
from ai_model.engine.events import Delta, Finished, FinishReason, Progress, Started, TokenOdds
from ai_model.engine.instance import Answer, Instance, Listener, Phase
from ai_model.engine.model import Model
from ai_model.engine.next_turn import NextTurns
from ai_model.engine.odds import Odds
from ai_model.engine.request import EngineRequest
from ai_model.engine.sampler import Sampler
from ai_model.engine.scheduler import Reader, StepPlan, Writer, plan_step
from ai_model.engine.seating import Seating
from ai_model.engine.snapshot import StepRecord
from ai_model.engine.step_cost import StepCost, attended_cells
from ai_model.engine.text_stream import TextStream
from ai_model.engine.throughput import Throughput
from ai_model.role_markers import MARKERS, neutralise

_REMEMBERED_STEPS = 1024
_SWIFT_STEP_MS = 40.0
"""A step that is expected to be shorter than this is not worth aborting for a cancel: its end comes
as soon."""


class Decoder:
    """All instances of one model in one context, decoded together.

    Not thread-safe: made, used and closed on the engine's thread. ``abort_flag`` may be set from
    anywhere to end the running step early. Raises ModelLoadError when the file cannot be used or
    memory does not suffice.
    """

    def __init__(self, config: EngineConfig, abort_flag: AbortFlag) -> None:
        self.config = config
        self.abort_flag = abort_flag
        self.model = Model(config.model_path, gpu_layers=config.gpu_layers)
        try:
            self._seating = Seating(self.model, config, abort_flag)
        except BaseException:
            self.model.close()
            raise
        curve = cost_curve.measure(self._seating.context, num_vocab=self.model.num_vocab)
        self.step_cost = StepCost.from_curve(curve)
        self.steps: deque[StepRecord] = deque(maxlen=_REMEMBERED_STEPS)
        """The last steps, oldest first."""
        self.decode_speed = Throughput()
        self.prefill_speed = Throughput()
        self._step_ms = 0.0
        self._next_turns = NextTurns(self._seating)
        self._odds: Odds | None = None

    @property
    def n_ctx(self) -> int:
        """Context of one instance in tokens."""
        return self._seating.n_ctx

    @property
    def instances(self) -> list[Instance]:
        """The instances, as they are now."""
        return self._seating.instances

    @property
    def parked_bytes(self) -> int:
        """Memory that parked conversations take. May be read by any thread."""
        return self._seating.parking.num_bytes

    @property
    def num_busy(self) -> int:
        """Instances that hold a request, warm-ups included."""
        return sum(instance.answer is not None for instance in self.instances)

    @property
    def has_room(self) -> bool:
        """Whether a request can start: an instance is idle or busy with a warm-up."""
        return any(one.answer is None or one.answer.request.is_warm_up for one in self.instances)

    @property
    def is_swift(self) -> bool:
        """Whether the running step ends so soon that aborting it would gain nothing.

        May be read by any thread.
        """
        return self._step_ms < _SWIFT_STEP_MS

    @property
    def reads_ahead_for(self) -> frozenset[str]:
        """The conversations for which it reads ahead in idle time. May be read by any thread."""
        return self._next_turns.conversations

    def expect_step(self) -> None:
        """A step is coming: until its length is known, it counts as worth aborting."""
        self._step_ms = math.inf

    def start(self, request: EngineRequest, listener: Listener) -> None:
        """Give ``request`` an idle instance; there must be one, or a warm-up that gives way.

        A warm-up that would save nothing ends at once and takes nobody's place.
        """
        if request.is_warm_up and self._seating.is_warm(request):
            listener(Finished(request_id=request.id, reason=FinishReason.STOP))
            return
        self._make_way(request)
        instance, num_cached = self._seating.seat(request)
        instance.answer = self._make_answer(request, listener, num_cached)
        listener(
            Started(
                request_id=request.id,
                instance=instance.index,
                num_prompt_tokens=len(request.prompt.tokens),
                num_cached_tokens=min(num_cached, len(request.prompt.tokens)),
            )
        )

    def cancel(self, request_id: str) -> None:
        """End the answer of ``request_id`` where it is; nothing happens when it has ended."""
        for instance in self.instances:
            if instance.answer is not None and instance.answer.request.id == request_id:
                self._finish(instance, FinishReason.CANCELLED)

    def resize(self, num_instances: int) -> None:
        """Change the number of instances between two steps; running answers go on.

        Raises ValueError when more are busy, ModelLoadError when memory does not suffice.
        """
        self._seating.resize(num_instances)

    def limit_parking(self, max_bytes: int) -> None:
        """Keep at most ``max_bytes`` of parked conversations from now on."""
        if max_bytes != self._seating.parking.max_bytes:
            self._seating.parking.limit(max_bytes)

    def fail_all(self, error: str) -> None:
        """End every answer, telling why."""
        for instance in self.instances:
            if instance.answer is not None:
                self._finish(instance, FinishReason.FAILED, error)

    def step(self) -> float | None:
        """Run one step.

        Returns 0 when there is more to do at once, the seconds until the next token is due, or
        None when all are idle.
        """
        try:
            return self._step()
        finally:
            self._step_ms = 0.0

    def _step(self) -> float | None:
        now = time.monotonic()
        decoding = self._in_phase(Phase.DECODE)
        due = [instance for instance in decoding if _due(instance) <= now]
        prefilling = self._to_prefill(is_idle=not decoding)
        if not due and not prefilling:
            if decoding:
                return max(0.0, min(map(_due, decoding)) - now)
            return self._next_turns.step(now)
        held_cells = sum(len(instance.tokens) for instance in self.instances)
        plan = plan_step(
            writers=[Writer(one.index, len(one.tokens)) for one in due],
            readers=[Reader(one.index, one.num_unread, len(one.tokens)) for one in prefilling],
            is_answering=bool(decoding),
            cost=self.step_cost,
            held_cells=held_cells,
            target_itl_ms=self.config.target_itl_ms,
            chunk_tokens=self.config.chunk_tokens,
        )
        try:
            self._run(plan)
        except DecodeError as error:
            self._drop_step(plan, str(error))
        return 0.0

    def close(self) -> None:
        """Give everything back. Idempotent."""
        self.fail_all("the engine was closed")
        if self._odds is not None:
            self._odds.close()
        self._seating.close()
        self.model.close()

    def _in_phase(self, phase: Phase) -> list[Instance]:
        return [instance for instance in self.instances if instance.phase is phase]

    def _make_way(self, request: EngineRequest) -> None:
        """End the warm-ups a request replaces: of its own conversation, or for want of room."""
        warming = [one for one in self.instances if one.answer and one.answer.request.is_warm_up]
        for instance in warming:
            is_full = self.num_busy == len(self.instances)
            if instance.conversation == request.conversation or is_full:
                self._finish(instance, FinishReason.CANCELLED)

    def _to_prefill(self, *, is_idle: bool) -> list[Instance]:
        """Return whose prompt may be read now, oldest first: warm-ups only in idle time."""
        reading = sorted(self._in_phase(Phase.PREFILL), key=lambda instance: instance.since)
        real = [one for one in reading if one.answer and not one.answer.request.is_warm_up]
        return self._seating.share_system_prompts(real or (reading if is_idle else []))

    def _make_answer(self, request: EngineRequest, listener: Listener, num_cached: int) -> Answer:
        sampler = Sampler(request.sampling, num_vocab=self.model.num_vocab)
        sampler.accept(request.produced)
        answer = Answer(request, listener, sampler, TextStream((*request.sampling.stop, *MARKERS)))
        answer.num_cached = num_cached
        produced = b"".join(map(self.model.piece, request.produced))
        if request.produced_text:
            answer.text = answer.stream.go_on_behind(produced, request.produced_text)
        else:
            answer.text = answer.stream.feed(produced)
        return answer

    def _run(self, plan: StepPlan) -> None:
        rows = self._fill(plan)
        num_cells = self._count_cells(plan)
        self._step_ms = self.step_cost.ms(plan.num_tokens, num_cells)
        started = time.monotonic()
        outcome = self._seating.context.decode()
        if outcome is DecodeOutcome.ABORTED:
            self._roll_back(plan)
            return
        seconds = time.monotonic() - started
        self.step_cost = self.step_cost.learned(plan.num_tokens, num_cells, seconds * 1000)
        num_decode, num_prefill = len(plan.decode), plan.num_tokens - len(plan.decode)
        self.steps.append(StepRecord(num_decode, num_prefill, seconds))
        share = num_decode / plan.num_tokens
        if num_decode:
            self.decode_speed.add(num_decode, seconds * share)
        if num_prefill:
            self.prefill_speed.add(num_prefill, seconds * (1 - share))
        self._commit(plan)
        for instance, row in rows:
            self._take_token(instance, row)

    def _count_cells(self, plan: StepPlan) -> float:
        """Return the cells that the tokens of a step look at."""
        held = sum(len(instance.tokens) for instance in self.instances)
        counts = [(index, 1) for index in plan.decode]
        counts += [(share.instance, share.num_tokens) for share in plan.prefill]
        return sum(
            attended_cells(len(self.instances[index].tokens), count, held)
            for index, count in counts
        )

    def _fill(self, plan: StepPlan) -> list[tuple[Instance, int]]:
        """Put the plan into the batch; returns the rows whose logits choose a token."""
        rows: list[tuple[Instance, int]] = []
        for index in plan.decode:
            instance = self.instances[index]
            assert instance.answer is not None and instance.answer.next_token is not None
            row = self._seating.context.add(
                instance.answer.next_token,
                position=len(instance.tokens),
                sequence=index,
                wants_logits=True,
            )
            rows.append((instance, row))
        for share in plan.prefill:
            instance = self.instances[share.instance]
            assert instance.answer is not None
            start = len(instance.tokens)
            end = start + share.num_tokens
            is_last = end == len(instance.answer.to_read)
            wants_token = is_last and not instance.answer.request.is_warm_up
            for position in range(start, end):
                row = self._seating.context.add(
                    instance.answer.to_read[position],
                    position=position,
                    sequence=share.instance,
                    wants_logits=wants_token and position == end - 1,
                )
            if wants_token:
                rows.append((instance, row))
        return rows

    def _roll_back(self, plan: StepPlan) -> None:
        """Remove what an aborted step has written, so that the next one can evaluate it again."""
        for index in {*plan.decode, *(share.instance for share in plan.prefill)}:
            self._seating.context.remove(index, len(self.instances[index].tokens))

    def _drop_step(self, plan: StepPlan, error: str) -> None:
        """Fail everybody who took part in a step that llama.cpp refused; the others go on."""
        for index in sorted({*plan.decode, *(share.instance for share in plan.prefill)}):
            instance = self.instances[index]
            self._seating.context.remove(index)
            instance.tokens = []
            self._finish(instance, FinishReason.FAILED, error)

    def _commit(self, plan: StepPlan) -> None:
        """Record what the step has put into the KV cache."""
        for index in plan.decode:
            answer = self.instances[index].answer
            assert answer is not None and answer.next_token is not None
            self.instances[index].tokens.append(answer.next_token)
        for share in plan.prefill:
            instance = self.instances[share.instance]
            answer = instance.answer
            assert answer is not None
            start = len(instance.tokens)
            instance.tokens += answer.to_read[start : start + share.num_tokens]
            num_system = len(answer.request.prompt.system_tokens)
            if start < num_system <= len(instance.tokens):
                self._seating.keep_system_prompt(instance, answer.request)
            answer.listener(
                Progress(
                    request_id=answer.request.id,
                    num_done=len(instance.tokens),
                    num_total=len(answer.to_read),
                    num_cached=answer.num_cached,
                )
            )
            if answer.request.is_warm_up and instance.num_unread == 0:
                self._finish(instance, FinishReason.STOP)

    def _take_token(self, instance: Instance, row: int) -> None:
        """Choose the next token of an answer, deliver its text, and end the answer when it is
        complete."""
        answer = instance.answer
        assert answer is not None
        now = time.monotonic()
        if answer.first_token_at is None:
            answer.first_token_at = answer.due = now
        if self.config.max_tok_s:
            answer.due = max(now, answer.due + 1 / self.config.max_tok_s)
        token = answer.sampler.sample(self._seating.context.handle, row)
        if self.model.is_end(token):
            self._finish(instance, FinishReason.STOP)
            return
        odds = self._read_odds(answer.request.sampling.num_top_odds, row, token)
        answer.next_token = token
        answer.generated.append(token)
        text = answer.stream.feed(self.model.piece(token))
        answer.text += text
        answer.listener(Delta(request_id=answer.request.id, tokens=(token,), text=text, odds=odds))
        if answer.stream.is_stopped:
            self._finish(instance, FinishReason.STOP)
        elif (
            len(answer.generated) >= answer.request.sampling.max_tokens
            or len(instance.tokens) + 1 >= self.n_ctx
        ):
            self._finish(instance, FinishReason.LENGTH)

    def _read_odds(self, num_top: int | None, row: int, token: int) -> tuple[TokenOdds, ...]:
        """Return how likely a token was, if somebody asked: 0.9 ms for 32,000 tokens (measured)."""
        if num_top is None:
            return ()
        if self._odds is None:
            self._odds = Odds(self.model.num_vocab)
        logprob, top = self._odds.read(self._seating.context.handle, row, token, num_top)
        piece = self.model.piece
        likeliest = tuple((piece(one), number) for one, number in top)
        return (TokenOdds(piece(token), logprob, likeliest),)

    def _finish(self, instance: Instance, reason: FinishReason, error: str = "") -> None:
        answer = instance.answer
        assert answer is not None
        held_back = answer.stream.finish()
        if held_back:
            answer.text += held_back
            answer.listener(Delta(request_id=answer.request.id, tokens=(), text=held_back))
        if answer.text and not answer.stream.is_stopped and neutralise(answer.text) == answer.text:
            self.model.memo.remember(answer.text, answer.generated)
            if reason in (FinishReason.STOP, FinishReason.LENGTH):
                self._next_turns.expect(instance, answer)
        now = time.monotonic()
        first = answer.first_token_at or now
        answer.sampler.close()
        instance.answer = None
        instance.since = now
        answer.listener(
            Finished(
                request_id=answer.request.id,
                reason=reason,
                error=error,
                num_prompt_tokens=len(answer.request.prompt.tokens),
                num_cached_tokens=min(answer.num_cached, len(answer.request.prompt.tokens)),
                num_completion_tokens=len(answer.generated),
                prefill_s=first - answer.started,
                decode_s=now - first,
            )
        )


def _due(instance: Instance) -> float:
    assert instance.answer is not None
    return instance.answer.due
