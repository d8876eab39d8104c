"""What the tests of the metrics read them with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from ai_model.pool.latencies import Latencies, Latency
from ai_model.pool.status import PoolStatus
from tests.apps.ai_pool.conftest import READY


def samples_of(text: bytes) -> dict[str, float]:
    """Return every sample by its name and labels, such as ``corral_instances{state="idle"}``."""
    return {
        sample.name + _labels(sample.labels): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def _labels(labels: dict[str, str]) -> str:
    pairs = ",".join(f'{name}="{value}"' for name, value in sorted(labels.items()))
    return f"{{{pairs}}}" if pairs else ""


def status_of(life: str = "a", *, waits: tuple[float, ...] = (), **values: Any) -> PoolStatus:
    """Return what a pool says in one of its lives; ``waits`` are seconds in line."""
    latencies = Latencies()
    for seconds in waits:
        latencies.add(Latency.QUEUE, seconds)
    return replace(READY, **{"life": life, "latencies": latencies.figures()} | values)
