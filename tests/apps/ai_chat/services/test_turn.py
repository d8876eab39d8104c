"""However many questions of one visitor come at once, no more are taken than they may have."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from apps.ai_chat.errors import ChatError
from apps.ai_chat.models import Message
from tests.apps.ai_chat.services.asking import ANNA, BERT, send

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.stores]
NUM_AT_ONCE = 64


def test_sixty_four_questions_at_once(settings: Any) -> None:
    settings.CORRAL_MAX_INFLIGHT = 3
    together = Barrier(NUM_AT_ONCE)

    def ask(number: int) -> str:
        try:
            together.wait(timeout=30)
            send("Hello?", visitor=ANNA if number % 2 else BERT)
        except ChatError as error:
            return error.code
        finally:
            connection.close()
        return "stored"

    with ThreadPoolExecutor(NUM_AT_ONCE) as pool:
        outcomes = list(pool.map(ask, range(NUM_AT_ONCE)))
    assert sorted(set(outcomes)) == ["inflight_limit", "stored"]
    for visitor in (ANNA, BERT):
        live = Message.objects.filter(
            conversation__visitor=visitor.key, state=Message.State.STREAMING
        )
        assert live.count() == 3
