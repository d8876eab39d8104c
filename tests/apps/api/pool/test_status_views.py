"""The pool's numbers over REST: who sees them, and what they say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from ai_model.pool.errors import PoolUnavailable
from ai_model.pool.status import PoolState, PoolStatus
from apps.ai_pool.actions.banner import show_banner
from tests.apps.ai_pool.conftest import READY, ScriptedPool, pool
from tests.apps.api.operators import key_client, staff_client

__all__ = ["pool"]

pytestmark = pytest.mark.django_db(transaction=True)
POOL = "/api/v1/pool/"
ADDRESSES = [POOL, f"{POOL}status/", f"{POOL}instances/", f"{POOL}queue/", f"{POOL}actions/"]


def read(client: Client, address: str = POOL, *, status: int = 200, **headers: str) -> Any:
    answer = client.get(address, headers=headers)
    assert answer.status_code == status, answer.content
    return answer.json() if answer.content else answer


@pytest.mark.parametrize("address", ADDRESSES)
def test_who_may_look(pool: ScriptedPool, address: str) -> None:
    read(key_client("pool.read"), address)
    read(key_client("pool.admin", name="admin"), address)
    read(staff_client("ai_pool.view_poolstatus"), address)
    assert read(Client(), address, status=401)["error"]["code"] == "unauthorised"
    refused = read(key_client("chat", name="chat"), address, status=403)
    assert "pool.read" in refused["error"]["message"]
    read(staff_client("ai_pool.drain_pool", name="other"), address, status=403)


def test_the_short_form(pool: ScriptedPool) -> None:
    show_banner("We move on Monday.", hours=1)
    body = read(key_client("pool.read"))
    banner = body.pop("banner")
    assert banner["text"] == "We move on Monday." and banner["left_s"] > 3500
    assert body == {
        **{"state": "ready", "takes_questions": True, "reason": "", "retry_after_s": 0},
        **{"available": 1, "instances": 3, "in_use": 2, "waiting": 1, "wait_s": 90},
        **{"model": "TinyLlama 1.1B Q5_K_M", "memory_level": ""},
    }


def test_a_pool_that_is_away_is_told_and_no_error(pool: ScriptedPool) -> None:
    pool.answer = PoolUnavailable("Nobody answers there.")
    body = read(key_client("pool.read"))
    assert (body["state"], body["takes_questions"], body["model"]) == ("down", False, None)
    assert body["reason"] and body["retry_after_s"] > 0
    assert read(key_client("pool.read", name="other"), f"{POOL}instances/") == {"results": []}


def test_what_is_unchanged_is_not_sent_again(pool: ScriptedPool) -> None:
    client = key_client("pool.read")
    first = client.get(POOL)
    again = client.get(POOL, headers={"if-none-match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    show_banner("News.")
    changed = client.get(POOL, headers={"if-none-match": first["ETag"]})
    assert changed.status_code == 200 and changed["ETag"] != first["ETag"]


def test_everything(pool: ScriptedPool) -> None:
    body = read(key_client("pool.read"), f"{POOL}status/")
    assert (body["pid"], body["outcomes"]) == (4711, {"done": 10, "user_stop": 2})
    rows = read(key_client("pool.read", name="b"), f"{POOL}instances/")["results"]
    assert [row["state"] for row in rows] == ["decode", "prefill", "idle"]


def test_the_line(pool: ScriptedPool) -> None:
    body = read(key_client("pool.read"), f"{POOL}queue/")
    assert (body["waiting"], len(body["results"])) == (1, 1)
    assert body["results"][0]["visitor"] == "v-31a0c2"


def test_nothing_is_written_by_reading(pool: ScriptedPool) -> None:
    answer = key_client("pool.admin").post(POOL, {}, content_type="application/json")
    assert answer.status_code == 405 and "GET" in answer["Allow"]
    assert answer.json()["error"]["code"] == "method_not_allowed"


def test_a_paused_pool_says_why(pool: ScriptedPool) -> None:
    pool.answer = replace(READY, state=PoolState.PAUSED, reason="Paused by the operator.")
    body = read(key_client("pool.read"))
    assert (body["state"], body["takes_questions"]) == ("paused", False)
    assert "Paused" in body["reason"]
    assert isinstance(pool.answer, PoolStatus)
