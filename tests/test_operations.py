"""What docs/operations.md sends its reader to exists: metrics, settings, alerts, findings."""

from __future__ import annotations

import re

import yaml

from apps.ai_pool.check_table import CHECKS
from apps.ai_pool.metrics_table import METRICS
from backend.env import SETTINGS
from tests.project_files import ROOT

PAGE = (ROOT / "docs/operations.md").read_text()
TABLES = PAGE[PAGE.index("## From symptom to action") : PAGE.index("## The log")]


def test_metrics_and_settings_that_are_named_exist() -> None:
    named = set(re.findall(r"`(corral_[a-z_]+)`", PAGE))
    assert len(named) > 15 and named <= {metric.name for metric in METRICS}
    settings = set(re.findall(r"`(CORRAL_[A-Z_]+)[=`]", PAGE))
    assert len(settings) > 15 and settings <= {setting.name for setting in SETTINGS}
    assert set(re.findall(r"`(corral\.[EW]\d+)`", PAGE)) <= {check.id for check in CHECKS}


def test_every_alert_has_a_row() -> None:
    rules = yaml.safe_load((ROOT / "deploy/monitoring/alerts.yml").read_text())
    alerts = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    assert set(re.findall(r"\bCorral[A-Z][A-Za-z]+", TABLES)) == alerts


def test_findings_of_the_doctor_that_are_named_exist() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "apps/ai_pool/doctor").glob("*.py"))
    for row in re.findall(r"manage\.py doctor` \(((?:`[a-z-]+`(?:, )?)+)\)", TABLES):
        for name in re.findall(r"`([a-z-]+)`", row):
            assert f'"{name}"' in sources


def test_every_row_says_what_to_do() -> None:
    rows = [line for line in TABLES.splitlines() if line.startswith("| ")]
    rows = [row for row in rows if not row.startswith("| You see")]
    assert len(rows) > 25
    for row in rows:
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert len(cells) == 4 and all(cells), row


def test_every_metric_setting_and_check_is_one_click_away() -> None:
    for name, names in (
        ("metrics.md", [metric.name for metric in METRICS]),
        ("settings.md", [setting.name for setting in SETTINGS]),
        ("checks.md", [check.id for check in CHECKS]),
    ):
        assert f"({name})" in PAGE
        linked = (ROOT / "docs" / name).read_text()
        assert [one for one in names if f"`{one}`" not in linked] == []
