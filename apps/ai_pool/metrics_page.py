"""The page ``docs/metrics.md``, written from the table of metrics."""

from __future__ import annotations

from apps.ai_pool.metric import Kind, Metric
from apps.ai_pool.metrics_table import METRICS

_HEAD = """\
# Metrics

`/metrics` shows them in the text format of Prometheus. A look at it asks the pool once and never
waits for an answer that is being written; when no pool answers within 1.5 s, `corral_pool_up` is 0.
No metric holds a text or a name of a visitor, and no label grows by itself.

One look was measured at 12 to 17 ms of CPU in the web process on two cores, 4 ms of that in one
piece; the upper end with eight answers running, whose streaming is counted in. In the pool it was
about 1 ms, measured while nothing ran. A look every 15 s takes around 0.1 % of a core.

| Who may read it | How |
|---|---|
| a Prometheus on this machine | `127.0.0.1:8000`; add `127.0.0.1` to `ALLOWED_HOSTS` |
| one elsewhere | `CORRAL_METRICS_TOKEN` as bearer token, or `CORRAL_METRICS_ALLOW` |
| staff | signed in to the admin |

Everybody else gets 404, and so does whoever comes by a proxy that `NUM_PROXIES` does not count.

Counters go on when the pool process is started again: the web process adds up what each of them
has counted. What a process counts after the last look at it is lost when it dies. A web process
that starts again begins with what the pool has counted so far.

Several web processes that share one pool all show that pool: scrape each of them as an instance of
its own, and take the pool's numbers from one (`max without (instance) (...)`), the sockets from all
(`sum without (instance) (...)`).

`deploy/monitoring/` has a scrape example, alert rules and a dashboard for Grafana.

This page is written by `python manage.py metrics_table --write`.
"""


def metrics_markdown() -> str:
    """The text of ``docs/metrics.md``."""
    lines = [
        *(_HEAD.splitlines()),
        "",
        "| Name | Type | Unit | Labels | Meaning |",
        "|---|---|---|---|---|",
        *(_markdown_row(metric) for metric in METRICS),
        "",
        "## Buckets",
        "",
        "Upper ends, in seconds. They fit a CPU, where a token takes 10 to 300 ms.",
        "",
        "| Name | Buckets |",
        "|---|---|",
        *(
            f"| `{metric.name}` | {', '.join(f'{bound:g}' for bound in metric.bounds)} |"
            for metric in METRICS
            if metric.kind is Kind.HISTOGRAM
        ),
    ]
    return "\n".join(lines) + "\n"


def _markdown_row(metric: Metric) -> str:
    label = f"`{metric.label}`" if metric.label else ""
    if metric.label_values:
        label += ": " + ", ".join(metric.label_values)
    return f"| `{metric.name}` | {metric.kind} | {metric.unit} | {label} | {metric.help} |"
