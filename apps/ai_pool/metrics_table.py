"""The table of every metric: name, unit, labels, help, and where its number comes from.

It is the single source of what ``/metrics`` exports and of ``docs/metrics.md``. Counters count on
when the pool process is started again; see ``metrics_totals.py``.
"""

from __future__ import annotations

from collections.abc import Callable

from ai_model.pool.deadlines import Deadline
from ai_model.pool.endings import CODE_OF_DEADLINE
from ai_model.pool.errors import RefusalReason
from ai_model.pool.generation import Outcome
from ai_model.pool.latencies import Latency
from ai_model.pool.status import PoolState, PoolStatus
from apps.ai_pool.limits.refusals import LIMITS
from apps.ai_pool.metric import Kind, Metric, Reading, Values
from apps.ai_pool.sign_in.outcomes import SignInOutcome

OTHER = "other"
"""Label of whatever the table does not name: labels never grow by themselves."""
INSTANCE_STATES = ("idle", "prefill", "decode")
LEVELS = ("low", "medium", "high", "critical")
REFUSALS = (*(str(reason) for reason in RefusalReason), "paused", "pool_lost", OTHER)
ERRORS = (*CODE_OF_DEADLINE.values(), "internal", "no_model", "pool_lost", "too_long", OTHER)


def _one(value: float | None) -> Values:
    return {} if value is None else {"": value}


def _chosen(value: str, choices: tuple[str, ...]) -> Values:
    return {choice: float(choice == value) for choice in choices}


def _counter(name: str, unit: str, help: str, read: Callable[[PoolStatus], float]) -> Metric:
    return Metric(
        name=f"corral_{name}_total",
        kind=Kind.COUNTER,
        unit=unit,
        help=help,
        read=lambda reading: _one(read(reading.status)),
    )


def _counters(
    name: str,
    unit: str,
    help: str,
    label: str,
    label_values: tuple[str, ...],
    read: Callable[[PoolStatus], Values],
) -> Metric:
    return Metric(
        name=f"corral_{name}_total",
        kind=Kind.COUNTER,
        unit=unit,
        help=help,
        label=label,
        label_values=label_values,
        read=lambda reading: read(reading.status),
    )


def _gauge(name: str, unit: str, help: str, read: Callable[[PoolStatus], float | None]) -> Metric:
    """A number that only a pool that answers can tell."""
    return Metric(
        name=f"corral_{name}",
        kind=Kind.GAUGE,
        unit=unit,
        help=help,
        read=lambda reading: _one(read(reading.status)) if reading.status.pid else {},
    )


def _histogram(name: str, latency: Latency, help: str) -> Metric:
    return Metric(
        name=f"corral_{name}", kind=Kind.HISTOGRAM, unit="seconds", help=help, latency=latency
    )


def _instances(reading: Reading) -> Values:
    counts = dict.fromkeys((*INSTANCE_STATES, OTHER), 0.0)
    for instance in reading.status.instances:
        counts[instance.state if instance.state in INSTANCE_STATES else OTHER] += 1
    return counts


