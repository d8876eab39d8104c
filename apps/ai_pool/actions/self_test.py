"""A fixed question to the running model: does it still say what it said, and how fast?"""

from __future__ import annotations

import asyncio
import uuid
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from ai_model.engine.request import SamplingParams
from ai_model.pool.client import PoolClient
from ai_model.pool.errors import PoolError, PoolUnavailable
from ai_model.pool.priority import Priority
from ai_model.pool.request import PoolRequest
from ai_model.pool.status import PoolStatus
from ai_model.prompt import ChatMessage, Role
from apps.ai_pool import services
from apps.ai_pool.actions.records import SelfTestRun

QUESTION = "Count from one to ten in words."
NUM_TOKENS = 48
SEED = 7
TIMEOUT_S = 120.0
SLOW_SHARE = 0.6
"""A run alone that is slower than this share of the baseline is a finding."""
MIN_TIMED_S = 0.5
"""A shorter answer says nothing about speed: whatever else the machine does counts for more."""
KEPT_RUNS = 50
"""Runs that are kept of one model, its baseline besides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTestResult:
    """One run beside the one it is compared with."""

    model: str
    at: datetime
    text: str
    num_tokens: int
    tok_s: float
    ttft_s: float
    was_alone: bool
    is_baseline: bool
    """It is what later runs are compared with."""
    expected: str | None
    """The text of the baseline; None without one."""
    baseline_tok_s: float | None

    @property
    def is_same(self) -> bool | None:
        """Whether the model said what it said then; None without a baseline."""
        return None if self.expected is None else self.text == self.expected

    @property
    def speed_share(self) -> float | None:
        """Speed as a share of the baseline's; None without one."""
        return self.tok_s / self.baseline_tok_s if self.baseline_tok_s else None

    @property
    def is_ok(self) -> bool:
        """Whether nothing speaks against the model and its speed.

        Answers that are made together influence each other's last digits and speed, so a run that
        was not alone proves nothing bad.
        """
        if not self.text:
            return False
        return not self.was_alone or (self.is_same is not False and not self._is_slow)

    @property
    def mark(self) -> str:
        """The outcome in a word: passed, failed, or unclear for one that others disturbed."""
        if not self.is_ok:
            return "failed"
        is_odd = self.expected is None or self.is_same is False or self._is_slow
        return "unclear" if is_odd and not self.was_alone else "passed"

    @property
    def sentence(self) -> str:
        """The outcome in words."""
        speed = f"{self.num_tokens} tokens at {self.tok_s:.1f} tok/s"
        if not self.text:
            return f"{self.model} said nothing."
        if self.is_baseline:
            return f"{speed}. This is what later tests of {self.model} are compared with."
        if self.expected is None:
            return f"{speed}. Others were answered meanwhile, so it was not kept to compare with."
        share = f"{speed}, {100 * (self.speed_share or 0):.0f} % of the baseline"
        if not self.was_alone:
            same = "the same text" if self.is_same else "another text"
            return f"{share}, {same}; others were answered meanwhile, which may change both."
        if not self.is_same:
            return f"Not what {self.model} said at first: another text. {share}."
        if self._is_slow:
            return f"The expected text, but slow: {share}."
        return f"The expected text. {share}."

    @property
    def _is_slow(self) -> bool:
        if self.speed_share is None or self.num_tokens < MIN_TIMED_S * self.tok_s:
            return False
        return self.speed_share < SLOW_SHARE

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "model": self.model,
            "at": self.at.isoformat(timespec="seconds"),
            "is_ok": self.is_ok,
            "mark": self.mark,
            "is_same": self.is_same,
            "was_alone": self.was_alone,
            "is_baseline": self.is_baseline,
            "num_tokens": self.num_tokens,
            "tok_s": round(self.tok_s, 2),
            "baseline_tok_s": self.baseline_tok_s and round(self.baseline_tok_s, 2),
            "ttft_s": round(self.ttft_s, 3),
            "text": self.text,
            "expected": self.expected,
            "sentence": self.sentence,
        }


def run_self_test(*, is_new_baseline: bool = False) -> SelfTestResult:
    """Ask, keep the run, compare it. Blocks until the answer is there, two minutes at most.

    It is let in while the pool is paused. The first run of a model that was alone is its baseline;
    ``is_new_baseline`` makes this one it. Raises PoolError with a sentence.
    """
    return _keep(services.ask_pool(_ask), is_new_baseline=is_new_baseline)


