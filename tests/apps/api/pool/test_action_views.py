"""Actions over REST, on a real pool with a scripted engine."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client

from ai_model.pool.status import PoolState
from apps.ai_pool import services
from apps.ai_pool.actions.banner import current_banner
from apps.ai_pool.actions.registry import ACTIONS
from tests.apps.ai_pool.conftest import (
    LivePool,
    live_pool,
    no_pool_left,
    tiny_model,
    tiny_settings,
)
from tests.apps.api.operators import key_client, staff_client

__all__ = ["live_pool", "no_pool_left", "tiny_model", "tiny_settings"]

pytestmark = pytest.mark.django_db
BASE = "/api/v1/pool/actions/"


def run(client: Client, name: str, body: Any = None, *, status: int = 200) -> Any:
    answer = client.post(f"{BASE}{name}/", body or {}, content_type="application/json")
    assert answer.status_code == status, answer.content
    return answer.json()


def state() -> PoolState:
    return services.read_status().state


def notes() -> list[str]:
    return [entry.change_message for entry in LogEntry.objects.order_by("pk")]


def test_a_key_pauses_and_undoes_it(live_pool: LivePool) -> None:
    client = key_client("pool.admin", name="ops")
    done = run(client, "pause", {"message": "Back at noon."})
    assert done["is_done"] and done["undo"]["action"] == "resume"
    assert (state(), services.read_status().notice) == (PoolState.PAUSED, "Back at noon.")
    run(client, done["undo"]["action"], done["undo"]["values"])
    assert state() is PoolState.READY
    assert [note.rpartition(" By the key ")[2][:6] for note in notes()] == ["ops (c", "ops (c"]


def test_staff_do_what_their_permissions_say(live_pool: LivePool) -> None:
    client = staff_client("ai_pool.view_poolstatus", "ai_pool.drain_pool", name="olga")
    assert run(client, "drain")["is_done"]
    assert state() is PoolState.DRAINING
    assert run(client, "resume", status=403)["error"]["code"] == "forbidden"
    entry = LogEntry.objects.get()
    assert entry.user == User.objects.get(username="olga") and "key" not in entry.change_message


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_nobody_else_does_anything(action: Any) -> None:
    assert run(Client(), action.name, status=401)["error"]["code"] == "unauthorised"
    run(key_client("chat", "pool.read"), action.name, status=403)
    run(staff_client("ai_pool.view_poolstatus"), action.name, status=403)
    run(staff_client(f"ai_pool.{action.permission}", name="blind"), action.name, status=403)
    assert not LogEntry.objects.exists()


def test_staff_need_the_csrf_token() -> None:
    permissions = ("ai_pool.view_poolstatus", "ai_pool.banner_pool")
    client = staff_client(*permissions, enforce_csrf_checks=True)
    run(client, "banner", {"text": "News."}, status=403)
    assert current_banner() is None


def test_a_limit_and_a_size(live_pool: LivePool) -> None:
    client = key_client("pool.admin")
    run(client, "limit", {"limit": "max_tokens", "value": 64})
    assert services.read_status().limit_values["max_tokens"] == 64
    refused = run(client, "limit", {"limit": "max_tokens", "value": 1}, status=400)
    assert refused["error"]["message"].startswith("value: ")
    run(client, "unlimit", {"limit": "max_tokens"})
    assert services.read_status().limits == ()
    run(client, "resize", {"num_instances": 2, "is_sure": True})
    assert services.read_status().max_instances == 2


@pytest.mark.parametrize(
    "body",
    [{}, {"num_instances": "2"}, {"num_instances": 0}, {"num_instances": 2, "when": "now"}, []],
)
def test_values_that_cannot_be(live_pool: LivePool, body: Any) -> None:
    before = services.read_status().max_instances
    answer = key_client("pool.admin").post(f"{BASE}resize/", body, content_type="application/json")
    assert answer.status_code == 400 and answer.json()["error"]["code"] == "invalid"
    assert services.read_status().max_instances == before and not notes()


def test_a_request_that_is_not_there(live_pool: LivePool) -> None:
    gone = run(key_client("pool.admin"), "cancel", {"generation": "x" * 36}, status=404)
    assert gone["error"]["code"] == "not_found" and not notes()


def test_a_pool_that_is_away() -> None:
    client = key_client("pool.admin")
    assert run(client, "drain", status=503)["error"]["code"] == "pool_lost"
    banner = run(client, "banner", {"text": "We move."})
    assert banner["is_done"] and current_banner() is not None, "it needs no pool"


def test_what_there_is_and_what_it_would_do(live_pool: LivePool) -> None:
    rows = key_client("pool.read").get(BASE).json()["results"]
    assert [row["name"] for row in rows] == [action.name for action in ACTIONS]
    assert not any(row["may_run"] for row in rows), "this key only reads"
    client = staff_client("ai_pool.view_poolstatus", "ai_pool.limit_pool")
    rows = client.get(BASE).json()["results"]
    assert {row["name"] for row in rows if row["may_run"]} == {"limit", "unlimit"}
    limit = client.get(f"{BASE}limit/").json()
    assert limit["effects"] and limit["takes"]["required"] == ["limit", "value"]
    assert limit["url"] == f"{BASE}limit/" and "pool limits" in limit["command"]


def test_the_export_is_a_file(live_pool: LivePool) -> None:
    client = key_client("pool.admin")
    answer = client.post(f"{BASE}export/", {}, content_type="application/json")
    assert answer.status_code == 200 and answer["Content-Type"].startswith("text/csv")
    assert answer.content.startswith(b"at,") and len(notes()) == 1
    as_json = client.post(f"{BASE}export/", {"form": "json"}, content_type="application/json")
    assert as_json.json() == []
