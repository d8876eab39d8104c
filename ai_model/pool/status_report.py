"""Puts a PoolStatus together from what the pool and the engine say about themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

import psutil

from ai_model.pool.admission import Admission
from ai_model.pool.config import PoolConfig
from ai_model.pool.eta import EtaEstimator, Running
from ai_model.pool.occupancy import LONG_WINDOW_S, SHORT_WINDOW_S
from ai_model.pool.restarts import Restarts
from ai_model.pool.samples import TimedSamples
from ai_model.pool.statistics import Statistics
from ai_model.pool.status import (
    InstanceStatus,
    MemoryStatus,
    ModelStatus,
    PoolState,
    PoolStatus,
)
from ai_model.pool.temporary_limit import LimitName, TemporaryLimit
from ai_model.pool.wait_record import WaitFigures
from ai_model.sandbox.sandbox import Confinement

if TYPE_CHECKING:
    from ai_model.engine.snapshot import EngineSnapshot, InstanceSnapshot
    from ai_model.engine.step_cost import StepCost


class ReportedPool(Protocol):
    """What a report needs to see of a pool."""

    @property
    def config(self) -> PoolConfig: ...
    @property
    def line(self) -> Sized: ...
    @property
    def estimator(self) -> EtaEstimator: ...
    @property
    def admission(self) -> Admission: ...
    @property
    def statistics(self) -> Statistics: ...
    @property
    def started_at(self) -> float: ...
    @property
    def restarts(self) -> Restarts: ...
    @property
    def confinement(self) -> Confinement: ...
    @property
    def is_ready(self) -> bool: ...
    @property
    def is_asleep(self) -> bool: ...
    @property
    def num_free(self) -> int: ...
    @property
    def num_running(self) -> int: ...


def report_status(
    pool: ReportedPool,
    snapshot: EngineSnapshot | None,
    *,
    pid: int,
    now: float,
    num_instances: int | None = None,
    hot_instances: int | None = None,
    paused_notice: str | None = None,
    is_draining: bool = False,
    is_restarting: bool = False,
    limits: tuple[TemporaryLimit, ...] = (),
    oldest_wait_s: float = 0.0,
    waiting_tokens: int = 0,
    eta: WaitFigures | None = None,
    running: Sequence[Running] = (),
    unwatched: Mapping[str, float] | None = None,
) -> PoolStatus:
    """Return the status of ``pool``; never waits. Call it on the pool's event loop.

    ``snapshot`` is None before there is an engine. ``num_instances`` are those there now (None:
    all that may be), ``paused_notice`` is what visitors are told while the pool is paused (None: it
    is not), ``is_draining`` says that nothing new is taken while what runs goes on,
    ``oldest_wait_s`` and ``waiting_tokens`` describe the line, ``eta`` how true its promises were;
    ``running`` is how far those are that hold an instance, and ``unwatched`` for how many seconds
    nobody has read those of them whom nobody reads, by generation.
    """
    statistics = pool.statistics
    size = pool.config.max_instances if num_instances is None else num_instances
    hot = pool.config.hot_instances if hot_instances is None else hot_instances
    statistics.occupancy.set(pool.num_running, size, now)
    state, reason = _state(pool, paused_notice is not None, is_draining)
    if is_restarting and state is PoolState.READY:
        reason = "A new pool process starts when what runs has finished."
    next_wait = pool.estimator.estimate(len(pool.line) + 1, size, running)
    model = None if snapshot is None else _model(snapshot)
    parked = None if snapshot is None else snapshot.parked_bytes
    return PoolStatus(
        state=state,
        reason=reason,
        notice=paused_notice or "",
        pid=pid,
        life=statistics.life,
        uptime_s=round(now - pool.started_at, 1),
        num_restarts=pool.restarts.num,
        last_restart_cause=pool.restarts.last_cause,
        sandbox=", ".join(pool.confinement.closed),
        sandbox_gaps=", ".join(pool.confinement.gaps),
        model=model,
        model_is_demo=pool.config.model_is_demo if model is None else model.is_demo,
        num_instances=size,
        hot_instances=hot or pool.config.max_instances,
        max_instances=pool.config.max_instances,
        num_running=pool.num_running,
        num_waiting=len(pool.line),
        queue_size=pool.config.queue_size,
        limits=limits,
        limit_values={str(name): getattr(pool.config, name) for name in LimitName},
        oldest_wait_s=round(oldest_wait_s, 1),
        waiting_tokens=waiting_tokens,
        instances=_instances(snapshot, unwatched or {}),
        heartbeat_age_s=0.0 if snapshot is None else round(snapshot.heartbeat_age_s, 2),
        decode_tok_s=round(statistics.writing.tok_s, 1),
        prefill_tok_s=0.0 if snapshot is None else round(snapshot.prefill_tok_s, 1),
        num_accepted=statistics.num_accepted,
        num_refused=statistics.num_refused,
        num_done=statistics.num_done,
        outcomes={str(outcome): count for outcome, count in statistics.outcomes.items()},
        errors=dict(statistics.errors),
        deadlines={str(kind): count for kind, count in statistics.deadlines.items()},
        refusals=dict(statistics.refusals),
        refusal_reasons=dict(statistics.refusal_reasons),
        num_prompt_tokens=statistics.num_prompt_tokens,
        num_cached_tokens=statistics.num_cached_tokens,
        num_generated_tokens=statistics.num_generated_tokens,
        running_s=round(statistics.occupancy.running_s, 2),
        instance_s=round(statistics.occupancy.instance_s, 2),
        utilisation_15min=_utilisation(statistics, SHORT_WINDOW_S, now),
        utilisation_24h=_utilisation(statistics, LONG_WINDOW_S, now),
        wait_p50_s=_rounded(statistics.waits, 0.5, now),
        wait_p95_s=_rounded(statistics.waits, 0.95, now),
        ttft_p50_s=_rounded(statistics.ttfts, 0.5, now),
        ttft_p95_s=_rounded(statistics.ttfts, 0.95, now),
        cancel_p50_s=_rounded(statistics.cancels, 0.5, now),
        cancel_p95_s=_rounded(statistics.cancels, 0.95, now),
        latencies=statistics.latencies.figures(),
        eta_s=0.0 if pool.num_free > 0 else None if next_wait is None else round(next_wait.p50, 1),
        eta=eta or WaitFigures(),
        memory=_memory(model, snapshot, size, pid=pid, parked_bytes=parked),
    )


def _state(pool: ReportedPool, is_paused: bool, is_draining: bool) -> tuple[PoolState, str]:
    if pool.admission.is_closed:
        return PoolState.DRAINING, "The pool is shutting down."
    if pool.admission.failure:
        return PoolState.FAILED, pool.admission.failure
    if is_draining:
        return PoolState.DRAINING, "The pool takes nothing new until `pool resume`."
    if is_paused:
        return PoolState.PAUSED, "The pool is paused until `pool resume`."
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
        **_step_cost(snapshot.step_cost),
    )


def _step_cost(cost: StepCost | None) -> dict[str, Any]:
    if cost is None:
        return {}
    points = {str(size): round(1000 * cost.ms(size, 0)) for size, _ in cost.curve.points}
    return {"step_us": points, "cell_us": 1000 * cost.cell_ms}


def _instances(
    snapshot: EngineSnapshot | None, unwatched: Mapping[str, float]
) -> tuple[InstanceStatus, ...]:
    if snapshot is None:
        return ()
    return tuple(_instance(one, unwatched.get(one.request_id)) for one in snapshot.instances)


def _instance(instance: InstanceSnapshot, unwatched_s: float | None) -> InstanceStatus:
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
        unwatched_s=None if unwatched_s is None else round(unwatched_s, 1),
    )


def _memory(
    model: ModelStatus | None,
    snapshot: EngineSnapshot | None,
    num_instances: int,
    *,
    pid: int,
    parked_bytes: int | None,
) -> MemoryStatus:
    rss_bytes, anon_bytes = _resident(pid)
    kv_per_instance = 0 if model is None else model.n_ctx * model.kv_bytes_per_token
    return MemoryStatus(
        rss_bytes=rss_bytes,
        anon_bytes=anon_bytes,
        weights_bytes=0 if model is None else model.size_bytes,
        kv_bytes=0 if snapshot is None else sum(item.kv_bytes for item in snapshot.instances),
        kv_reserved_bytes=num_instances * kv_per_instance,
        parked_bytes=parked_bytes,
    )


def _resident(pid: int) -> tuple[int, int]:
    """Return the resident bytes of a process, and those of them that are no pages of files.

    The proportional set size would need a walk over the whole mapped model, on the event loop.
    """
    try:
        info = _process(pid).memory_info()
    except psutil.Error:
        return 0, 0
    # psutil has the shared part on Linux only.
    return info.rss, max(0, info.rss - getattr(info, "shared", 0))


@lru_cache(maxsize=1)
def _process(pid: int) -> psutil.Process:
    return psutil.Process(pid)


def _utilisation(statistics: Statistics, window_s: float, now: float) -> float | None:
    share = statistics.occupancy.utilisation(window_s, now)
    return None if share is None else round(share, 3)


def _rounded(samples: TimedSamples, share: float, now: float) -> float | None:
    value = samples.quantile(share, now)
    return None if value is None else round(value, 3)
