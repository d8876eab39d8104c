"""A whole chat over REST, with a key and with a browser's cookie, against a real Daphne."""

from __future__ import annotations

import http.client
import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.e2e.browserlike import visitor_cookie
from tests.e2e.test_events import read, text_of, text_pieces
from tests.event_reader import EventReader
from tests.live import LiveServer

pytestmark = [pytest.mark.e2e, pytest.mark.stores, pytest.mark.timeout(120)]
LONG_QUESTION = "Tell me about the pool."
BASE = "/api/v1/"


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: Any


@dataclass
class Caller:
    """Somebody with curl."""

    server: LiveServer
    headers: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """One request on a line of its own."""
        line = self._line()
        try:
            given = {name.replace("_", "-"): value for name, value in headers.items()}
            sent = None if body is None else body if isinstance(body, bytes) else json.dumps(body)
            kind = {} if body is None else {"Content-Type": "application/json"}
            line.request(method, self._path(path), sent, self.headers | kind | given)
            answer = line.getresponse()
            text = answer.read()
        finally:
            line.close()
        names = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, names, json.loads(text) if text else None)

    def get(self, path: str) -> Any:
        answer = self.call("GET", path)
        assert answer.status == 200, answer
        return answer.body

    def ask(self, text: str = LONG_QUESTION, **fields: Any) -> Any:
        answer = self.call("POST", "generations/", {"text": text, **fields})
        assert answer.status == 202, answer
        return answer.body

    @contextmanager
    def events(self, path: str, **headers: str) -> Iterator[http.client.HTTPResponse]:
        """An open stream; leaving the block hangs up."""
        line = self._line()
        try:
            given = {name.replace("_", "-"): value for name, value in headers.items()}
            asked = {"Accept": "text/event-stream"} | given
            line.request("GET", self._path(path), headers=self.headers | asked)
            answer = line.getresponse()
            assert answer.status == 200, answer.read()
            yield answer
            answer.close()
        finally:
            line.close()

    def _path(self, path: str) -> str:
        return path if path.startswith("/") else BASE + path

    def _line(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)


@pytest.fixture(scope="module")
def key(paced_server: LiveServer) -> str:
    done = paced_server.manage("apikey", "create", "tests", "--requests-per-minute", "0")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def program(paced_server: LiveServer, key: str) -> Caller:
    """A program with a key, on behalf of a user of this test alone."""
    name = uuid.uuid4().hex
    return Caller(paced_server, {"Authorization": f"Bearer {key}", "X-Corral-User": name})


@pytest.fixture
def page(paced_server: LiveServer) -> Caller:
    """A page of our own, with its cookie and what a write needs besides."""
    cookie = visitor_cookie(paced_server)
    token = dict(part.split("=", 1) for part in cookie.split("; "))["csrftoken"]
    headers = {"Cookie": cookie, "X-CSRFToken": token, "Origin": paced_server.url}
    return Caller(paced_server, headers)


def wait_for_end(caller: Caller, url: str) -> Any:
    deadline = time.monotonic() + 30
    while (found := caller.get(url))["state"] == "streaming":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


@pytest.mark.parametrize("who", ["program", "page"])
def test_a_whole_chat(who: str, request: pytest.FixtureRequest) -> None:
    caller: Caller = request.getfixturevalue(who)
    asked = caller.ask(id=str(uuid.uuid4()))
    reader = EventReader()
    with caller.events(asked["events"]) as stream:
        read(stream, reader, lambda: len(text_pieces(reader.frames)) >= 3)
    behind = EventReader()
    with caller.events(asked["events"], Last_Event_ID=reader.last_id) as stream:
        read(stream, behind, lambda: False)
    frames = reader.frames + behind.frames
    assert frames[-1]["type"] == "gen.done"
    got = caller.get(asked["url"])
    assert got["answer"]["text"] == text_of(frames) and got["state"] == "complete"

    second = caller.ask("And what else?", conversation=asked["conversation"])
    with caller.events(second["events"]) as stream:
        part = EventReader()
        read(stream, part, lambda: len(text_pieces(part.frames)) >= 2)
    stopped = caller.call("POST", f"{second['url']}stop", {"seen": 5})
    assert stopped.body["state"] == "stopped" and len(stopped.body["answer"]["text"]) == 5
    further = caller.call("POST", f"{second['url']}continue?wait=1")
    assert further.status == 200 and further.headers["preference-applied"] == "wait"
    assert further.body["answer"]["text"].startswith(stopped.body["answer"]["text"])
    again = caller.call("POST", f"{further.body['url']}regenerate", Prefer="wait=30")
    assert again.status == 200 and again.body["question"] == second["question"]

    thumb = {"value": -1, "reason": "wrong", "comment": "No."}
    rated = caller.call("POST", f"messages/{again.body['answer']['id']}/feedback", thumb)
    assert rated.body["feedback"] == thumb
    messages = caller.get(f"conversations/{asked['conversation']}/messages/?limit=3")
    assert len(messages["results"]) == 3 and messages["next"]
    renamed = caller.call("PATCH", f"conversations/{asked['conversation']}/", {"title": "Pool"})
    assert renamed.body["title"] == "Pool"
    assert [row["title"] for row in caller.get("conversations/?title=pool")["results"]] == ["Pool"]

    export = caller.get("visitor/export")
    texts = [row["text"] for row in export["conversations"][0]["messages"]]
    assert LONG_QUESTION in texts and len(texts) == 5
    erased = caller.call("DELETE", "visitor")
    assert erased.body == {"num_conversations": 1, "num_messages": 5}
    assert caller.call("GET", asked["url"]).status == 404
    assert caller.get("conversations/")["results"] == []


