"""Allowed names and origins."""

from __future__ import annotations

import pytest

from apps.ai_pool.doctor.finding import Level
from apps.ai_pool.doctor.hosts import check_hosts
from tests.apps.ai_pool.doctor.findings import is_well, only

OWN = ["chat.example.org"]
URL = "https://chat.example.org"


@pytest.mark.parametrize(
    ("allowed", "url", "id", "fix"),
    [
        (["*"], URL, "hosts-any", "ALLOWED_HOSTS=chat.example.org "),
        (["*"], "", "hosts-any", "ALLOWED_HOSTS=www.example.org "),
        (["a.example.org"], URL, "hosts-missing", "a.example.org,chat.example.org in .env"),
        (["localhost", "[::1]"], "", "hosts-local-only", "the names of your site"),
        ([], "", "hosts-local-only", "the names of your site"),
    ],
)
def test_wrong_names(allowed: list[str], url: str, id: str, fix: str) -> None:
    finding = only(check_hosts(allowed, [], is_production=True, url=url), id, Level.ERROR)
    assert fix in finding.fix


@pytest.mark.parametrize(
    "origin",
    ["chat.example.org", "https://", "https://a.org/path", "https://a.org:port", "ftp://a.org"],
)
def test_origin_no_browser_sends(origin: str) -> None:
    findings = check_hosts(OWN, [origin], is_production=True, url=URL)
    finding = only(findings, "origin-malformed", Level.ERROR)
    assert repr(origin) in finding.sentence
    assert "CSRF_TRUSTED_ORIGINS=https://www.example.org" in finding.fix


def test_right_names() -> None:
    assert is_well(check_hosts(OWN, ["https://www.example.org:8443"], is_production=True, url=URL))
    assert is_well(check_hosts([".example.org"], [], is_production=True, url=URL))
    assert is_well(check_hosts(["localhost"], [], is_production=False))
