"""Puts a PoolStatus together from what the pool and the engine say about themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_model.pool.samples import Samples
from ai_model.pool.status import InstanceStatus, ModelStatus, PoolState, PoolStatus

if TYPE_CHECKING:
    from ai_model.engine.snapshot import EngineSnapshot, InstanceSnapshot
    from ai_model.pool.pool import Pool


def report_status(
    pool: Pool, snapshot: EngineSnapshot | None, *, pid: int, now: float
) -> PoolStatus:
    """Return the status of ``pool``; ``snapshot`` is None before there is an engine."""
    state, reason = _state(pool)
    statistics = pool.statistics
    eta = pool.estimator.estimate(len(pool.line) + 1, pool.config.max_instances)
    model = None if snapshot is None else _model(snapshot)
    return PoolStatus(
        state=state,
        reason=reason,
        pid=pid,
        uptime_s=round(now - pool.started_at, 1),
        model=model,
        model_is_demo=pool.config.model_is_demo if model is None else model.is_demo,
        num_instances=pool.config.max_instances,
        num_running=pool.num_running,
        num_waiting=len(pool.line),
        queue_size=pool.config.queue_size,
        instances=() if snapshot is None else tuple(map(_instance, snapshot.instances)),
        heartbeat_age_s=0.0 if snapshot is None else round(snapshot.heartbeat_age_s, 2),
        decode_tok_s=0.0 if snapshot is None else round(snapshot.decode_tok_s, 1),
        prefill_tok_s=0.0 if snapshot is None else round(snapshot.prefill_tok_s, 1),
        num_accepted=statistics.num_accepted,
        num_refused=statistics.num_refused,
        num_done=statistics.num_done,
        outcomes={str(outcome): count for outcome, count in statistics.outcomes.items()},
        wait_p50_s=_rounded(statistics.waits, 0.5),
        wait_p95_s=_rounded(statistics.waits, 0.95),
        ttft_p50_s=_rounded(statistics.ttfts, 0.5),
        ttft_p95_s=_rounded(statistics.ttfts, 0.95),
        eta_s=0.0 if pool.num_free > 0 else None if eta is None else round(eta.p50, 1),
    )


def _state(pool: Pool) -> tuple[PoolState, str]:
    if pool.admission.is_closed:
        return PoolState.DRAINING, "The pool is shutting down."
    if pool.admission.failure:
        return PoolState.FAILED, pool.admission.failure
    if pool.is_ready:
        return PoolState.READY, ""
    if pool.is_asleep and not pool.line:
        return PoolState.READY, "The model sleeps; the next question wakes it."
    return PoolState.LOADING, "The model is loading."


def _model(snapshot: EngineSnapshot) -> ModelStatus | None:
    info = snapshot.model
    if info is None:
        return None
    return ModelStatus(
        name=info.name,
        quant=info.quant,
        is_demo=info.is_demo,
        n_ctx=snapshot.n_ctx,
        num_parameters=info.num_parameters,
        size_bytes=info.size_bytes,
        kv_bytes_per_token=info.kv_bytes_per_token,
    )


def _instance(instance: InstanceSnapshot) -> InstanceStatus:
    return InstanceStatus(
        index=instance.index,
        state=str(instance.state),
        generation=instance.request_id,
        holds_conversation=bool(instance.conversation),
        num_prompt=instance.num_prompt,
        num_prompt_done=instance.num_prompt_done,
        num_generated=instance.num_generated,
        tok_s=round(instance.tok_s, 1),
        num_kv_tokens=instance.num_kv_tokens,
        kv_bytes=instance.kv_bytes,
        since_s=round(instance.since_s, 1),
    )


def _rounded(samples: Samples, share: float) -> float | None:
    value = samples.quantile(share)
    return None if value is None else round(value, 3)
