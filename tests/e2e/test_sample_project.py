"""Corral's apps in a project of somebody else, set up as docs/existing-project.md says."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from openai import OpenAI
from websockets.sync.client import connect

from tests.live import DEMO_MODEL, ROOT, LiveServer, free_port, live_env, live_server_process

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not DEMO_MODEL.is_file(), reason="the demo model is not there"),
]
PROJECT = ROOT / "tests" / "sample_project"
SHOP = {
    "DJANGO_SETTINGS_MODULE": "shop.settings",
    # Where the apps are, and the project's own directory, which is where its manage.py is.
    "PYTHONPATH": f"{ROOT}:{PROJECT}",
    "TESTED_APPLICATION": "shop.asgi:application",
}
PREPARE = """
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from apps.widget.models import Site
anna = User.objects.create_user("anna")
session = SessionStore()
session[SESSION_KEY], session[HASH_SESSION_KEY] = str(anna.pk), anna.get_session_auth_hash()
session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
session.create()
site = Site.objects.create(name="Shop")
print(session.session_key, site.key)
"""
FROM_A_SHELL = """
from django.contrib.auth.models import User
from apps.ai_chat.llm_handler_deployment import generate_deployment_response
anna = User.objects.get(username="anna")
session_id = "of my own"
print(generate_deployment_response(prompt="What is Corral?", chat_session=session_id, user=anna))
"""
STATUS = """
import json
from apps.ai_chat.llm_handler_deployment import get_deployment_status
print(json.dumps(get_deployment_status()))
"""


@dataclass
class Shop:
    """The project on this machine: its data, and how its commands are run."""

    directory: Path
    env: dict[str, str]

    def manage(self, *arguments: str) -> str:
        """Run its own ``manage.py``; returns what it printed."""
        done = subprocess.run(
            [sys.executable, str(PROJECT / "manage.py"), *arguments],
            cwd=PROJECT,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def shell(self, program: str) -> str:
        """What a program prints last in ``manage.py shell``."""
        return self.manage("shell", "-v", "0", "-c", program).splitlines()[-1]


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    directory = Path(tempfile.mkdtemp(prefix="corral-shop-", dir="/tmp"))
    try:
        env = live_env(directory / "var", SHOP_DIR=str(directory), **SHOP)
        env |= {"CORRAL_MAX_INSTANCES": "2", "CORRAL_TEMPERATURE": "0"}
        shop = Shop(directory, env)
        shop.manage("migrate", "--verbosity", "0")
        yield shop
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="module")
def people(shop: Shop) -> list[str]:
    """The session of somebody signed in, and the key of a site."""
    return shop.shell(PREPARE).split()


@contextlib.contextmanager
def running(shop: Shop, *command: str, is_there: Path | int) -> Iterator[None]:
    """A process of the project until the end of the block; ``is_there``: its socket or port."""
    with (shop.directory / "process.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=PROJECT,
            env=shop.env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    deadline = time.monotonic() + 60
    try:
        while not _listens(is_there):
            told = (shop.directory / "process.log").read_text()
            assert process.poll() is None and time.monotonic() < deadline, told
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(20)


def _listens(place: Path | int) -> bool:
    if isinstance(place, Path):
        return place.exists()
    with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{place}/"):
        return True
    return False


def get(url: str, cookie: str = "") -> tuple[int, str]:
    """Status and text of a GET."""
    request = urllib.request.Request(url, headers={"Cookie": cookie} if cookie else {})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_its_checks_find_nothing_wrong(shop: Shop) -> None:
    shop.manage("check", "--fail-level", "ERROR")
    assert shop.manage("makemigrations", "--check", "--dry-run") == "No changes detected"


def test_a_shell_without_any_pool(shop: Shop, people: list[str]) -> None:
    """It starts one of its own and ends it with the process."""
    assert "assistant" in shop.shell(FROM_A_SHELL)


def test_pages_under_wsgi_and_a_pool_of_its_own(shop: Shop, people: list[str]) -> None:
    """The project goes on under WSGI as it was; the pool is a service."""
    session, site_key = people
    socket, port = shop.directory / "p.sock", free_port()
    shop.env["CORRAL_POOL_URL"] = f"unix://{socket}"
    try:
        with (
            running(shop, "manage.py", "runpool", "--socket", str(socket), is_there=socket),
            running(
                shop,
                *("manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"),
                is_there=port,
            ),
        ):
            url = f"http://127.0.0.1:{port}"
            status, page = get(f"{url}/")
            assert status == 200 and f'data-site="{site_key}"' in page
            assert get(f"{url}/w/v1.js")[0] == 200
            cookie = f"sessionid={session}"
            for _ in range(2):
                status, text = get(f"{url}/ask/?q=What+is+Corral%3F", cookie)
                assert status == 200 and "assistant" in text
            assert "assistant" in get(f"{url}/ask/?q=What+is+Corral%3F")[1]
            assert "assistant" in shop.shell(FROM_A_SHELL)
            told = json.loads(shop.shell(STATUS))
            assert told["model_loaded"] is True and told["emergency_mode"] is False
    finally:
        del shop.env["CORRAL_POOL_URL"]
    count = "from apps.ai_chat.models import Conversation as C; print(sorted("
    count += "c.messages.count() for c in C.objects.all()))"
    # Two questions in the session, one or two of the shell's own name; the stranger's is stored
    # nowhere.
    assert shop.shell(count) in ("[2, 4]", "[4, 4]")


@pytest.fixture(scope="module")
def server(shop: Shop) -> Iterator[LiveServer]:
    with live_server_process(
        wait_for_model=True, SHOP_DIR=str(shop.directory), DEBUG="", **SHOP
    ) as server:
        yield server


def test_everything_of_the_chat_under_asgi(server: LiveServer, people: list[str]) -> None:
    session, _ = people
    status, page = get(f"{server.url}/chat/", f"sessionid={session}")
    assert status == 200 and "<textarea" in page
    assert get(f"{server.url}/pool/")[0] == 200
    with connect(
        server.ws_url,
        origin=server.url,  # type: ignore[arg-type]
        subprotocols=["chat.v1"],  # type: ignore[list-item]
        additional_headers={"Cookie": f"sessionid={session}"},
    ) as line:
        line.send(json.dumps({"type": "hello", "v": 1}))
        assert json.loads(line.recv(timeout=10))["type"] == "welcome"


def test_its_own_rules_for_its_own_interface_are_not_ours(
    server: LiveServer, people: list[str]
) -> None:
    """The shop lets only people who are signed in use its own; visitors of the chat need not be."""
    status, text = get(f"{server.url}/api/v1/conversations/")
    assert status == 200, text


def test_programs_come_in(server: LiveServer) -> None:
    key = server.manage("apikey", "create", "program").stdout.strip()
    with OpenAI(base_url=f"{server.url}/v1", api_key=key, max_retries=0, timeout=30) as client:
        answer = client.chat.completions.create(
            model="corral", messages=[{"role": "user", "content": "What is Corral?"}]
        )
    assert answer.choices[0].message.content
