"""The doctor looks at a real server through a real nginx that is set up well, and badly."""

from __future__ import annotations

import json
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from apps.ai_pool.doctor.examination import look_from_outside
from apps.ai_pool.doctor.finding import Finding, Level
from apps.ai_pool.doctor.public_site import PublicSite
from tests.apps.ai_pool.doctor.findings import bad, is_well, only
from tests.live import LiveServer, free_port, live_server_process
from tests.nginx import GOOD, NGINX, REASON, nginx

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(120),
    pytest.mark.skipif(NGINX is None, reason=REASON),
]


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    """A server that believes one proxy."""
    with live_server_process(
        is_behind_proxy=True, NUM_PROXIES="1", CORRAL_MODEL_PATH="/nowhere/model.gguf"
    ) as live:
        yield live


def look(server: LiveServer, url: str, context: ssl.SSLContext | None = None) -> list[Finding]:
    """Look as the server's own doctor, who has its key."""
    key = (server.var_dir / "secret_key").read_text().strip()
    with override_settings(SECRET_KEY=key):
        return look_from_outside(PublicSite(url, context=context))


def look_through(server: LiveServer, **changes: str | None) -> list[Finding]:
    """Look through an nginx whose location differs from the good one."""
    location: dict[str, Any] = dict(GOOD)
    for name, value in changes.items():
        key = name if name in GOOD or name.startswith("proxy_") else f"proxy_set_header {name}"
        location[key.replace("X_Forwarded_", "X-Forwarded-")] = value
    location = {name: value for name, value in location.items() if value is not None}
    with nginx(server.port, location) as url:
        return look(server, url)


def test_as_the_manual_says(server: LiveServer) -> None:
    findings = look_through(server)
    assert is_well(findings), bad(findings)
    assert {one.id for one in findings} == {
        *("proxy-protocol", "proxy-host", "proxy-address"),
        *("socket", "proxy-buffering", "clock"),
    }


def test_buffering_that_does_no_harm(server: LiveServer) -> None:
    """With HTTP/1.1 nginx passes every piece on although it buffers."""
    assert is_well(look_through(server, proxy_buffering="on"))


def test_buffering_on(server: LiveServer) -> None:
    """nginx as it is without any settings obeys the header of our streams; nobody is alarmed."""
    findings = look_through(server, proxy_buffering="on", proxy_http_version="1.0")
    finding = only(findings, "proxy-buffering-on", Level.NOTE)
    assert "`proxy_buffering off; proxy_http_version 1.1;`" in finding.fix


def test_buffering_that_holds_answers_back(server: LiveServer) -> None:
    findings = look_through(
        server,
        proxy_buffering="on",
        proxy_http_version="1.0",
        proxy_ignore_headers="X-Accel-Buffering",
    )
    finding = only(findings, "proxy-buffers", Level.ERROR)
    assert "`proxy_buffering off;" in finding.fix and "no proxy_ignore_headers" in finding.fix


def test_without_upgrade(server: LiveServer) -> None:
    findings = look_through(server, Upgrade=None, Connection=None)
    finding = only(findings, "socket-not-upgraded", Level.ERROR)
    assert "proxy_set_header Upgrade $http_upgrade" in finding.fix
    assert "proxy_http_version 1.1" in finding.fix and "map $http_upgrade" in finding.fix


def test_wrong_forwarded_protocol(server: LiveServer) -> None:
    finding = bad(look_through(server, X_Forwarded_Proto="https"))["proxy-protocol-wrong"]
    assert finding.level is Level.ERROR and "told https" in finding.sentence
    assert "proxy_set_header X-Forwarded-Proto $scheme;" in finding.fix


