"""What /metrics says is what Prometheus understands, and what the pool said."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from prometheus_client import REGISTRY
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as open_metrics_families,
)
from prometheus_client.parser import text_string_to_metric_families

from ai_model.pool.status import MemoryStatus, ModelStatus, PoolStatus
from apps.ai_pool.limits.refusals import MESSAGES, Refusals
from apps.ai_pool.metric import BASE_UNITS, Kind
from apps.ai_pool.metrics import Metrics
from apps.ai_pool.metrics_sockets import OpenSockets
from apps.ai_pool.metrics_table import METRICS
from apps.ai_pool.sign_in.outcomes import SignInCounts
from tests.apps.ai_pool.metrics_reading import samples_of, status_of

OPEN_METRICS = "application/openmetrics-text; version=1.0.0"


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(OpenSockets(), Refusals(), SignInCounts())


def test_every_name_has_help_type_and_unit(metrics: Metrics) -> None:
    """And nothing is exported that is not in the table."""
    text, content_type = metrics.render(status_of())
    assert content_type.startswith("text/plain; version=0.0.4")
    families = {family.name: family for family in text_string_to_metric_families(text.decode())}
    table = {metric.name.removesuffix("_total"): metric for metric in METRICS}
    # A gauge whose number is not known is announced all the same.
    assert set(families) == set(table)
    for name, metric in table.items():
        family = families[name]
        assert family.documentation == metric.help and metric.help.endswith(".")
        assert family.type == ("gauge" if metric.kind is Kind.INFO else metric.kind)
        assert metric.unit
        named = {unit for unit in BASE_UNITS if name.endswith(f"_{unit}")}
        assert named == BASE_UNITS & {metric.unit}, name


def test_names_and_labels_are_those_prometheus_asks_for() -> None:
    for metric in METRICS:
        assert re.fullmatch(r"corral(_[a-z0-9]+)+", metric.name)
        assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER)
        assert bool(metric.label_values) == (bool(metric.label) and metric.kind is not Kind.INFO)
        assert len(set(metric.label_values)) == len(metric.label_values)
    assert len({metric.name for metric in METRICS}) == len(METRICS)


def test_open_metrics(metrics: Metrics) -> None:
    """The newer format, which tells units as well, passes its own stricter parser."""
    text, content_type = metrics.render(status_of(waits=(1.0,)), OPEN_METRICS)
    assert content_type.startswith("application/openmetrics-text")
    families = {family.name: family for family in open_metrics_families(text.decode())}
    assert families["corral_request_queue_time_seconds"].unit == "seconds"
    assert len(families) == len(METRICS)


def test_numbers_of_the_pool(metrics: Metrics) -> None:
    status = status_of(
        waits=(0.05, 3.0, 500.0),
        outcomes={"done": 10, "user_stop": 2},
        refusal_reasons={"wait": 4},
        num_prompt_tokens=200,
        num_cached_tokens=150,
        memory=MemoryStatus(parked_bytes=77, level="high"),
        running_s=30.5,
    )
    samples = samples_of(metrics.render(status)[0])
    assert samples["corral_pool_up"] == 1
    assert samples['corral_pool_state{state="ready"}'] == 1
    assert samples['corral_pool_state{state="down"}'] == 0
    assert samples['corral_requests_total{outcome="done"}'] == 10
    assert samples['corral_requests_total{outcome="failed"}'] == 0
    assert samples['corral_admission_rejections_total{reason="wait"}'] == 4
    assert samples['corral_instances{state="decode"}'] == 1
    assert samples["corral_requests_waiting"] == 1
    assert samples["corral_prefix_cache_queries_total"] == 200
    assert samples["corral_prefix_cache_hits_total"] == 150
    assert samples["corral_parked_bytes"] == 77
    assert samples["corral_instance_busy_seconds_total"] == 30.5
    assert samples['corral_pressure_level{level="high"}'] == 1
    assert samples['corral_pressure_level{level="low"}'] == 0
    queue = "corral_request_queue_time_seconds"
    assert samples[f'{queue}_bucket{{le="0.1"}}'] == 1
    assert samples[f'{queue}_bucket{{le="5.0"}}'] == 2
    assert samples[f'{queue}_bucket{{le="120.0"}}'] == 2
    assert samples[f'{queue}_bucket{{le="+Inf"}}'] == samples[f"{queue}_count"] == 3
    assert samples[f"{queue}_sum"] == pytest.approx(503.05)


def test_every_counter_and_histogram_begins_at_0(metrics: Metrics) -> None:
    """A series that is born with its first event hides that event from rate()."""
    empty = samples_of(metrics.render(PoolStatus.down("none yet"))[0])
    for metric in METRICS:
        if metric.kind is Kind.COUNTER:
            for value in metric.label_values:
                assert empty[f'{metric.name}{{{metric.label}="{value}"}}'] == 0
            if not metric.label:
                assert empty[metric.name] == 0
        if metric.kind is Kind.HISTOGRAM:
            assert empty[f"{metric.name}_count"] == empty[f"{metric.name}_sum"] == 0


def test_a_pool_that_is_down(metrics: Metrics) -> None:
    """Its gauges are missing rather than 0, and its counters stay."""
    metrics.render(status_of(num_accepted=9))
    samples = samples_of(metrics.render(PoolStatus.down("killed"))[0])
    assert samples["corral_pool_up"] == 0
    assert samples['corral_pool_state{state="down"}'] == 1
    assert "corral_requests_waiting" not in samples
    assert samples["corral_requests_accepted_total"] == 9


def test_nothing_goes_back_when_the_pool_is_started_again(metrics: Metrics) -> None:
    """Every sample of a counter or histogram, over a restart."""
    busy = {"num_accepted": 9, "outcomes": {"done": 7}, "num_prompt_tokens": 99, "running_s": 5.0}
    before = samples_of(metrics.render(status_of("a", waits=(0.2, 40.0), **busy))[0])
    after = samples_of(metrics.render(status_of("b", num_restarts=1))[0])
    growing = [name for name in before if re.search(r"_(total|bucket|count|sum)\b", name)]
    assert len(growing) > 100
    assert {name for name in growing if after[name] < before[name]} == set()
    assert after["corral_requests_accepted_total"] == 9
    assert after["corral_pool_restarts_total"] == 1


def test_the_release_and_a_hostile_model_name(metrics: Metrics) -> None:
    """The name comes from a file of somebody else."""
    model = ModelStatus(name='M"}\n1\\' + "x" * 5000, quant="Q8_0", is_demo=True, n_ctx=512)
    text, _ = metrics.render(status_of(model=model))
    (line,) = (one for one in text.decode().splitlines() if one.startswith("corral_build_info{"))
    assert len(line) < 300
    (name,) = (name for name in samples_of(text) if name.startswith("corral_build_info"))
    assert 'version="0.' in name and 'is_demo="true"' in name and 'quant="Q8_0"' in name


def test_no_ids_and_no_sentences(metrics: Metrics) -> None:
    """Generation ids, reasons, notices and causes stay inside."""
    status = replace(
        status_of(), reason="SECRET-A", notice="SECRET-B", last_restart_cause="SECRET-C"
    )
    for accept in ("", OPEN_METRICS):
        text = metrics.render(status, accept)[0].decode()
        assert "SECRET" not in text
        assert "7f3a1111" not in text


def test_refusals() -> None:
    refusals = Refusals()
    metrics = Metrics(OpenSockets(), refusals)
    refusals.count(MESSAGES)
    samples = samples_of(metrics.render(PoolStatus.down(""))[0])
    assert samples['corral_limit_refusals_total{limit="messages"}'] == 1
    assert samples['corral_limit_refusals_total{limit="tokens"}'] == 0


def test_sockets() -> None:
    sockets = OpenSockets()
    metrics = Metrics(sockets)
    sockets.open()
    sockets.open()
    sockets.close()
    samples = samples_of(metrics.render(PoolStatus.down(""))[0])
    assert samples["corral_websocket_connections"] == 1
    assert samples["corral_websockets_opened_total"] == 2


def test_nothing_global(metrics: Metrics) -> None:
    """Other users of the library in this process see nothing of it."""
    metrics.render(status_of())
    assert not any(family.name.startswith("corral") for family in REGISTRY.collect())


def test_the_number_of_series_is_bounded(metrics: Metrics) -> None:
    """Whatever a pool invents."""
    usual = len(samples_of(metrics.render(status_of())[0]))
    strange = {f"new {number}": 1 for number in range(60)}
    status = status_of(outcomes=strange, errors=strange, refusal_reasons=strange, deadlines=strange)
    assert len(samples_of(metrics.render(status)[0])) == usual < 250
