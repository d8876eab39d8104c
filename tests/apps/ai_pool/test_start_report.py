"""What a server says about its configuration when it starts: one block, once."""

from __future__ import annotations

import logging
import threading
import time

import pytest
from django.core.checks import CheckMessage, Error, Info, Warning
from pytest_django import Settings

from apps.ai_pool import start_report
from apps.widget.models import Site

WRONG = Error("This cannot be.", hint="Mend\nit.", id="corral.E999")
ODD = Warning("This is odd", id="corral.W999")


def test_one_record_with_the_worst_first(caplog: pytest.LogCaptureFixture) -> None:
    start_report.write_report([ODD, WRONG, ODD])
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage().splitlines() == [
        "The configuration was checked: 1 error, 2 warnings.",
        "  error: This cannot be. Mend it. (corral.E999)",
        "  warning: This is odd. (corral.W999)",
        "  warning: This is odd. (corral.W999)",
    ]


def test_nothing_wrong_is_said_too(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        start_report.write_report([])
    assert [record.getMessage() for record in caplog.records] == [
        "The configuration was checked; nothing is wrong."
    ]


def test_silenced_and_smaller_things_are_left_out(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, object]] = []

    def run_checks(**options: object) -> list[CheckMessage]:
        asked.append(options)
        return [WRONG, ODD, Info("By the way.", id="corral.I999")]

    monkeypatch.setattr(start_report.checks, "run_checks", run_checks)
    settings.SILENCED_SYSTEM_CHECKS = ["corral.W999"]
    settings.IS_PRODUCTION = True
    assert start_report.configuration_faults() == [WRONG]
    assert asked == [{"include_deployment_checks": True}]


@pytest.mark.django_db
def test_sites_are_looked_at(tiny_settings: Settings) -> None:
    Site.objects.create(name="Shop", contact="a@example.org", privacy_url="https://example.org/p")
    assert [fault.id for fault in start_report.site_faults()] == ["corral.W010"]


def joined() -> None:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        threads = [one for one in threading.enumerate() if one.name == "corral-checks"]
        if not threads:
            return
        threads[0].join(5)


def test_a_server_reports_in_a_thread_unless_serve_has(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(start_report, "configuration_faults", lambda: [WRONG])
    monkeypatch.setattr(start_report, "site_faults", lambda: [])
    monkeypatch.setenv(start_report.TOLD, "1")
    start_report.report_at_start()
    joined()
    assert not caplog.records
    # The variable is gone, so that no other program inherits it.
    start_report.report_at_start()
    joined()
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_a_check_that_breaks_does_not_stop_the_server(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> list[CheckMessage]:
        raise RuntimeError("postgres://ann:secret@host")

    monkeypatch.setattr(start_report, "configuration_faults", broken)
    start_report.report_at_start()
    joined()
    assert "could not be checked (RuntimeError)" in caplog.text and "secret" not in caplog.text
