"""The checks of who may read the metrics."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from apps.ai_pool.metrics_checks import check_metrics_allow, check_metrics_token


def ids(settings: Settings, entries: list[str], token: str = "") -> list[str]:
    settings.CORRAL_METRICS_ALLOW, settings.CORRAL_METRICS_TOKEN = entries, token
    return [str(one.id) for one in (*check_metrics_allow(None), *check_metrics_token(None))]


@pytest.mark.parametrize(
    ("entries", "token", "found"),
    [
        (["127.0.0.1", "::1"], "", []),
        (["none"], "x" * 20, []),
        (["10.0.0.0/24", "prometheus"], "", ["corral.E020"]),
        (["0.0.0.0/0"], "", ["corral.W021"]),
        (["::/0"], "", ["corral.W021"]),
        (["10.0.0.7"], "short", ["corral.W020"]),
    ],
)
def test_checks(settings: Settings, entries: list[str], token: str, found: list[str]) -> None:
    assert ids(settings, entries, token) == found


def test_the_token_is_not_repeated(settings: Settings) -> None:
    settings.CORRAL_METRICS_TOKEN = "hunter2"
    (warning,) = check_metrics_token(None)
    assert "hunter2" not in str(warning)
