"""``manage.py serve``: every obstacle is a sentence, then it becomes Daphne."""

from __future__ import annotations

import io
import os
import socket
import sys
from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django import Settings

from apps.ai_pool.management.commands import serve
from apps.ai_pool.start_report import TOLD
from apps.widget.models import Site

pytestmark = pytest.mark.django_db


class Became(Exception):
    """Instead of becoming another program."""


@pytest.fixture(autouse=True)
def program(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    command: list[str] = []

    def become(path: str, arguments: list[str], environment: dict[str, str]) -> None:
        assert environment[TOLD], "the server is not to say all of it again"
        command.extend(arguments)
        raise Became

    monkeypatch.setattr(os, "execve", become)
    # The test database is shared with the test; the command closes its own before it goes.
    monkeypatch.setattr(serve.connections, "close_all", lambda: None)
    directory = os.getcwd()
    yield command
    os.chdir(directory)


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


def run(*arguments: str) -> str:
    out = io.StringIO()
    with pytest.raises(Became):
        call_command("serve", *arguments, stdout=out)
    return out.getvalue()


def failing(*arguments: str) -> str:
    with pytest.raises(CommandError) as caught:
        call_command("serve", *arguments, stdout=io.StringIO())
    return str(caught.value)


def test_it_says_where_and_what_and_becomes_daphne(
    tiny_settings: Settings, port: int, program: list[str]
) -> None:
    text = " ".join(run("--port", str(port)).replace("│", " ").split())
    assert f"http://127.0.0.1:{port}/" in text
    assert "Tiny Test F32, because CORRAL_MODEL_PATH names it" in text
    assert "make admin" in text
    assert "Ctrl-C" in text
    assert program[:3] == [sys.executable, "-m", "daphne"]
    assert program[-1] == "backend.asgi:application"
    assert program[program.index("--port") + 1] == str(port)
    assert program[program.index("--websocket-max-message-size") + 1] == "65536"
    assert "--proxy-headers" not in program


def test_behind_a_proxy_its_headers_count(
    tiny_settings: Settings, port: int, program: list[str]
) -> None:
    tiny_settings.REST_FRAMEWORK = {**tiny_settings.REST_FRAMEWORK, "NUM_PROXIES": 1}
    run("--port", str(port))
    assert "--proxy-headers" in program


def test_a_bad_model_does_not_stop_the_site(
    tiny_settings: Settings, port: int, program: list[str]
) -> None:
    tiny_settings.CORRAL_MODEL_PATH = "/nowhere.gguf"
    text = " ".join(run("--port", str(port)).replace("│", " ").split())
    assert "none yet" in text
    assert "There is no model file at /nowhere.gguf" in text
    assert program


def test_impossible_settings_stop_it_with_a_sentence(tiny_settings: Settings, port: int) -> None:
    tiny_settings.CORRAL_N_CTX = 99_999
    assert "trained for a context of 512" in failing("--port", str(port))


def test_what_is_wrong_with_a_site_is_a_note(
    tiny_settings: Settings, port: int, program: list[str]
) -> None:
    site = Site.objects.create(name="Shop")
    site.origins.create(origin="nonsense")
    text = " ".join(run("--port", str(port)).split())
    assert "Site 'Shop': The allowed origin 'nonsense'" in text and "(corral.E010)" in text
    assert program


def test_a_port_in_use(tiny_settings: Settings) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        sentence = failing("--port", str(taken))
    assert f"Port {taken} of 127.0.0.1 is in use already" in sentence
    assert "--port" in sentence


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--port", "0"], "There is no port 0"),
        (["--port", "70000"], "There is no port 70000"),
        (["--host", "203.0.113.7"], "Nothing can listen on 203.0.113.7"),
        (["--host", "no such host"], "Nothing can listen on"),
    ],
)
def test_addresses_that_cannot_be(
    tiny_settings: Settings, arguments: list[str], words: str
) -> None:
    assert words in failing(*arguments)


def test_a_port_for_root_only(tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: socket.socket, address: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    assert "may not listen on port 80" in failing("--port", "80")


def test_a_database_that_was_not_migrated(
    tiny_settings: Settings, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        serve.MigrationExecutor, "migration_plan", lambda self, targets: ["something"]
    )
    assert "manage.py migrate" in failing("--port", str(port))


@pytest.mark.parametrize(
    ("host", "port", "url"),
    [
        ("127.0.0.1", 8000, "http://127.0.0.1:8000/"),
        ("0.0.0.0", 8000, "http://127.0.0.1:8000/"),
        ("::", 8000, "http://[::1]:8000/"),
        ("::1", 8000, "http://[::1]:8000/"),
        ("localhost", 80, "http://localhost/"),
    ],
)
def test_the_address_shown_is_one_a_browser_can_open(host: str, port: int, url: str) -> None:
    assert serve.site_url(host, port) == url
