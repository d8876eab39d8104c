"""Ten thousand rough frames against a real server with a real pool."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from websockets.exceptions import ConnectionClosed

from apps.ai_chat.close_codes import CloseCode
from apps.ai_chat.errors import PROBLEMS
from tests.apps.ai_chat.rough_frames import bursts, ids_of, with_ids
from tests.e2e.browserlike import Browserlike, fetch, visitor_cookie
from tests.live import DEMO_MODEL, LiveServer, live_server_process

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(1500)]

NUM_BURSTS, NUM_FRAMES = 200, 50
SECRET = "Zebrafinch-4711"


class Victim:
    """Somebody with a secret, in whose conversations others are interested."""

    def __init__(self, server: LiveServer) -> None:
        self.server = server
        self.cookie = visitor_cookie(server)
        with Browserlike(server, self.cookie) as tab:
            tab.hello()
            tab.ask(f"Remember {SECRET}!")
            tab.until_end()
            self.ids = ids_of("foreign", tab.frames)
        self.stored = self.read()

    def read(self) -> object:
        address = f"/api/v1/conversations/{self.ids['foreign conversation']}/"
        return fetch(self.server, address, self.cookie)


@pytest.fixture(scope="module")
def victim() -> Iterator[Victim]:
    if not DEMO_MODEL.is_file():
        pytest.skip("the demo model is not there; `make demo-model` trains it")
    with live_server_process(wait_for_model=True, CORRAL_MAX_TOKENS="24") as server:
        yield Victim(server)


@settings(
    max_examples=NUM_BURSTS,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(burst=bursts(NUM_FRAMES))
def test_ten_thousand_rough_frames(victim: Victim, burst: list[str]) -> None:
    with Browserlike(victim.server) as tab:
        tab.hello()
        tab.ask("Hello?")
        tab.until_end()
        ids = victim.ids | ids_of("own", tab.frames)
        tab.frames.clear()
        try:
            for text in burst:
                tab.send(with_ids(text, ids))
            read_to_the_end(tab)
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd else 1006
            # 1006: what a browser sees when a frame was over the server's limit.
            assert code in {int(known) for known in CloseCode} | {1006, 1009}
        told = json.dumps(tab.frames)
        assert SECRET not in told
        codes = {frame["code"] for frame in tab.frames if frame["type"] == "error"}
        assert codes <= set(PROBLEMS) - {"internal"}


def test_nothing_of_it_is_left(victim: Victim) -> None:
    """Every instance is free, the other visitor's conversation is as it was, nothing broke."""
    deadline = time.monotonic() + 60
    while True:
        pool = fetch(victim.server, "/pool/?format=json", victim.cookie)
        if pool["in_use"] == pool["waiting"] == 0:
            break
        assert time.monotonic() < deadline, pool
        time.sleep(0.2)
    assert victim.read() == victim.stored
    log = victim.server.log_text(10**7)
    assert "Traceback" not in log and SECRET not in log


def read_to_the_end(tab: Browserlike) -> None:
    """Until the line shows that it is alive."""
    tab.send({"type": "ping", "n": 4711})
    while True:
        frame = tab.next(20)
        if frame == {"type": "pong", "n": 4711}:
            return
        if frame.get("code") == "rate_limited" and frame["ref"] == "ping":
            time.sleep(0.05)
            tab.send({"type": "ping", "n": 4711})
