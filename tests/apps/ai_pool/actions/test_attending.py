"""What is done about answers that ended badly: known ones are hidden, failed ones made again."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import replace

import pytest
from django.utils import timezone

from ai_model.pool.status import PoolState
from apps.ai_chat import second_try
from apps.ai_chat.models import Conversation, Message
from apps.ai_pool.dashboard.attention import read_attention
from tests.apps.ai_pool.actions.operating import PAGE, address, client_of, noted
from tests.apps.ai_pool.conftest import READY, ScriptedPool

pytestmark = pytest.mark.django_db


def failed_answer(code: str) -> Message:
    talk = Conversation.objects.create(visitor="v", updated=timezone.now())
    return Message.objects.create(
        conversation=talk, number=1, role="assistant", state="failed", error_code=code
    )


def codes() -> list[str]:
    return [end.code for end in read_attention(timezone.now()).ends]


def test_marking_as_known_and_back(pool: ScriptedPool) -> None:
    client = client_of("know_ends")
    failed_answer("no_model")
    failed_answer("pool_lost")
    page = client.get(PAGE).content.decode()
    assert f'href="{address("known")}?code=no_model"' in page
    assert "no_model: 1 answer" in client.get(address("known")).content.decode()
    text = client.post(address("known"), {"code": "no_model"}, follow=True).content.decode()
    assert codes() == ["pool_lost"]
    assert f'href="{address("unknown")}?code=no_model"' in text, "there is no way back"
    assert "Known: no_model (1)" in text
    client.post(address("known"), {"code": "strange"})
    assert noted() == ["Ends with no_model until now are known."], "only what is there"
    client.post(address("unknown"), {"code": "no_model"})
    assert sorted(codes()) == ["no_model", "pool_lost"]


def test_who_may_not_has_no_links(pool: ScriptedPool) -> None:
    failed_answer("no_model")
    page = client_of().get(PAGE).content.decode()
    assert "no_model" in page
    assert not any(address(name) in page for name in ("known", "unknown", "retry"))


def test_failed_answers_are_made_again(pool: ScriptedPool, monkeypatch: pytest.MonkeyPatch) -> None:
    client = client_of("retry_answer")
    lost, _ = failed_answer("pool_lost"), failed_answer("no_model")
    asked: list[uuid.UUID] = []

    def answer_again(ids: Iterable[uuid.UUID]) -> int:
        asked.extend(ids)
        return len(asked)

    monkeypatch.setattr(second_try, "answer_again", answer_again)
    client.post(address("retry"), {"code": "pool_lost"})
    assert asked == [lost.pk]
    assert noted() == ["1 answer of 1 that ended with pool_lost is made again."]
    pool.answer = replace(READY, state=PoolState.PAUSED)
    text = client.post(address("retry"), {"code": "pool_lost"}, follow=True).content.decode()
    assert "takes no questions" in text and len(asked) == 1 and len(noted()) == 1


def test_without_a_web_server_nobody_can_answer(
    pool: ScriptedPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The admin of a process that serves no chats says so, and stores nothing."""
    monkeypatch.setattr(second_try, "open_registries", list)
    client = client_of("retry_answer")
    failed_answer("pool_lost")
    text = client.post(address("retry"), {"code": "pool_lost"}, follow=True).content.decode()
    assert "Only a running web server" in text
    assert Message.objects.count() == 1 and noted() == []
