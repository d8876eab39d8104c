"""What ``/metrics`` shows, in the formats that Prometheus reads."""

from __future__ import annotations

import threading
import tomllib
from collections.abc import Iterator
from functools import cache
from itertools import accumulate

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector, CollectorRegistry

from ai_model.pool.status import PoolStatus
from apps.ai_pool.limits.refusals import REFUSALS, Refusals
from apps.ai_pool.metric import BASE_UNITS, Kind, Metric, Reading
from apps.ai_pool.metrics_sockets import SOCKETS, OpenSockets
from apps.ai_pool.metrics_table import METRICS
from apps.ai_pool.metrics_totals import SUM, Totals
from apps.ai_pool.sign_in.outcomes import SIGN_INS, SignInCounts
from backend.env import BASE_DIR

MAX_LABEL_CHARS = 100


class PoolCollector(Collector):
    """Turns the last reading and the totals into families. Holds no text of any visitor."""

    def __init__(self) -> None:
        self.totals = Totals()
        self.reading = Reading(PoolStatus.down(""))

    def collect(self) -> Iterator[Family]:
        """Yield one family for each metric of the table."""
        for metric in METRICS:
            match metric.kind:
                case Kind.INFO:
                    yield self._info(metric)
                case Kind.GAUGE:
                    yield self._gauge(metric)
                case Kind.COUNTER:
                    yield self._counter(metric)
                case Kind.HISTOGRAM:
                    yield self._histogram(metric)

    def _info(self, metric: Metric) -> Family:
        model = self.reading.status.model
        about = {
            "version": product_version(),
            "model": "" if model is None else _label(model.name),
            "quant": "" if model is None else _label(model.quant),
            "is_demo": "" if model is None else str(model.is_demo).lower(),
        }
        return InfoMetricFamily(metric.name.removesuffix("_info"), metric.help, value=about)

    def _gauge(self, metric: Metric) -> Family:
        family = GaugeMetricFamily(
            metric.name, metric.help, labels=_labels(metric), unit=_unit(metric)
        )
        for value, number in metric.read(self.reading).items():
            family.add_metric([value] if metric.label else [], number)
        return family

    def _counter(self, metric: Metric) -> Family:
        name = metric.name.removesuffix("_total")
        family = CounterMetricFamily(name, metric.help, labels=_labels(metric), unit=_unit(metric))
        own = metric.read(self.reading) if metric.is_own else {}
        for value in metric.label_values or ("",):
            number = own[value] if metric.is_own else self.totals[metric.name, value]
            family.add_metric([value] if metric.label else [], number)
        return family

    def _histogram(self, metric: Metric) -> Family:
        family = HistogramMetricFamily(metric.name, metric.help, unit=_unit(metric))
        bounds = [*map(str, metric.bounds), "+Inf"]
        counts = (self.totals[metric.name, str(index)] for index in range(len(bounds)))
        buckets = list(zip(bounds, accumulate(counts), strict=True))
        family.add_metric([], buckets=buckets, sum_value=self.totals[metric.name, SUM])
        return family


class Metrics:
    """The metrics of this web process, with a registry of their own. Thread-safe."""

    def __init__(
        self,
        sockets: OpenSockets = SOCKETS,
        refusals: Refusals = REFUSALS,
        sign_ins: SignInCounts = SIGN_INS,
    ) -> None:
        self._sockets = sockets
        self._refusals = refusals
        self._sign_ins = sign_ins
        self._lock = threading.Lock()
        self._collector = PoolCollector()
        self._registry = CollectorRegistry()
        self._registry.register(self._collector)

    def render(self, status: PoolStatus, accept: str = "") -> tuple[bytes, str]:
        """Return the text for a look at the pool, and its content type.

        ``accept`` is the header of the request: Prometheus may ask for the OpenMetrics format.
        Takes some milliseconds and waits for nothing.
        """
        encode, content_type = choose_encoder(accept)
        with self._lock:
            self._collector.totals.take(status)
            self._collector.reading = Reading(
                status,
                self._sockets.num_open,
                self._sockets.num_opened,
                self._refusals.counts(),
                self._sign_ins.values(),
            )
            return encode(self._registry), content_type


@cache
def metrics() -> Metrics:
    """Return those of this process: they remember what earlier pool processes have counted."""
    return Metrics()


@cache
def product_version() -> str:
    """The version of the product."""
    with (BASE_DIR / "pyproject.toml").open("rb") as file:
        version: str = tomllib.load(file)["project"]["version"]
    return version


def _labels(metric: Metric) -> list[str]:
    return [metric.label] if metric.label else []


def _unit(metric: Metric) -> str:
    return metric.unit if metric.unit in BASE_UNITS else ""


def _label(text: str) -> str:
    """Return a text of the model file as a label: printable and short."""
    return "".join(char for char in text if char.isprintable())[:MAX_LABEL_CHARS]
