"""A second client that nobody changed: ``llm`` on the command line, against a real server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.live import LiveServer, live_server_process

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
Llm = Callable[..., subprocess.CompletedProcess[str]]
SURE = ("-o", "temperature", "0")


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server_process(max_tok_s=60, wait_for_model=True) as server:
        yield server


@pytest.fixture
def llm(server: LiveServer, tmp_path: Path) -> Llm:
    """The command with the two models of Corral, as its documentation says to add them."""
    made = server.manage("apikey", "create", tmp_path.name)
    assert made.returncode == 0, made.stderr
    usual = {"model_name": "corral", "api_base": f"{server.url}/v1", "api_key_name": "corral"}
    models = [{"model_id": "chat", **usual}, {"model_id": "text", "completion": True, **usual}]
    (tmp_path / "extra-openai-models.yaml").write_text(yaml.safe_dump(models))
    (tmp_path / "keys.json").write_text(json.dumps({"corral": made.stdout.strip()}))
    env = {
        **{name: value for name, value in os.environ.items() if "OPENAI" not in name},
        "LLM_USER_PATH": str(tmp_path),
    }

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "llm", *arguments],
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def test_streaming_and_not(llm: Llm) -> None:
    asked = ("-m", "chat", *SURE, "What is Corral?")
    streamed, whole = llm(*asked), llm(*asked, "--no-stream")
    for done in (streamed, whole):
        assert done.returncode == 0, done.stderr
    assert "assistant" in whole.stdout and streamed.stdout == whole.stdout
    logged = json.loads(llm("logs", "list", "--json", "-n", "1").stdout)[0]
    assert logged["output_tokens"] > 1 and logged["input_tokens"] > 1


def test_a_conversation_goes_on(llm: Llm) -> None:
    assert llm("-m", "chat", *SURE, "-s", "Be kind.", "Hello").returncode == 0
    more = llm("-c", *SURE, "What is Corral?")
    assert more.returncode == 0 and more.stdout.strip(), more.stderr


def test_a_text(llm: Llm) -> None:
    done = llm("-m", "text", *SURE, "-o", "max_tokens", "8", "Hello")
    assert done.returncode == 0 and done.stdout.strip(), done.stderr


def test_what_cannot_be_is_told_in_our_words(llm: Llm) -> None:
    done = llm("-m", "chat", "-o", "json_object", "1", "Hello")
    assert done.returncode != 0 and "schema" in done.stderr
