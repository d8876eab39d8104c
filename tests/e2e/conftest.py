"""Real servers for the tests of this folder; each is shared by the tests of one file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.live import DEMO_MODEL, LiveServer, live_server_process


@pytest.fixture(scope="module")
def paced_server() -> Iterator[LiveServer]:
    """The demo model at 15 tokens a second: slow enough to do something during an answer."""
    if not DEMO_MODEL.is_file():
        pytest.skip("the demo model is not there; `make demo-model` trains it")
    with live_server_process(max_tok_s=15, wait_for_model=True) as server:
        yield server


@pytest.fixture(scope="module")
def modelless_server() -> Iterator[LiveServer]:
    """A server whose model file does not exist."""
    with live_server_process(CORRAL_MODEL_PATH="/nowhere/model.gguf") as server:
        yield server