METRICS: tuple[Metric, ...] = (
    Metric(
        name="corral_build_info",
        kind=Kind.INFO,
        unit="info",
        help="Always 1. The release of Corral, and the model in use.",
        label="version, model, quant, is_demo",
    ),
    # How the pool is.
    Metric(
        name="corral_pool_up",
        kind=Kind.GAUGE,
        unit="pools",
        help="1 when the pool process answered this look at it, otherwise 0.",
        read=lambda reading: _one(float(reading.status.pid > 0)),
    ),
    Metric(
        name="corral_pool_state",
        kind=Kind.GAUGE,
        unit="pools",
        help="1 at the state the pool is in.",
        label="state",
        label_values=tuple(map(str, PoolState)),
        read=lambda reading: _chosen(str(reading.status.state), tuple(map(str, PoolState))),
    ),
    _gauge("pool_uptime_seconds", "seconds", "Age of the pool process.", lambda s: s.uptime_s),
    _gauge(
        "engine_heartbeat_age_seconds",
        "seconds",
        "Since when the engine has shown no sign of life.",
        lambda s: s.heartbeat_age_s,
    ),
    Metric(
        name="corral_pool_restarts_total",
        kind=Kind.COUNTER,
        unit="processes",
        help="Pool processes that were started in the place of an earlier one.",
    ),
    Metric(
        name="corral_pressure_level",
        kind=Kind.GAUGE,
        unit="pools",
        help="1 at the level of memory pressure the pool reports; all 0 while it reports none.",
        label="level",
        label_values=LEVELS,
        read=lambda reading: _chosen(reading.status.memory.level, LEVELS),
    ),
    # Instances and the line.
    Metric(
        name="corral_instances",
        kind=Kind.GAUGE,
        unit="instances",
        help="Instances by what they do.",
        label="state",
        label_values=(*INSTANCE_STATES, OTHER),
        read=_instances,
    ),
    _gauge(
        "instances_max", "instances", "Instances the pool may grow to.", lambda s: s.max_instances
    ),
    _counter(
        "instance_busy_seconds",
        "seconds",
        "Time that instances were taken, summed over instances.",
        lambda s: s.running_s,
    ),
    _counter(
        "instance_available_seconds",
        "seconds",
        "Time that instances were there, summed over instances; busy / available is utilisation.",
        lambda s: s.instance_s,
    ),
    _gauge("requests_running", "requests", "Requests with an instance.", lambda s: s.num_running),
    _gauge("requests_waiting", "requests", "Requests in line.", lambda s: s.num_waiting),
    _gauge("queue_capacity", "requests", "Requests that may wait.", lambda s: s.queue_size),
    _gauge(
        "queued_tokens",
        "tokens",
        "Estimated work in line: tokens of prompts and answers.",
        lambda s: s.waiting_tokens,
    ),
    _gauge(
        "oldest_wait_seconds",
        "seconds",
        "How long the one who waits longest has waited; 0 when nobody waits.",
        lambda s: s.oldest_wait_s,
    ),
    # What became of requests.
    _counter("requests_accepted", "requests", "Requests taken.", lambda s: s.num_accepted),
    _counters(
        "admission_rejections",
        "requests",
        "Requests not taken, by the limit they met.",
        "reason",
        REFUSALS,
        lambda s: s.refusal_reasons,
    ),
    _counters(
        "requests",
        "requests",
        "Requests that were taken and have ended, by how.",
        "outcome",
        (*map(str, Outcome), OTHER),
        lambda s: s.outcomes,
    ),
    _counters(
        "request_errors",
        "requests",
        "Requests that ended with an error, by its code.",
        "code",
        ERRORS,
        lambda s: s.errors,
    ),
    _counters(
        "deadlines",
        "requests",
        "Deadlines that requests have passed.",
        "kind",
        (*map(str, Deadline), OTHER),
        lambda s: s.deadlines,
    ),
    # How long it took.
    _histogram(
        "request_queue_time_seconds",
        Latency.QUEUE,
        "From a request until its instance, for requests that got one.",
    ),
    _histogram(
        "time_to_first_token_seconds",
        Latency.FIRST_TEXT,
        "From a request until the first text of its answer, the wait in line included.",
    ),
    _histogram(
        "inter_token_latency_seconds",
        Latency.INTER_TOKEN,
        "Between two tokens of an answer.",
    ),
    _histogram("request_prefill_time_seconds", Latency.PREFILL, "Reading one prompt."),
    _histogram("request_decode_time_seconds", Latency.DECODE, "Writing one answer."),
    _histogram(
        "e2e_request_latency_seconds",
        Latency.ANSWER,
        "From a request until its complete answer; only of those that became complete.",
    ),
    _histogram(
        "cancel_latency_seconds", Latency.CANCEL, "From a cancel until its instance is free."
    ),
    _histogram(
        "eta_abs_error_seconds",
        Latency.ETA_ERROR,
        "How far the first promised wait (its median) was from the real one; for who gave up "
        "after the promised time, at least so far.",
    ),
    # Tokens.
    _counter(
        "prompt_tokens",
        "tokens",
        "Tokens of the prompts of ended requests.",
        lambda s: s.num_prompt_tokens,
    ),
    _counter(
        "generation_tokens",
        "tokens",
        "Tokens written for ended requests.",
        lambda s: s.num_generated_tokens,
    ),
    _counter(
        "prefix_cache_queries",
        "tokens",
        "Prompt tokens that were looked up among those already read: all of them.",
        lambda s: s.num_prompt_tokens,
    ),
    _counter(
        "prefix_cache_hits",
        "tokens",
        "Prompt tokens that needed no reading because they were held already.",
        lambda s: s.num_cached_tokens,
    ),
    _gauge(
        "decode_tokens_per_second",
        "tokens per second",
        "Speed of writing at the moment by the clock, over all instances.",
        lambda s: s.decode_tok_s,
    ),
    _gauge(
        "prefill_tokens_per_second",
        "tokens per second",
        "Speed of reading at the moment.",
        lambda s: s.prefill_tok_s,
    ),
    # Memory.
    _gauge(
        "memory_resident_bytes",
        "bytes",
        "Resident memory of the pool process, the mapped model file included.",
        lambda s: s.memory.rss_bytes,
    ),
    _gauge(
        "memory_anonymous_bytes",
        "bytes",
        "The part of it that the system cannot drop and read again from a file.",
        lambda s: s.memory.anon_bytes,
    ),
    _gauge(
        "memory_limit_bytes",
        "bytes",
        "Memory the site may use; missing while the pool does not tell.",
        lambda s: s.memory.limit_bytes or None,
    ),
    _gauge(
        "memory_pressure_ratio",
        "ratio",
        "Memory needed as a share of the limit; missing while the pool does not tell.",
        lambda s: s.memory.pressure,
    ),
    _gauge(
        "memory_stall_some_ratio",
        "ratio",
        "Share of the last 10 s in which some task waited for memory; missing where the kernel "
        "does not tell.",
        lambda s: s.memory.stall_some,
    ),
    _gauge(
        "memory_stall_full_ratio",
        "ratio",
        "The same for all tasks at once.",
        lambda s: s.memory.stall_full,
    ),
    _gauge("model_bytes", "bytes", "Size of the model.", lambda s: s.memory.weights_bytes),
    _gauge(
        "kv_bytes",
        "bytes",
        "KV states of the conversations that instances hold.",
        lambda s: s.memory.kv_bytes,
    ),
    _gauge(
        "kv_reserved_bytes",
        "bytes",
        "KV states of all instances with a full context.",
        lambda s: s.memory.kv_reserved_bytes,
    ),
    _gauge(
        "parked_bytes",
        "bytes",
        "KV states of conversations that hold no instance.",
        lambda s: s.memory.parked_bytes,
    ),
    # The web process.
    Metric(
        name="corral_websocket_connections",
        kind=Kind.GAUGE,
        unit="sockets",
        help="Open chat sockets of this web process.",
        read=lambda reading: _one(reading.num_sockets),
    ),
    Metric(
        name="corral_websockets_opened_total",
        kind=Kind.COUNTER,
        unit="sockets",
        help="Chat sockets that this web process has opened.",
        is_own=True,
        read=lambda reading: _one(reading.num_sockets_opened),
    ),
    Metric(
        name="corral_sign_ins_total",
        kind=Kind.COUNTER,
        unit="sign-ins",
        help="Attempts to sign in to the admin at this web process, by how they ended.",
        label="outcome",
        label_values=tuple(str(outcome) for outcome in SignInOutcome),
        is_own=True,
        read=lambda reading: reading.sign_ins,
    ),
    Metric(
        name="corral_limit_refusals_total",
        kind=Kind.COUNTER,
        unit="refusals",
        help="What this web process refused, by the limit that was met.",
        label="limit",
        label_values=LIMITS,
        is_own=True,
        read=lambda reading: {limit: reading.num_refused.get(limit, 0.0) for limit in LIMITS},
    ),
)