def test_what_is_asked_twice_is_answered_once(program: Caller) -> None:
    gen = str(uuid.uuid4())
    first = program.ask(id=gen)
    second = program.call("POST", "generations/", {"text": LONG_QUESTION, "id": gen})
    assert second.status == 202 and second.body["question"] == first["question"]
    assert len(program.get("generations/")["results"]) == 1
    program.call("POST", f"{first['url']}stop")


def test_who_hangs_up_stops_nothing(program: Caller) -> None:
    line = http.client.HTTPConnection("127.0.0.1", program.server.port, timeout=20)
    body = json.dumps({"text": LONG_QUESTION, "id": (gen := str(uuid.uuid4()))})
    headers = program.headers | {"Content-Type": "application/json"}
    line.request("POST", f"{BASE}generations/?wait=1", body, headers)
    deadline = time.monotonic() + 20
    while not program.get("generations/")["results"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    line.close()
    assert wait_for_end(program, f"{BASE}generations/{gen}/")["state"] == "complete"


def test_errors(program: Caller, page: Caller) -> None:
    big = b'{"text": "' + b"x" * 70_000 + b'"}'
    for caller in (program, page):
        answer = caller.call("POST", "generations/", big)
        assert (answer.status, answer.body["error"]["code"]) == (413, "too_big")
        assert caller.call("POST", "generations/", b"{").status == 400
        assert caller.call("GET", f"generations/{uuid.uuid4()}/events").status == 404
        assert caller.call("PUT", "generations/").status == 405
    stranger = Caller(program.server, {"Authorization": "Bearer corral_no"})
    answer = stranger.call("POST", "generations/", {"text": "Hi"})
    assert answer.status == 401 and answer.headers["www-authenticate"] == "Bearer"


def test_a_program_waits_when_its_key_has_had_enough(paced_server: LiveServer) -> None:
    limits = ("--max-running", "1", "--requests-per-minute", "0")
    done = paced_server.manage("apikey", "create", "slow", *limits)
    headers = {"Authorization": f"Bearer {done.stdout.strip()}"}
    anna = Caller(paced_server, headers | {"X-Corral-User": "anna"})
    bert = Caller(paced_server, headers | {"X-Corral-User": "bert"})
    asked = anna.ask()
    refused = bert.call("POST", "generations/", {"text": "Hi"})
    assert refused.status == 429 and int(refused.headers["retry-after"]) >= 1
    assert refused.body["error"]["code"] == "inflight_limit"
    anna.call("POST", f"{asked['url']}stop")
    wait_for_end(anna, asked["url"])
    deadline = time.monotonic() + 10
    while bert.call("POST", "generations/?wait=1", {"text": "Hi"}).status == 429:
        assert time.monotonic() < deadline, "the place is given back"
        time.sleep(0.1)


def test_operators(paced_server: LiveServer) -> None:
    done = paced_server.manage("apikey", "create", "ops", "--scope", "pool.admin")
    ops = Caller(paced_server, {"Authorization": f"Bearer {done.stdout.strip()}"})
    body = {"text": "From nine to five.", "wordings": ["When are you open?"]}
    made = ops.call("POST", "approved-answers/", body)
    assert made.status == 201
    page = Caller(paced_server, {"Cookie": visitor_cookie(paced_server)})
    page.headers["X-CSRFToken"] = page.headers["Cookie"].split("csrftoken=")[1].split(";")[0]
    page.headers["Origin"] = paced_server.url
    asked = page.call("POST", "generations/?wait=1", {"text": "when are you open"})
    assert asked.body["answer"]["text"] == body["text"] and asked.body["answer"]["is_approved"]
    assert ops.call("DELETE", f"approved-answers/{made.body['id']}/").status == 204
    assert ops.get("sites/")["results"] == []
