"""Which instance takes a request, and what it may begin with."""

from __future__ import annotations

from ai_model.engine.instance import Instance
from ai_model.engine.placement import place
from ai_model.engine.request import EngineRequest
from ai_model.prompt import FittedPrompt


def _instance(
    index: int, tokens: list[int], *, conversation: str = "", visitor: str = "", since: float = 0
) -> Instance:
    instance = Instance(index)
    instance.tokens = tokens
    instance.conversation = conversation
    instance.visitor = visitor
    instance.since = since
    return instance


def _request(*tokens: int, conversation: str = "c", visitor: str = "v") -> EngineRequest:
    prompt = FittedPrompt(tokens=tokens, num_system_tokens=1, num_dropped_turns=0)
    return EngineRequest(id="r", conversation=conversation, visitor=visitor, prompt=prompt)


def test_conversation_stays_in_its_instance() -> None:
    idle = [
        _instance(0, []),
        _instance(1, [1, 2, 3], conversation="c", visitor="v", since=9),
    ]
    placement = place(_request(1, 2, 3, 4), idle)
    assert (placement.instance.index, placement.num_cached) == (1, 3)


def test_last_token_is_always_evaluated() -> None:
    idle = [_instance(0, [1, 2, 3], conversation="c", visitor="v")]
    assert place(_request(1, 2, 3), idle).num_cached == 2


def test_other_visitors_share_nothing() -> None:
    idle = [_instance(0, [1, 2, 3], conversation="d", visitor="someone else")]
    assert place(_request(1, 2, 3, 4), idle).num_cached == 0


def test_other_conversation_of_the_visitor_is_copied_into_an_empty_instance() -> None:
    idle = [
        _instance(0, [1, 2, 3], conversation="d", visitor="v"),
        _instance(1, []),
    ]
    placement = place(_request(1, 2, 9), idle)
    assert placement.instance.index == 1
    assert placement.source.index == 0
    assert placement.num_cached == 2


def test_longest_idle_instance_gives_way() -> None:
    idle = [
        _instance(0, [5], conversation="d", visitor="x", since=20),
        _instance(1, [5], conversation="e", visitor="y", since=10),
    ]
    assert place(_request(1, 2), idle).instance.index == 1
