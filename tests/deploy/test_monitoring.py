"""The dashboard and the alert rules ask for metrics that are really exported."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from apps.ai_pool.metric import Kind, Metric
from apps.ai_pool.metrics import Metrics
from apps.ai_pool.metrics_sockets import OpenSockets
from apps.ai_pool.metrics_table import METRICS
from tests.apps.ai_pool.metrics_reading import status_of
from tests.project_files import ROOT

FOLDER = ROOT / "deploy/monitoring"
DASHBOARD, ALERTS, SCRAPE = "grafana-dashboard.json", "alerts.yml", "prometheus.yml"
NAME = re.compile(r"\bcorral_\w+")
SELECTOR = re.compile(r"(corral_\w+)\{([^}]*)\}")
MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
OF_PROMETHEUS = {"job", "instance"}

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed (Debian: prometheus)"
)


def exported() -> dict[str, Metric]:
    """Return the metric of every name that a scrape brings."""
    names: dict[str, Metric] = {}
    for metric in METRICS:
        ends = ("_bucket", "_sum", "_count") if metric.kind is Kind.HISTOGRAM else ("",)
        names |= {metric.name + end: metric for end in ends}
    return names


def alerts() -> list[dict[str, Any]]:
    content = yaml.safe_load((FOLDER / ALERTS).read_text())
    return [rule for group in content["groups"] for rule in group["rules"]]


def dashboard() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((FOLDER / DASHBOARD).read_text())
    return content


def dashboard_queries() -> Iterator[str]:
    """Yield every expression of the dashboard, those of its variables and marks too."""
    content = dashboard()
    yield from (one["query"] for one in content["templating"]["list"])
    yield from (one["expr"] for one in content["annotations"]["list"])
    for panel in content["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))


QUERIES = [*dashboard_queries(), *(rule["expr"] for rule in alerts())]


def test_everything_there_is_tested() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {DASHBOARD, ALERTS, SCRAPE}
    assert len(QUERIES) > 60


def test_the_names_are_those_of_a_scrape() -> None:
    """The list these tests compare with is what really comes."""
    text = Metrics(OpenSockets()).render(status_of(waits=(1.0,)))[0].decode()
    names = {match.group() for line in text.splitlines() if (match := NAME.match(line))}
    unknown_now = {"corral_memory_limit_bytes", "corral_memory_pressure_ratio"}
    unknown_now |= {"corral_memory_stall_some_ratio", "corral_memory_stall_full_ratio"}
    assert set(exported()) - names <= unknown_now | {"corral_parked_bytes"}
    assert names <= set(exported())


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_names_what_is_exported(query: str) -> None:
    known = exported()
    assert set(NAME.findall(query)) <= set(known)
    for name, matchers in SELECTOR.findall(query):
        metric = known[name]
        for label, operator, value in MATCHER.findall(matchers):
            if label not in OF_PROMETHEUS:
                assert label == metric.label
                values = set(value.split("|")) if operator in ("=~", "!~") else {value}
                assert values <= set(metric.label_values), query


def test_every_metric_is_on_the_dashboard_or_in_a_rule() -> None:
    asked = {known for query in QUERIES for known in NAME.findall(query)}
    metrics = exported()
    shown = {metrics[name].name for name in asked}
    # Ratios of others, or of interest with the numbers beside them only.
    rest = {"corral_pool_uptime_seconds"}
    assert {metric.name for metric in METRICS} - shown == rest


def test_rates_are_of_counters_and_quantiles_of_buckets() -> None:
    for query in QUERIES:
        for name in re.findall(r"(?:rate|increase)\(\s*(corral_\w+)", query):
            assert name.endswith(("_total", "_bucket")), query
        if "histogram_quantile" in query:
            assert "_bucket" in query


def test_alerts_say_what_to_do() -> None:
    names = [rule["alert"] for rule in alerts()]
    assert len(set(names)) == len(names) >= 12
    for rule in alerts():
        assert rule["alert"].startswith("Corral")
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert set(rule["annotations"]) == {"summary", "action"}


def test_dashboard_panels_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (place["x"] + column, place["y"] + line)
            for column in range(place["w"])
            for line in range(place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells


def promtool(*arguments: str | Path, text: str | None = None) -> None:
    result = subprocess.run(
        ["promtool", *map(str, arguments)], input=text, capture_output=True, text=True, timeout=50
    )
    assert (result.returncode, result.stderr) == (0, ""), result.stdout + result.stderr


@needs_promtool
def test_prometheus_understands_the_rules_and_the_example() -> None:
    promtool("check", "rules", FOLDER / ALERTS)
    promtool("check", "config", FOLDER / SCRAPE)


@needs_promtool
def test_prometheus_has_nothing_to_say_about_the_names() -> None:
    text = Metrics(OpenSockets()).render(status_of(waits=(1.0,)))[0].decode()
    promtool("check", "metrics", text=text)


@needs_promtool
def test_prometheus_understands_the_dashboard(tmp_path: Path) -> None:
    """Its expressions, with the variables of Grafana filled in, are made into rules."""
    variables = {"$__rate_interval": "5m", "$__interval": "1m", "$job": "corral", "$instance": ".*"}
    rules = []
    for query in dashboard_queries():
        if not query.startswith("corral") and "(" not in query or query.startswith("label_values"):
            continue
        for name, value in variables.items():
            query = query.replace(name, value)
        rules.append({"record": "checked", "expr": query, "labels": {"n": str(len(rules))}})
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    assert len(rules) > 45
    promtool("check", "rules", path)


SERIES = [
    ("corral_pool_up", "1x5 0x20"),
    ('corral_pool_state{state="ready"}', "1x40"),
    ('corral_pool_state{state="loading"}', "0x40"),
    ("corral_pool_restarts_total", "0x5 4x40"),
    ('corral_requests_total{outcome="done"}', "0+60x60"),
    ('corral_requests_total{outcome="failed"}', "0+6x60"),
    ('corral_requests_total{outcome="cancelled"}', "0+600x60"),
    ("corral_requests_accepted_total", "0+60x60"),
    ('corral_admission_rejections_total{reason="requests"}', "0+30x60"),
    ('corral_admission_rejections_total{reason="visitor"}', "0+10x60"),
    ('corral_request_queue_time_seconds_bucket{le="2.0"}', "0+1x60"),
    ('corral_request_queue_time_seconds_bucket{le="5.0"}', "0+9x60"),
    ('corral_request_queue_time_seconds_bucket{le="+Inf"}', "0+10x60"),
]
FIRING = {
    "CorralPoolDown": ("10m", 1),
    "CorralPoolRestarts": ("10m", 1),
    "CorralPoolNotReady": ("30m", 0),
    "CorralFailures": ("30m", 1),
    "CorralRefusals": ("40m", 1),
    "CorralLongWaits": ("40m", 1),
}


@needs_promtool
@pytest.mark.parametrize("alert", FIRING)
def test_rules_fire_when_they_should(tmp_path: Path, alert: str) -> None:
    at, num_wanted = FIRING[alert]
    (rule,) = (one for one in alerts() if one["alert"] == alert)
    # Without its sentences and labels, so that only whether it fires is compared.
    bare = {key: value for key, value in rule.items() if key not in ("annotations", "labels")}
    (tmp_path / "rules.yml").write_text(
        yaml.safe_dump({"groups": [{"name": "one", "rules": [bare]}]})
    )
    expected = [{"exp_labels": {}}] * num_wanted
    test = {
        "rule_files": ["rules.yml"],
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in SERIES],
                "alert_rule_test": [{"eval_time": at, "alertname": alert, "exp_alerts": expected}],
            }
        ],
    }
    (tmp_path / "test.yml").write_text(yaml.safe_dump(test))
    promtool("test", "rules", tmp_path / "test.yml")
