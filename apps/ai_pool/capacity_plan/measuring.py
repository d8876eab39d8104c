"""Gets the figures of this machine: from the running pool, or by a short measurement."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys

from django.conf import settings

from ai_model.hardware import memory_limit_bytes, num_usable_cpus
from ai_model.pool.status import ModelStatus, PoolState
from apps.ai_pool import conf, services
from apps.ai_pool.capacity_plan.figures import BadFigures, Figures, checked_points

MEASURE_TIMEOUT_S = 300.0


def figures_here() -> Figures:
    """Return this machine's figures; measures in a child process when no pool runs.

    Raises BadFigures when measuring fails, and what conf.pool_plan() raises.
    """
    plan = conf.pool_plan()
    status = asyncio.run(services.pool_status())
    model = status.model if status.state is PoolState.READY else None
    if model is not None and len(model.step_us) > 1:
        return _figures(plan, model, _points_of(model), model.cell_us / 1000, "the running pool")
    points, cell_ms = _measure(plan)
    return _figures(plan, None, points, cell_ms, "a measurement just now")


def _points_of(model: ModelStatus) -> tuple[tuple[int, float], ...]:
    return checked_points([(size, cost / 1000) for size, cost in model.step_us.items()])


def _measure(plan: conf.PoolPlan) -> tuple[tuple[tuple[int, float], ...], float]:
    config = plan.config
    command = [
        *(sys.executable, "-m", "ai_model.engine.step_probe"),
        *("--model", str(config.model_path.absolute()), "--threads", str(config.num_threads)),
        *("--n-ctx", str(config.n_ctx)),
    ]
    try:
        done = subprocess.run(
            command,
            cwd=settings.BASE_DIR,
            capture_output=True,
            text=True,
            timeout=MEASURE_TIMEOUT_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        raise BadFigures(f"Measuring took more than {MEASURE_TIMEOUT_S:.0f} s.") from None
    try:
        measured = json.loads(done.stdout)
        return checked_points(measured["points"]), float(measured["cell_ms"])
    except (ValueError, KeyError, TypeError):
        last = (done.stderr.strip().splitlines() or ["no reason was given"])[-1]
        raise BadFigures(f"The step costs could not be measured: {last[:200]}") from None


def _figures(
    plan: conf.PoolPlan,
    model: ModelStatus | None,
    points: tuple[tuple[int, float], ...],
    cell_ms: float,
    source: str,
) -> Figures:
    config, info = plan.config, plan.info
    return Figures(
        model=info.title if model is None else model.name,
        quant=info.quant if model is None else model.quant,
        weights_bytes=(model.size_bytes if model else 0) or info.size_bytes,
        kv_bytes_per_token=(model.kv_bytes_per_token if model else 0) or info.kv_bytes_per_token,
        n_ctx=config.n_ctx if model is None else model.n_ctx,
        max_tokens=config.max_tokens,
        points=points,
        cell_ms=cell_ms,
        num_cpus=num_usable_cpus(),
        memory_bytes=memory_limit_bytes(),
        num_instances=config.max_instances,
        queue_size=config.queue_size,
        timeout_s=config.timeout_s,
        chunk_tokens=config.chunk_tokens,
        target_itl_ms=config.target_itl_ms,
        max_tok_s=config.max_tok_s,
        parked_bytes=config.parked_bytes,
        source=source,
    )
