"""Who may do what to the pool, and what is offered to whom."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from ai_model.pool.status import PoolState, PoolStatus
from apps.ai_pool.actions.registry import ACTIONS
from tests.apps.ai_pool.actions.operating import (
    NAMES,
    PAGE,
    address,
    client_of,
    noted,
    permission_of,
)
from tests.apps.ai_pool.conftest import READY, ScriptedPool

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", NAMES)
def test_each_action_has_a_permission_of_its_own(name: str, pool: ScriptedPool) -> None:
    own = permission_of(name)
    others = {action.permission for action in ACTIONS} - {own}
    client = client_of(*others)
    assert client.get(address(name)).status_code == 403
    assert client.post(address(name), {}).status_code == 403
    page = client.get(PAGE).content.decode()
    assert f'"{address(name)}"' not in page
    assert noted() == []


@pytest.mark.parametrize("name", NAMES)
def test_who_has_it_is_asked_first(name: str, pool: ScriptedPool) -> None:
    client = client_of(permission_of(name))
    answer = client.get(address(name))
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "csrfmiddlewaretoken" in page and 'method="post"' in page
    assert answer["Cache-Control"].startswith("max-age=0, no-cache, no-store")
    assert noted() == []


def test_every_permission_exists_and_is_used(pool: ScriptedPool) -> None:
    known = set(
        Permission.objects.filter(content_type__app_label="ai_pool").values_list(
            "codename", flat=True
        )
    )
    # Seeing is no action.
    known = {name for name in known if not name.startswith("view_")}
    assert {action.permission for action in ACTIONS} == known


def test_a_permission_without_seeing_the_pool_is_not_enough(pool: ScriptedPool) -> None:
    assert client_of("pause_pool", may_view=False).get(address("pause")).status_code == 403


def test_others_are_sent_to_the_login_and_a_post_needs_its_token(pool: ScriptedPool) -> None:
    answer = Client().post(address("pause"), {"message": "No."})
    assert answer.status_code == 302 and "/admin/login/" in answer["Location"]
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(get_user_model().objects.create_superuser(username="root"))
    assert strict.post(address("resume")).status_code == 403
    assert strict.put(address("resume")).status_code in (403, 405)


def test_only_what_makes_sense_now_has_a_button(pool: ScriptedPool) -> None:
    client = client_of("pause_pool", "resume_pool", "cancel_request", "restart_pool")

    def buttons(status: PoolStatus) -> set[str]:
        pool.answer = status
        page = client.get(PAGE).content.decode()
        return {name for name in NAMES if f'"{address(name)}"' in page}

    assert buttons(READY) == {"pause", "cancel", "restart"}
    paused = replace(READY, state=PoolState.PAUSED, num_running=0, num_waiting=0)
    assert buttons(paused) == {"resume", "restart"}
    assert buttons(PoolStatus.down("Away.")) == {"restart"}
