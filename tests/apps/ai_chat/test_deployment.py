"""The synchronous door, against a pool in a thread with a fake engine."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from ai_model.pool.client import PoolClient
from ai_model.pool.config import PoolConfig
from ai_model.pool.errors import PoolStartError
from ai_model.pool.thread import PoolThread
from apps.ai_chat import llm_handler_deployment as door
from apps.ai_chat import services
from apps.ai_chat.errors import ChatError
from apps.ai_chat.local_pool import LocalPool
from apps.ai_chat.models import Conversation, Message
from apps.ai_chat.services import Ending
from apps.ai_chat.visitor import visitor_of_user
from apps.ai_pool import conf
from tests.ai_model.pool.fake_engine import Factory, factory

pytestmark = pytest.mark.django_db(transaction=True)
CONFIG = PoolConfig(model_path=Path("fake.gguf"), max_instances=2, n_ctx=2048)


@pytest.fixture(autouse=True)
def door_is_closed() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    door.close()
    left = [t.name for t in threading.enumerate() if t not in before and "corral" in t.name]
    assert left == []


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Factory]:
    made = factory(pace_s=0.002)
    with PoolThread(CONFIG, engine_factory=made) as thread:
        monkeypatch.setattr(conf, "socket_path", lambda: thread.socket_path)
        yield made


def conversation_of(user: User) -> Conversation:
    visitor = visitor_of_user(user)
    sent = services.send_message(
        visitor=visitor, cid=uuid.uuid4(), generation=uuid.uuid4(), text="First?"
    )
    ending = Ending(state=Message.State.COMPLETE, reason="stop")
    services.save_answer(answer_id=sent.answer, text="One.", ending=ending)
    return Conversation.objects.get(id=sent.conversation)


def test_answer_without_a_conversation_stores_nothing(engine: Factory) -> None:
    assert door.generate_deployment_response("Hello?") == "The pool answers you."
    assert not Message.objects.exists()
    assert engine.engine.requests[0].prompt.tokens


def test_answer_in_a_conversation_is_stored_with_its_numbers(engine: Factory) -> None:
    user = User.objects.create_user("anna")
    conversation = conversation_of(user)
    for session in (conversation, conversation.id, str(conversation.id)):
        text = door.generate_deployment_response("Second?", session, user)
        assert text == "The pool answers you."
    answers = conversation.messages.filter(role="assistant").order_by("number")
    assert [a.text for a in answers] == ["One.", *["The pool answers you."] * 3]
    assert [a.state for a in answers] == ["complete"] * 4
    assert answers[1].num_completion_tokens == 4


def test_somebody_elses_conversation_is_not_found(engine: Factory) -> None:
    conversation = conversation_of(User.objects.create_user("anna"))
    bert = User.objects.create_user("bert")
    text = door.generate_deployment_response("Mine?", conversation, bert)
    assert text == ChatError("not_found").text
    assert door.generate_deployment_response("Hm?", "nonsense") == ChatError("not_found").text
    assert conversation.messages.count() == 2


def test_a_name_of_the_callers_own_is_a_conversation_of_the_user(engine: Factory) -> None:
    """Such as the key of a session: two people may have the same one, by chance or by guessing."""
    anna, bert = User.objects.create_user("anna"), User.objects.create_user("bert")
    for user in (anna, anna, bert):
        text = door.generate_deployment_response("Hello?", "basket 7", user)
        assert text == "The pool answers you."
    hers = Conversation.objects.get(visitor=visitor_of_user(anna).key)
    assert (hers.user, hers.title, hers.messages.count()) == (anna, "Hello?", 4)
    assert len(engine.engine.requests[1].prompt.tokens) > len(
        engine.engine.requests[0].prompt.tokens
    )
    assert Conversation.objects.get(visitor=visitor_of_user(bert).key).messages.count() == 2
    for name, question, code in (("x" * 201, "Hm?", "not_found"), ("", "Hm?", "not_found")):
        assert door.generate_deployment_response(question, name, anna) == ChatError(code).text
    assert door.generate_deployment_response(" ", "new", anna) == ChatError("empty").text
    assert Conversation.objects.count() == 2


@pytest.mark.parametrize(("prompt", "code"), [("", "empty"), ("x" * 4001, "too_long")])
def test_refused_prompts_are_sentences(engine: Factory, prompt: str, code: str) -> None:
    assert door.generate_deployment_response(prompt) == ChatError(code, n=1).text


def test_inside_a_transaction(engine: Factory) -> None:
    """The rows of an open transaction are seen by its own thread only, and it holds the lock."""
    from django.db import transaction

    user = User.objects.create_user("anna")
    conversation = conversation_of(user)
    with transaction.atomic():
        text = door.generate_deployment_response("Second?", conversation, user)
    assert text == "The pool answers you."


def test_own_pool_is_started_only_when_none_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(conf, "socket_path", lambda: tmp_path / "nobody.sock")
    threads: list[PoolThread] = []

    def start(self: LocalPool) -> Path:
        if not threads:
            threads.append(PoolThread(CONFIG, engine_factory=factory(pace_s=0.002)))
            threads[0].start()
            self._thread = threads[0]
        return threads[0].socket_path

    monkeypatch.setattr(LocalPool, "start", start)
    assert door.get_deployment_status()["model_loaded"] is False
    assert threads == [], "asking for the status starts nothing"
    for _ in range(2):
        assert door.generate_deployment_response("Hello?") == "The pool answers you."
    assert len(threads) == 1
    assert door.get_deployment_status()["model_loaded"] is True
    door.close()
    assert not threads[0].socket_path.exists()


def test_no_model_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*args: Any) -> Any:
        raise PoolStartError("no such file")

    monkeypatch.setattr(conf, "socket_path", lambda: tmp_path / "nobody.sock")
    monkeypatch.setattr(conf, "pool_plan", refuse)
    text = door.generate_deployment_response("Hello?")
    assert text == "The assistant has no model yet."


def test_memory_is_what_the_pool_says(engine: Factory) -> None:
    """It knows the model, its limits and the operator's switch."""

    async def switch(mode: str) -> None:
        client = PoolClient(conf.socket_path())
        await client.set_emergency(mode)
        await client.close()

    asyncio.run(switch("on"))
    status = door.get_deployment_status()
    assert (status["memory_pressure"], status["emergency_mode"]) == ("critical", True)
    asyncio.run(switch("off"))
    assert door.get_deployment_status()["emergency_mode"] is False


def test_status(engine: Factory) -> None:
    door.generate_deployment_response("Hello?")
    status = door.get_deployment_status()
    assert set(status) == {
        "memory_pressure",
        "available_memory_gb",
        "model_loaded",
        "emergency_mode",
    }
    assert status["memory_pressure"] in ("low", "medium", "high", "critical")
    assert status["available_memory_gb"] > 0
    assert status["model_loaded"] is True
