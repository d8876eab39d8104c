"""All checks together."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from apps.ai_pool.doctor import examination
from apps.ai_pool.doctor.examination import examine
from apps.ai_pool.doctor.finding import Level
from tests.apps.ai_pool.doctor.findings import bad

GROUPS = ["Machine", "Model", "Site", "Data"]


@pytest.mark.django_db
def test_looks_at_everything(tiny_settings: Settings) -> None:
    tiny_settings.CORRAL_THREADS = 200
    groups = list(examine())
    assert [group.title for group in groups] == GROUPS
    ids = {finding.id for group in groups for finding in group.findings}
    assert {"threads-above-quota", "memory", "model", "backup-missing", "database"} <= ids
    assert {"secret", "secrets", "debug", "hosts", "open-files"} <= ids
    assert "check-failed" not in ids


@pytest.mark.django_db
def test_broken_check_does_not_stop_the_others(
    tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check_pressure() -> None:
        raise RuntimeError("no such thing")

    monkeypatch.setattr(examination, "check_pressure", check_pressure)
    groups = list(examine())
    finding = bad(groups[0].findings)["check-failed"]
    assert "check_pressure" in finding.sentence and "RuntimeError: no such" in finding.sentence
    assert "as the user of the server" in finding.fix
    assert [group.title for group in groups] == GROUPS


@pytest.mark.django_db
def test_impossible_settings_are_said_once(tiny_settings: Settings) -> None:
    tiny_settings.CORRAL_HOT_INSTANCES = 60
    found = [one for group in examine() for one in group.findings if one.level is Level.ERROR]
    assert [one.id for one in found] == ["settings-impossible"]