def test_https_without_forwarded_protocol(server: LiveServer, tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    context = ssl.create_default_context(cafile=str(certificate[0]))
    with nginx(server.port, GOOD, certificate=certificate) as url:
        assert is_well(look(server, url, context))
        finding = only(look(server, url), "unreachable", Level.ERROR)
        assert "certificate" in finding.sentence and "certificate" in finding.fix
    location = {key: value for key, value in GOOD.items() if "Proto" not in key}
    with nginx(server.port, location, certificate=certificate) as url:
        finding = bad(look(server, url, context))["proxy-protocol-wrong"]
    assert "Visitors use https and the server is told http," in finding.sentence


def test_host_not_passed_on(server: LiveServer) -> None:
    location = {"proxy_set_header Host": "internal.example.org"}
    with nginx(server.port, GOOD | location) as url:
        finding = only(look(server, url), "proxy-host", Level.ERROR)
    assert "proxy_set_header Host $host;" in finding.fix and "ALLOWED_HOSTS" in finding.fix


def test_other_host_passed_on(server: LiveServer) -> None:
    with nginx(server.port, GOOD | {"proxy_set_header Host": "localhost"}) as url:
        found = bad(look(server, url))
    assert set(found) == {"proxy-host-changed", "origin-refused"}
    assert "proxy_set_header Host $host;" in found["proxy-host-changed"].fix
    assert "CSRF_TRUSTED_ORIGINS=http://127.0.0.1" in found["origin-refused"].fix


def test_visitors_choose_their_address(server: LiveServer) -> None:
    findings = look_through(server, X_Forwarded_For="$proxy_add_x_forwarded_for")
    finding = only(findings, "proxy-address-chosen", Level.ERROR)
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in finding.fix


def test_address_that_does_not_arrive() -> None:
    """Daphne is not told to believe the proxy."""
    with (
        live_server_process(NUM_PROXIES="1", CORRAL_MODEL_PATH="/nowhere/model.gguf") as server,
        nginx(server.port, GOOD | {"proxy_set_header X-Forwarded-For": "203.0.113.9"}) as url,
    ):
        finding = only(look(server, url), "proxy-address-lost", Level.WARNING)
        assert "--proxy-headers" in finding.fix and "NUM_PROXIES=1" in finding.fix


def test_origin_rewritten(server: LiveServer) -> None:
    """A proxy that makes every origin our own lets every page in."""
    origin = {"proxy_set_header Origin": "http://$http_host"}
    with nginx(server.port, GOOD | origin) as url:
        finding = only(look(server, url), "origin-any", Level.ERROR)
    assert "pass the Origin header on" in finding.fix


def test_proxy_without_server(server: LiveServer) -> None:
    with nginx(free_port(), GOOD) as url:
        finding = only(look(server, url), "proxy-no-server", Level.ERROR)
    assert "502" in finding.sentence and "systemctl start corral" in finding.fix


def test_redirect(server: LiveServer) -> None:
    with nginx(server.port, {"return": "301 https://chat.example.org$request_uri"}) as url:
        finding = only(look(server, url), "proxy-redirects", Level.ERROR)
    assert "https://chat.example.org" in finding.sentence and "--url" in finding.fix


def test_nobody_there(server: LiveServer) -> None:
    finding = only(look(server, f"http://127.0.0.1:{free_port()}"), "unreachable", Level.ERROR)
    assert "firewall" in finding.fix


def test_somebody_elses_server(server: LiveServer) -> None:
    with override_settings(SECRET_KEY="another" * 10):
        findings = look_from_outside(PublicSite(server.url))
    finding = only(findings, "not-this-site", Level.ERROR)
    assert "the same .env" in finding.fix


def test_command_end_to_end(server: LiveServer) -> None:
    """The command as it is run: JSON, groups, and the code of the worst finding."""
    without_upgrade = {key: value for key, value in GOOD.items() if "Upgrade" not in key}
    with nginx(server.port, without_upgrade) as url:
        done = server.manage("doctor", "--url", url, "--json")
    answer = json.loads(done.stdout)
    assert done.returncode == answer["exit_code"] == 2
    rows = {row["id"]: row for row in answer["findings"]}
    assert rows["socket-not-upgraded"]["group"] == f"Through {url}"
    assert rows["backup-missing"]["level"] == "warning"
    assert "model-unusable" in rows and "check-failed" not in rows


def make_certificate(directory: Path) -> tuple[Path, Path]:
    certificate, key = directory / "site.pem", directory / "site.key"
    made = subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"),
            *("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        capture_output=True,
        timeout=30,
    )
    if made.returncode:
        pytest.skip("openssl could not make a certificate")
    return certificate, key
