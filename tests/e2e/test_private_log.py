"""Nothing that somebody wrote reaches a log, whatever way it came and however it went wrong; and
the id of a request is in every line about it, from the proxy's header to the pool process."""

from __future__ import annotations

import http.client
import json
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.e2e.browserlike import Browserlike, visitor_cookie
from tests.live import DEMO_MODEL, LiveServer, live_server_process

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(120),
    pytest.mark.skipif(
        not DEMO_MODEL.is_file(), reason="the demo model is not there; `make demo-model` trains it"
    ),
]
MARK = "wombat"
TEXT = f"Tell me about the pool, {MARK}."


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server_process(
        wait_for_model=True, CORRAL_LOG_FORMAT="json", CORRAL_ACCESS_LOG="true"
    ) as running:
        yield running


def records(server: LiveServer) -> list[dict[str, Any]]:
    """Every line of web process and pool process; each is JSON."""
    return [json.loads(line) for line in server.log_text(10_000_000).splitlines()]


def wait_for(server: LiveServer, number: int, **facts: Any) -> list[dict[str, Any]]:
    """The lines with these facts, once there are so many."""
    deadline = time.monotonic() + 10
    while True:
        found = [line for line in records(server) if facts.items() <= line.items()]
        if len(found) >= number or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


def request(
    server: LiveServer, method: str, path: str, body: str | bytes = "", **headers: str
) -> http.client.HTTPResponse:
    """One request; the answer is read."""
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    with closing(line):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        line.request(method, path, body or None, named)
        answer = line.getresponse()
        answer.read()
        return answer


def post(server: LiveServer, body: str | bytes, **headers: str) -> http.client.HTTPResponse:
    """A frame by POST, as the page sends it."""
    cookie = visitor_cookie(server)
    token = dict(part.split("=", 1) for part in cookie.split("; "))["csrftoken"]
    return request(
        server,
        "POST",
        "/api/v1/chat/frames",
        body,
        Cookie=cookie,
        X_CSRFToken=token,
        Origin=server.url,
        **headers,
    )


def frame(**fields: Any) -> str:
    ids = {"cid": str(uuid.uuid4()), "gen": str(uuid.uuid4())}
    return json.dumps({"type": "message.send", "text": TEXT, **ids, **fields})


def test_the_id_of_a_request_goes_from_the_proxy_to_the_pool_and_back(server: LiveServer) -> None:
    gen = str(uuid.uuid4())
    answer = post(server, frame(gen=gen), X_Request_ID="from-the-proxy-1")
    assert (answer.status, answer.headers["X-Request-ID"]) == (200, "from-the-proxy-1")
    ends = wait_for(server, 2, gen=gen, request="from-the-proxy-1")
    assert {line["logger"] for line in ends} == {
        "apps.ai_chat.end_line",
        "ai_model.pool.end_line",
    }
    assert len({line["pid"] for line in ends}) == 2
    (listed,) = wait_for(server, 1, message="request answered", request="from-the-proxy-1")
    assert (listed["method"], listed["route"], listed["status"]) == (
        "POST",
        "api/v1/chat/frames",
        200,
    )


def test_the_id_of_a_socket_is_that_of_its_answers(server: LiveServer) -> None:
    with Browserlike(server, headers={"X-Request-ID": "socket-1"}) as tab:
        tab.hello()
        gen = tab.ask(TEXT)
        tab.until_end()
    ends = wait_for(server, 2, gen=gen, request="socket-1")
    assert len(ends) == 2
    (closed,) = wait_for(server, 1, message="socket closed", request="socket-1")
    assert closed["route"] == "ws/chat/"


def test_a_request_without_an_id_gets_one(server: LiveServer) -> None:
    answer = request(server, "GET", "/health/live")
    made = answer.headers["X-Request-ID"]
    assert wait_for(server, 1, request=made, route="health/live", status=200)
    forged = request(server, "GET", "/health/live", X_Request_ID=f"{MARK} {MARK}")
    assert MARK not in forged.headers["X-Request-ID"]


def test_the_server_says_what_its_configuration_is_like(server: LiveServer) -> None:
    """Daphne itself runs no check."""
    told = wait_for(server, 1, logger="apps.ai_pool.start_report")
    assert [line["message"].splitlines()[0][:30] for line in told] == [
        "The configuration was checked;"
    ]


def test_nothing_that_was_written_is_in_a_log(server: LiveServer) -> None:
    with Browserlike(server) as tab:
        tab.hello()
        tab.ask(TEXT)
        end = tab.until_end()
        for broken in (
            f"{MARK} is no JSON",
            json.dumps({"type": MARK, "text": TEXT}),
            json.dumps({"type": "message.send", "text": [TEXT], "cid": MARK}),
            frame(text=TEXT * 2000)[:60_000],
            json.dumps({"type": "gen.stop", "gen": MARK}),
            json.dumps({"type": "feedback", "message": MARK, "value": MARK, "comment": TEXT}),
        ):
            tab.send(broken)
            tab.until("error")
    assert end["type"] == "gen.done"
    statuses = [
        answer.status
        for answer in (
            request(server, "GET", f"/{MARK}"),
            request(server, "GET", f"/?q={MARK}", Referer=f"http://x/{MARK}", User_Agent=MARK),
            request(server, "GET", f"/c/{MARK}"),
            request(server, "GET", f"/static/{MARK}.js"),
            request(server, "GET", f"/api/v1/{MARK}"),
            request(server, "POST", "/api/v1/chat/frames", frame()),
            request(
                server, "POST", "/api/v1/chat/frames", frame(), Cookie=f"corral_visitor={MARK}"
            ),
            request(server, "PUT", "/api/v1/chat/frames", TEXT),
            request(server, "POST", "/admin/login/", f"username={MARK}&password={MARK}"),
            request(server, "GET", "/api/v1/visitor", Authorization=f"Bearer {MARK}"),
            request(server, "GET", "/", Cookie=f"corral_visitor={MARK}"),
            post(server, frame()),
            post(server, f"{MARK} is no JSON"),
            post(server, f"\xff{MARK}".encode("latin-1")),
            post(server, frame(gen=MARK)),
            post(server, frame(text=TEXT * 10_000)),
        )
    ]
    assert 200 in statuses and 404 in statuses and min(statuses[-4:]) >= 400
    assert not [status for status in statuses if status >= 500]
    wait_for(server, 1, message="request answered", status=statuses[-1])
    logs = [server.var_dir / "server.log", *server.var_dir.glob("**/*.log*")]
    for path in logs:
        found = [line for line in path.read_text().splitlines() if MARK in line.lower()]
        assert found == []
