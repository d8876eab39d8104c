"""The work of the engine's thread: requests go into instances, steps are planned and run, tokens
come out."""

from __future__ import annotations

import time

from ai_model.engine import cost_curve
from ai_model.engine.abort_flag import AbortFlag
from ai_model.engine.config import EngineConfig
from ai_model.engine.context import Context, DecodeOutcome
from ai_model.engine.errors import DecodeError
from ai_model.engine.events import Delta, Finished, FinishReason, Progress, Started
from ai_model.engine.instance import Answer, Instance, Listener, Phase
from ai_model.engine.model import Model
from ai_model.engine.parking import ParkingLot
from ai_model.engine.prefix_cache import PrefixCache
from ai_model.engine.request import EngineRequest
from ai_model.engine.sampler import Sampler
from ai_model.engine.scheduler import PrefillShare, StepPlan, plan_step
from ai_model.engine.seating import Seating
from ai_model.engine.text_stream import TextStream
from ai_model.engine.throughput import Throughput
from ai_model.role_markers import MARKERS, neutralise

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
        self.n_ctx = min(config.n_ctx, self.model.info.n_ctx_train)
        prefix_tokens = min(config.prefix_tokens, self.n_ctx) if config.num_prefixes else 0
        try:
            self._context = Context(
                self.model,
                num_sequences=config.num_instances + config.num_prefixes,
                num_cells=config.num_instances * self.n_ctx + prefix_tokens,
                batch_tokens=config.chunk_tokens + config.num_instances,
                num_threads=config.num_threads,
                abort_flag=abort_flag,
            )
        except BaseException:
            self.model.close()
            raise
        self.curve = cost_curve.measure(self._context, num_vocab=self.model.num_vocab)
        self.instances = [Instance(index) for index in range(config.num_instances)]
        reserved = range(config.num_instances, config.num_instances + config.num_prefixes)
        self.parking = ParkingLot(config.parked_bytes)
        self._seating = Seating(
            self._context, self.instances, PrefixCache(reserved, prefix_tokens), self.parking
        )
        self.decode_speed = Throughput()
        self.prefill_speed = Throughput()
        self.step_ms = 0.0
        """What the running step is expected to take; 0 between steps."""

    @property
    def is_swift(self) -> bool:
        """Whether the running step ends so soon that aborting it would gain nothing."""
        return self.step_ms < _SWIFT_STEP_MS

    def start(self, request: EngineRequest, listener: Listener) -> None:
        """Give ``request`` an idle instance; there must be one."""
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

    def fail_all(self, error: str) -> None:
        """End every answer, telling why."""
        for instance in self.instances:
            if instance.answer is not None:
                self._finish(instance, FinishReason.FAILED, error)

    def step(self) -> float | None:
        """Run one step. Returns 0 when there is more to do at once, the seconds until the next
        token is due, or None when all are idle."""
        now = time.monotonic()
        decoding = self._in_phase(Phase.DECODE)
        due = [instance.index for instance in decoding if _due(instance) <= now]
        prefilling = sorted(self._in_phase(Phase.PREFILL), key=lambda instance: instance.since)
        if not due and not prefilling:
            return max(0.0, min(map(_due, decoding)) - now) if decoding else None
        plan = plan_step(
            decoding=due,
            prefilling=[PrefillShare(one.index, one.num_unread) for one in prefilling],
            is_answering=bool(decoding),
            curve=self.curve,
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
        self._context.close()
        self.model.close()

    def _in_phase(self, phase: Phase) -> list[Instance]:
        return [instance for instance in self.instances if instance.phase is phase]

    def _make_answer(self, request: EngineRequest, listener: Listener, num_cached: int) -> Answer:
        sampler = Sampler(request.sampling, num_vocab=self.model.num_vocab)
        sampler.accept(request.produced)
        answer = Answer(request, listener, sampler, TextStream((*request.sampling.stop, *MARKERS)))
        answer.num_cached = num_cached
        for token in request.produced:
            answer.text += answer.stream.feed(self.model.piece(token))
        return answer

    def _run(self, plan: StepPlan) -> None:
        rows = self._fill(plan)
        self.step_ms = self.curve.cost_ms(plan.num_tokens)
        started = time.monotonic()
        try:
            outcome = self._context.decode()
        finally:
            self.step_ms = 0.0
        if outcome is DecodeOutcome.ABORTED:
            self._roll_back(plan)
            return
        seconds = time.monotonic() - started
        share = len(plan.decode) / plan.num_tokens
        if plan.decode:
            self.decode_speed.add(len(plan.decode), seconds * share)
        if plan.prefill:
            self.prefill_speed.add(plan.num_tokens - len(plan.decode), seconds * (1 - share))
        self._commit(plan)
        for instance, row in rows:
            self._take_token(instance, row)

    def _fill(self, plan: StepPlan) -> list[tuple[Instance, int]]:
        """Put the plan into the batch; returns the rows whose logits choose a token."""
        rows: list[tuple[Instance, int]] = []
        for index in plan.decode:
            instance = self.instances[index]
            assert instance.answer is not None and instance.answer.next_token is not None
            row = self._context.add(
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
            for position in range(start, end):
                row = self._context.add(
                    instance.answer.to_read[position],
                    position=position,
                    sequence=share.instance,
                    wants_logits=is_last and position == end - 1,
                )
            if is_last:
                rows.append((instance, row))
        return rows

    def _roll_back(self, plan: StepPlan) -> None:
        """Remove what an aborted step has written, so that the next one can evaluate it again."""
        for index in {*plan.decode, *(share.instance for share in plan.prefill)}:
            self._context.remove(index, len(self.instances[index].tokens))

    def _drop_step(self, plan: StepPlan, error: str) -> None:
        """Fail everybody who took part in a step that llama.cpp refused; the others go on."""
        for index in sorted({*plan.decode, *(share.instance for share in plan.prefill)}):
            instance = self.instances[index]
            self._context.remove(index)
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
            num_system = answer.request.prompt.num_system_tokens
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
        token = answer.sampler.sample(self._context.handle, row)
        if self.model.is_end(token):
            self._finish(instance, FinishReason.STOP)
            return
        answer.next_token = token
        answer.generated.append(token)
        text = answer.stream.feed(self.model.piece(token))
        answer.text += text
        answer.listener(Delta(request_id=answer.request.id, tokens=(token,), text=text))
        if answer.stream.is_stopped:
            self._finish(instance, FinishReason.STOP)
        elif (
            len(answer.generated) >= answer.request.sampling.max_tokens
            or len(instance.tokens) + 1 >= self.n_ctx
        ):
            self._finish(instance, FinishReason.LENGTH)

    def _finish(self, instance: Instance, reason: FinishReason, error: str = "") -> None:
        answer = instance.answer
        assert answer is not None
        held_back = answer.stream.finish()
        if held_back:
            answer.text += held_back
            answer.listener(Delta(request_id=answer.request.id, tokens=(), text=held_back))
        if answer.text and not answer.stream.is_stopped and neutralise(answer.text) == answer.text:
            self.model.memo.remember(answer.text, answer.generated)
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
