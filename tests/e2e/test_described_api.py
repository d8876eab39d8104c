"""The API keeps its word: what is described is what comes, whatever is sent to a real server."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from schemathesis import Case
from schemathesis.specs.openapi import checks

from apps.api.openapi.described import Tag
from tests.e2e.described_api import Caller, fuzz, is_body_wrong, judge_plainly, operations
from tests.live import LiveServer, live_server_process

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]
NUM_EXAMPLES = 2
NUM_MANY = 30
OPERATORS = {Tag.POOL, Tag.ACTIONS, Tag.MODELS, Tag.SITES, Tag.APPROVED, Tag.OPENAI}
"""Chapters that are nothing for visitors."""
FOR_VISITORS = {"/api/v1/visitor/handover"}
"""What is nothing for programs."""
_MAKE = """
import json
from apps.api.api_keys import create_key
from apps.api.models import ApiKey
from apps.widget.models import Site
limits = {"requests_per_minute": 0, "tokens_per_hour": 0, "max_running": 0}
_, secret = create_key(name="fuzz", scopes=ApiKey.Scope.values, **limits)
print(json.dumps({"secret": secret, "site": Site.objects.create(name="Shop").key}))
"""


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server_process(
        wait_for_model=True,
        CORRAL_MAX_TOKENS="16",
        CORRAL_NEW_VISITORS_PER_HOUR="0",
        CORRAL_MAX_INFLIGHT="50",
    ) as server:
        yield server


@pytest.fixture(scope="module")
def made(server: LiveServer) -> dict[str, str]:
    """A key with all scopes and without limits, and a website."""
    done = server.manage("shell", "-v", "0", "-c", _MAKE, timeout_s=120)
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


@pytest.fixture
def program(server: LiveServer, made: dict[str, str]) -> Iterator[Caller]:
    """A key with all scopes, and something to find."""
    headers = {"Authorization": f"Bearer {made['secret']}", "X-Corral-User": uuid.uuid4().hex}
    caller = Caller(url=server.url, headers=headers, is_program=True)
    _ask_something(caller)
    wording = {"text": "At nine.", "wordings": [f"When do you open? {uuid.uuid4()}"]}
    answer = caller.call("POST", "/api/v1/approved-answers/", wording)
    assert answer.status_code == 201, answer.text
    caller.known |= {"key": made["site"], "answer_id": answer.json()["id"], "name": "corral"}
    yield caller
    _put_back(caller)


@pytest.fixture
def visitor(server: LiveServer) -> Caller:
    """Somebody on our own page, who has asked something."""
    page = requests.get(server.url, timeout=10)
    cookies = dict(page.cookies)
    headers = {"X-CSRFToken": cookies["csrftoken"]}
    caller = Caller(url=server.url, headers=headers, cookies=cookies)
    _ask_something(caller)
    return caller


def _ask_something(caller: Caller) -> None:
    asked = caller.call("POST", "/api/v1/generations/", {"text": "Hello?"}, Prefer="wait")
    assert asked.status_code == 200, asked.text
    body = asked.json()
    caller.known |= {
        "generation": body["id"],
        "conversation_id": body["conversation"],
        "message_id": body["answer"]["id"],
    }


def _put_back(caller: Caller) -> None:
    """Undo what was done to the pool."""
    base = "/api/v1/pool/actions/"
    caller.call("POST", f"{base}resume/")
    caller.call("POST", f"{base}unbanner/")
    caller.call("POST", f"{base}emergency/", {"mode": "auto"})
    caller.call("POST", f"{base}resize/", {"num_instances": 4})
    for limit in ("max_tokens", "queue_size", "max_inflight_per_visitor"):
        caller.call("POST", f"{base}unlimit/", {"limit": limit})


def _judge_program(case: Case, response: Any) -> None:
    judge_plainly(case, response)
    if case.path not in FOR_VISITORS:
        assert response.status_code not in (401, 403), response.content
    # Too big is a refusal too, which schemathesis does not count as one.
    if is_body_wrong(case) and response.status_code != 413:
        case.validate_response(response, checks=[checks.negative_data_rejection])


def _judge_stranger(case: Case, response: Any) -> None:
    judge_plainly(case, response)
    # What is too big is refused before anybody looks who sends it.
    assert response.status_code in (401, 403, 404, 405, 413), response.content


@pytest.mark.parametrize("tag", list(Tag))
def test_a_program_with_all_scopes(program: Caller, tag: Tag) -> None:
    chosen = operations(tag)
    assert chosen
    for operation in chosen:
        fuzz(operation, program, NUM_EXAMPLES, _judge_program)


@pytest.mark.parametrize("tag", list(Tag))
def test_a_visitor(visitor: Caller, tag: Tag) -> None:
    judge = _judge_stranger if tag in OPERATORS else judge_plainly
    for operation in operations(tag):
        fuzz(operation, visitor, NUM_EXAMPLES, judge)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("tag", list(Tag))
def test_many_requests_of_both(program: Caller, visitor: Caller, tag: Tag) -> None:
    for operation in operations(tag):
        fuzz(operation, program, NUM_MANY, _judge_program)
        judge = _judge_stranger if tag in OPERATORS else judge_plainly
        fuzz(operation, visitor, NUM_MANY, judge)


def test_the_server_has_no_defect_to_tell_of(server: LiveServer) -> None:
    """After all that; the pool is as it was and answers."""
    assert "Traceback" not in server.log_text(num_chars=10**9)
    server.wait_until_answering(timeout_s=30)