def last_result() -> SelfTestResult | None:
    """Return the newest run, whichever model it was."""
    run = SelfTestRun.objects.first()
    return None if run is None else _compared(run)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    model: str
    text: str
    num_tokens: int
    tok_s: float
    ttft_s: float
    was_alone: bool


async def _ask(client: PoolClient) -> _Answer:
    before = await client.status()
    if before.model is None:
        raise PoolUnavailable(before.reason or "No model is loaded.")
    request = _request()
    text = ""
    done: dict[str, Any] = {}
    try:
        async with asyncio.timeout(TIMEOUT_S):
            await client.submit(request)
            async with aclosing(client.subscribe(request.generation)) as frames:
                async for frame in frames:
                    if frame["type"] == "gen.delta":
                        text += str(frame["text"])
                    elif frame["type"] == "gen.error":
                        raise PoolError(str(frame.get("text") or "The answer failed."))
                    elif frame["type"] == "gen.done":
                        done = frame
    except TimeoutError:
        with suppress(PoolError, OSError, TimeoutError):
            await client.stop(request.generation, timeout_s=1.0)
        raise PoolUnavailable(f"The test had no answer within {TIMEOUT_S:.0f} s.") from None
    after = await client.status()
    with suppress(PoolError):
        await client.acknowledge(request.generation)
    timing, usage = done.get("timing") or {}, done.get("usage") or {}
    return _Answer(
        model=_model_key(before),
        text=text,
        num_tokens=int(usage.get("completion") or 0),
        tok_s=float(timing.get("tok_s") or 0.0),
        ttft_s=float(timing.get("ttft_ms") or 0.0) / 1000,
        # One answer more than before is ours.
        was_alone=not before.num_running
        and not before.num_waiting
        and after.num_accepted == before.num_accepted + 1,
    )


def _request() -> PoolRequest:
    """The question, as if from a visitor of its own: nothing that is parked or held helps it."""
    generation = str(uuid.uuid4())
    return PoolRequest(
        generation=generation,
        conversation=f"self-test-{generation}",
        visitor=f"self-test-{generation}",
        messages=(ChatMessage(Role.USER, QUESTION),),
        sampling=SamplingParams(
            temperature=0.0, repeat_penalty=1.0, seed=SEED, max_tokens=NUM_TOKENS
        ),
        priority=Priority.STAFF,
        # A paused pool lets in what an earlier process had taken, and this.
        is_resumed=True,
    )


def _model_key(status: PoolStatus) -> str:
    model = status.model
    assert model is not None
    return f"{model.name} {model.quant} ({model.size_bytes / 1e6:.0f} MB)"[:200]


@transaction.atomic
def _keep(answer: _Answer, *, is_new_baseline: bool) -> SelfTestResult:
    runs = SelfTestRun.objects.filter(model=answer.model)
    is_first = not runs.filter(is_baseline=True).exists()
    is_baseline = bool(answer.text) and (is_new_baseline or (is_first and answer.was_alone))
    if is_baseline:
        runs.filter(is_baseline=True).update(is_baseline=False)
    run = SelfTestRun.objects.create(
        model=answer.model,
        at=timezone.now(),
        text=answer.text,
        num_tokens=answer.num_tokens,
        tok_s=answer.tok_s,
        ttft_s=answer.ttft_s,
        was_alone=answer.was_alone,
        is_baseline=is_baseline,
    )
    kept = list(runs.values_list("pk", flat=True)[:KEPT_RUNS])
    runs.filter(is_baseline=False).exclude(pk__in=kept).delete()
    return _compared(run)


def _compared(run: SelfTestRun) -> SelfTestResult:
    baseline = SelfTestRun.objects.filter(model=run.model, is_baseline=True).first()
    return SelfTestResult(
        model=run.model,
        at=run.at,
        text=run.text,
        num_tokens=run.num_tokens,
        tok_s=run.tok_s,
        ttft_s=run.ttft_s,
        was_alone=run.was_alone,
        is_baseline=run.is_baseline,
        expected=None if baseline is None else baseline.text,
        baseline_tok_s=None if baseline is None else baseline.tok_s,
    )
