"""A whole chat without a socket, over real lines to a real Daphne."""

from __future__ import annotations

import http.client
import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import psutil
import pytest

from tests.e2e.browserlike import Browserlike, visitor_cookie
from tests.event_reader import EventReader
from tests.live import LiveServer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]
LONG_QUESTION = "Tell me about the pool."
READ_BYTES = 4096


class Page:
    """A page behind a proxy that lets no socket through."""

    def __init__(self, server: LiveServer) -> None:
        self.server = server
        self.cookie = visitor_cookie(server)

    def post(self, frame: dict[str, Any]) -> list[dict[str, Any]]:
        """Send a frame; returns what answers it."""
        token = dict(part.split("=", 1) for part in self.cookie.split("; "))["csrftoken"]
        headers = {"Cookie": self.cookie, "X-CSRFToken": token, "Origin": self.server.url}
        with closing(self._line()) as line:
            line.request("POST", "/api/v1/chat/frames", json.dumps(frame), headers)
            answer = line.getresponse()
            body = answer.read()
            assert answer.status == 200, body
            found: list[dict[str, Any]] = json.loads(body)
            return found

    def ask(self, text: str) -> str:
        """Send a question; returns its generation id."""
        gen = str(uuid.uuid4())
        frame = {"type": "message.send", "cid": str(uuid.uuid4()), "gen": gen, "text": text}
        assert self.post(frame)[0]["type"] == "message.ack"
        return gen

    @contextmanager
    def events(self, gen: str, last_id: str = "") -> Iterator[http.client.HTTPResponse]:
        """An open stream; leaving the block hangs up, wherever the answer is."""
        headers = {"Cookie": self.cookie} | ({"Last-Event-ID": last_id} if last_id else {})
        line = self._line()
        try:
            line.request("GET", f"/api/v1/gen/{gen}/events", headers=headers)
            answer = line.getresponse()
            assert answer.status == 200, answer.read()
            yield answer
            answer.close()
        finally:
            line.close()

    def _line(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)


def read(answer: http.client.HTTPResponse, reader: EventReader, until: Callable[[], bool]) -> None:
    """Read pieces until the condition holds or the stream ends."""
    deadline = time.monotonic() + 30
    while not until():
        assert time.monotonic() < deadline
        piece = answer.read1(READ_BYTES)
        if not piece:
            return
        reader.feed(piece)


def text_of(frames: list[dict[str, Any]]) -> str:
    """What the page shows; fails on a gap or a repetition."""
    text, last = "", 0
    for frame in frames:
        if "seq" in frame:
            assert frame["seq"] == last + 1
            last = frame["seq"]
        if frame["type"] == "gen.delta":
            assert frame["off"] == len(text)
            text += frame["text"]
    return text


def test_a_whole_answer_although_the_line_is_cut(paced_server: LiveServer) -> None:
    page = Page(paced_server)
    gen = page.ask(LONG_QUESTION)
    frames: list[dict[str, Any]] = []
    last_id, num_lines, types = "", 0, {""}
    while not types & {"gen.done", "gen.error"}:
        num_lines += 1
        reader = EventReader()
        with page.events(gen, last_id) as answer:
            assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
            assert answer.headers["X-Accel-Buffering"] == "no"
            # Three pieces of text, and the line is cut.
            read(answer, reader, lambda: len(text_pieces(reader.frames)) >= 3)  # noqa: B023
        frames += reader.frames
        last_id = reader.last_id or last_id
        types = {frame["type"] for frame in frames}
    done = frames[-1]
    text = text_of(frames)
    assert num_lines > 2, "the line was cut during the answer"
    assert (done["type"], done["reason"], done["chars"]) == ("gen.done", "stop", len(text))
    blocks = [frame for frame in frames if frame["type"] == "gen.block"]
    assert blocks and blocks[-1]["to_off"] == len(text)
    with Browserlike(paced_server, page.cookie) as tab:
        tab.hello(resume=[{"gen": gen, "after": 0}])
        tab.until_end()
        assert tab.shown(gen) == text, "the socket tells the same"


def text_pieces(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [frame for frame in frames if frame["type"] == "gen.delta"]


def test_events_come_one_by_one(paced_server: LiveServer) -> None:
    """Nothing on the way collects them: the first text is there long before the last."""
    page = Page(paced_server)
    gen = page.ask(LONG_QUESTION)
    reader, times = EventReader(), []
    with page.events(gen) as answer:
        while True:
            piece = answer.read1(READ_BYTES)
            if not piece:
                break
            times += [time.monotonic() for f in reader.feed(piece) if f["type"] == "gen.delta"]
    assert len(times) > 5 and times[-1] - times[0] > 0.3


def test_stop(paced_server: LiveServer) -> None:
    page = Page(paced_server)
    gen = page.ask(LONG_QUESTION)
    reader = EventReader()
    with page.events(gen) as answer:
        read(answer, reader, lambda: len(text_pieces(reader.frames)) >= 2)
        page.post({"type": "gen.stop", "gen": gen, "seen": len(text_of(reader.frames))})
        read(answer, reader, lambda: False)
    assert reader.frames[-1]["reason"] == "user_stop"


def test_readers_hold_no_threads_and_leave_nothing_behind(paced_server: LiveServer) -> None:
    process = psutil.Process(paced_server.pid)
    pages = [Page(paced_server) for _ in range(6)]
    gens = [page.ask(LONG_QUESTION) for page in pages[:2]]
    before = process.num_threads(), open_lines(process)
    lines = [page.events(gen) for page, gen in zip(pages, gens, strict=False) for _ in range(5)]
    answers = [line.__enter__() for line in lines]
    for answer in answers:
        assert b"gen.created" in read_until(answer, b"gen.created")
    num_threads = process.num_threads()
    print(f"{len(lines)} readers: {num_threads - before[0]} threads more")
    assert num_threads - before[0] <= 3, "the pool of the server may grow, but not with readers"
    for line in lines:
        line.__exit__(None, None, None)
    wait_until(lambda: open_lines(process) <= before[1])
    for page, gen in zip(pages, gens, strict=False):
        page.post({"type": "gen.stop", "gen": gen, "seen": 0})


def read_until(answer: http.client.HTTPResponse, wanted: bytes) -> bytes:
    found = b""
    while wanted not in found:
        piece = answer.read1(READ_BYTES)
        assert piece
        found += piece
    return found


def open_lines(process: psutil.Process) -> int:
    """Established TCP connections of the server."""
    return sum(line.status == psutil.CONN_ESTABLISHED for line in process.net_connections("tcp"))


def wait_until(condition: Callable[[], bool], timeout_s: float = 10) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
