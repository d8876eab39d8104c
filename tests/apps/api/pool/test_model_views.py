"""Models over REST."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from ai_model.pool.errors import PoolUnavailable
from tests.apps.ai_pool.conftest import ScriptedPool, pool, tiny_model, tiny_settings
from tests.apps.api.operators import key_client

__all__ = ["pool", "tiny_model", "tiny_settings"]

pytestmark = pytest.mark.django_db(transaction=True)
MODELS = "/api/v1/models/"


def test_what_there_is(tiny_settings: Any) -> None:
    client = key_client("pool.read")
    body = client.get(MODELS).json()
    used = [row for row in body["results"] if row["is_used"]]
    assert body["problem"] == "" and [row["name"] for row in used] == ["tiny.gguf"]
    assert used[0]["is_here"] and used[0]["note"] == "your own" and "path" not in used[0]
    assert client.get(f"{MODELS}tiny.gguf/").json() == used[0]
    assert client.get(f"{MODELS}nothing/").status_code == 404
    etag = client.get(MODELS)["ETag"]
    assert client.get(MODELS, headers={"if-none-match": etag}).status_code == 304


def test_a_setting_that_cannot_be_is_told(tiny_settings: Any) -> None:
    tiny_settings.CORRAL_MODEL_PATH = ""
    tiny_settings.CORRAL_QUANT = "Q9"
    body = key_client("pool.read").get(MODELS).json()
    assert "Q9" in body["problem"] and not any(row["is_used"] for row in body["results"])


def test_the_one_that_answers(pool: ScriptedPool) -> None:
    client = key_client("pool.read")
    body = client.get(f"{MODELS}in-use/").json()
    assert (body["name"], body["quant"], body["n_ctx"]) == ("TinyLlama 1.1B", "Q5_K_M", 2048)
    pool.answer = PoolUnavailable("Away.")
    assert key_client("pool.read", name="b").get(f"{MODELS}in-use/").status_code == 404


@pytest.mark.parametrize("address", [MODELS, f"{MODELS}in-use/", f"{MODELS}demo/"])
def test_visitors_are_not_told(address: str) -> None:
    assert Client().get(address).status_code == 401
    assert key_client("chat").get(address).status_code == 403
