"""The banner: what is shown to visitors, until when, and its undo."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ai_model.pool.errors import PoolUnavailable
from apps.ai_pool.actions.banner import current_banner, show_banner
from tests.apps.ai_pool.actions.operating import (
    PAGE,
    address,
    client_of,
    noted,
)
from tests.apps.ai_pool.conftest import ScriptedPool

pytestmark = pytest.mark.django_db


def test_a_banner_its_undo_and_its_end(pool: ScriptedPool) -> None:
    client = client_of("banner_pool")
    pool.answer = PoolUnavailable("It works without a pool.")
    client.post(address("banner"), {"text": " We move\non Monday. \u202e", "hours": "4"})
    shown = current_banner()
    assert shown is not None and shown.text == "We move on Monday."
    assert shown.ends_at is not None
    assert current_banner(shown.ends_at + timedelta(seconds=1)) is None
    page = client.get(PAGE).content.decode()
    assert "We move on Monday." in page and f'action="{address("unbanner")}"' in page
    client.post(address("banner"), {"text": "Another one.", "hours": ""})
    assert current_banner().ends_at is None  # type: ignore[union-attr]
    text = client.post(address("unbanner"), follow=True).content.decode()
    assert current_banner() is None and "text=Another+one." in text
    assert [line.split(":")[0] for line in noted()] == [
        "Visitors no longer see",
        "Visitors see",
        "Visitors see",
    ]


@pytest.mark.parametrize("text", ["", " \n ", "\u200b", "x" * 301])
def test_a_banner_needs_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="A banner"):
        show_banner(text)
    assert current_banner() is None
