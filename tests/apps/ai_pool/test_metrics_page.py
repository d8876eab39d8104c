"""docs/metrics.md is the table of metrics, written out."""

from __future__ import annotations

import io

from django.core.management import call_command

from apps.ai_pool.metrics_page import metrics_markdown
from apps.ai_pool.metrics_table import METRICS
from backend.env import BASE_DIR


def test_the_page_is_up_to_date() -> None:
    page = (BASE_DIR / "docs" / "metrics.md").read_text()
    assert page == metrics_markdown(), "run `manage.py metrics_table --write`"


def test_every_metric_has_a_whole_row() -> None:
    rows = [line for line in metrics_markdown().splitlines() if line.startswith("| `corral_")]
    for metric in METRICS:
        (row, *_) = (one for one in rows if one.startswith(f"| `{metric.name}` |"))
        assert row.count("|") == 6 and metric.help in row


def test_command_prints_the_table() -> None:
    out = io.StringIO()
    call_command("metrics_table", stdout=out)
    assert out.getvalue() == metrics_markdown()
