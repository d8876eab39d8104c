"""Bad ends of the last day, by what ended them; good ends and questions are not among them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.ai_chat.models import Conversation, Message
from apps.ai_pool.actions.known_ends import forget_known, mark_known
from apps.ai_pool.dashboard import attention
from apps.ai_pool.dashboard.attention import read_attention, read_failed

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def answer(minutes: float, **values: Any) -> Message:
    talk = Conversation.objects.create(visitor="v", updated=NOW)
    usual = {"conversation": talk, "number": 1, "role": "assistant", "text": "secret"}
    made = Message.objects.create(**usual | values)
    Message.objects.filter(pk=made.pk).update(created=NOW - timedelta(minutes=minutes))
    return made


def test_nothing_went_wrong() -> None:
    answer(1)
    answer(2, state="stopped", reason="user_stop")
    answer(3, role="user", state="failed", error_code="internal")
    answer(60 * 25, state="failed", error_code="internal")
    assert read_attention(NOW) == attention.Attention(())


def test_grouped_by_code_with_the_newest_as_samples() -> None:
    lost = [answer(number, state="failed", error_code="pool_lost") for number in range(1, 6)]
    answer(7, state="interrupted")
    answer(8, state="failed", reason="strange")
    answer(9, state="failed")
    first, *rest = read_attention(NOW).ends
    assert (first.code, first.count, first.last) == ("pool_lost", 5, NOW - timedelta(minutes=1))
    assert first.samples == tuple(str(one.pk) for one in lost[:3])
    assert first.hint
    assert {end.code for end in rest} == {"interrupted", "strange", "unknown"}
    assert "secret" not in repr(first)


def test_only_so_many_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "MAX_ROWS", 3)
    for number in range(5):
        answer(number, state="failed", error_code="internal")
    found = read_attention(NOW)
    assert found.is_cut and found.ends[0].count == 3


def test_what_is_known_needs_no_attention_until_it_happens_again() -> None:
    answer(5, state="failed", error_code="pool_lost")
    old = answer(3, state="failed", error_code="no_model")
    mark_known("no_model", NOW - timedelta(minutes=2))
    found = read_attention(NOW)
    assert [end.code for end in found.ends] == ["pool_lost"]
    assert found.known == (attention.KnownEnds("no_model", 1),)
    new = answer(1, state="failed", error_code="no_model")
    found = read_attention(NOW)
    assert {end.code: end.count for end in found.ends} == {"no_model": 1, "pool_lost": 1}
    assert read_failed("no_model", NOW, 9) == [new.pk]
    assert forget_known("no_model") and not forget_known("no_model")
    assert read_failed("no_model", NOW, 9) == [new.pk, old.pk]
    assert read_failed("no_model", NOW, 1) == [new.pk]


@pytest.mark.parametrize("code", ["", "x" * 33, "<b>", "a b"])
def test_what_is_no_code_is_not_marked(code: str) -> None:
    with pytest.raises(ValueError, match="no code"):
        mark_known(code, NOW)
