"""The status page in the admin: a permission, no table, nothing to change."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client

from tests.apps.ai_pool.conftest import ScriptedPool

pytestmark = pytest.mark.django_db
PAGE = "/admin/ai_pool/poolstatus/"


def client_of(*, is_staff: bool = True, may_view: bool = True) -> Client:
    user = get_user_model().objects.create(username="u", is_staff=is_staff)
    if may_view:
        user.user_permissions.add(Permission.objects.get(codename="view_poolstatus"))
    client = Client()
    client.force_login(user)
    return client


def test_who_may_see_it_sees_the_same_numbers(pool: ScriptedPool) -> None:
    client = client_of()
    page = client.get(PAGE).content.decode()
    assert "2 / 3" in page
    assert "7f3a1111" in page
    assert "<html" not in client.get(PAGE + "?format=part").content.decode()
    told = client.get(PAGE + "status.json").json()
    assert told["num_running"] == 2 and told["line"][0]["visitor"] == "v-31a0c2"
    assert f'<a href="{PAGE}"' in client.get("/admin/").content.decode()
    short = client.get("/admin/pool/?period=7d")
    assert short["Location"] == PAGE + "?period=7d", "an address that one can remember"


def test_staff_without_the_permission_are_refused(pool: ScriptedPool) -> None:
    client = client_of(may_view=False)
    assert client.get(PAGE).status_code == 403
    assert client.get(PAGE + "status.json").status_code == 403
    assert pool.num_asked == 0


def test_others_are_sent_to_the_login(pool: ScriptedPool) -> None:
    answer = client_of(is_staff=False).get(PAGE)
    assert answer.status_code == 302
    assert "/admin/login/" in answer["Location"]


def test_nothing_can_be_added_and_there_is_no_table(pool: ScriptedPool) -> None:
    user = get_user_model().objects.create_superuser(username="root")
    client = Client()
    client.force_login(user)
    assert client.get(PAGE + "add/").status_code == 404
    assert client.get(PAGE + "1/change/").status_code == 404
    assert "ai_pool_poolstatus" not in connection.introspection.table_names()
    names = Permission.objects.filter(content_type__app_label="ai_pool").values_list("codename")
    assert not [name for (name,) in names if name.startswith(("add_", "change_", "delete_"))]
