"""An operator's orders, as they travel from one pool process to the next."""

from __future__ import annotations

from pathlib import Path

import pytest

from ai_model.pool.control_result import Intake
from ai_model.pool.errors import BadFrame
from ai_model.pool.launch import Word, say, understand
from ai_model.pool.orders import NO_ORDERS, LimitOrder, Orders
from ai_model.pool.temporary_limit import LimitName
from tests.ai_model.pool.builders import make_config

ORDERS = Orders(
    intake=Intake.PAUSED,
    message='Zur\u00fcck  um\u2003zw\u00f6lf \\ "bald" \U0001f600.',
    max_instances=5,
    model_path=Path("/with  two spaces/m.gguf"),
    limits=(LimitOrder(name=LimitName.QUEUE_SIZE, value=0, ends_unix_s=1.5e9, max_left_s=12.25),),
)


def test_they_survive_a_word_to_the_supervisor() -> None:
    """Which takes words apart at spaces."""
    said = understand(say(Word.ORDERS, ORDERS.to_sentence()))
    assert said is not None and said[0] is Word.ORDERS
    assert Orders.from_sentence(said[1]) == ORDERS
    assert Orders.from_sentence(NO_ORDERS.to_sentence()) == NO_ORDERS == Orders.from_json({})


@pytest.mark.parametrize(
    "sentence",
    [
        "",
        "no JSON",
        "[]",
        '{"intake":"closed"}',
        '{"max_instances":0}',
        '{"model_path":5}',
        '{"limits":[{"name":"n_ctx","value":1,"ends_unix_s":1,"max_left_s":1}]}',
        '{"limits":[{"name":"max_tokens","value":1,"ends_unix_s":1,"max_left_s":1}]}',
        '{"limits":' + '[{}],"limits":[' + "{}," * 9 + "{}]}",
        "[" * 100_000,
    ],
)
def test_broken_ones_are_refused(sentence: str) -> None:
    with pytest.raises(BadFrame):
        Orders.from_sentence(sentence)


def test_a_process_is_configured_with_their_model_and_size() -> None:
    config = make_config(hot_instances=2, model_is_demo=True)
    obeyed = Orders(max_instances=1, model_path=Path("/m.gguf")).applied_to(config)
    assert (obeyed.max_instances, obeyed.hot_instances) == (1, 1)
    assert obeyed.model_path == Path("/m.gguf") and not obeyed.model_is_demo
    assert NO_ORDERS.applied_to(config) == config
    same = Orders(model_path=config.model_path)
    assert same.applied_to(config) == config


def test_what_may_kill_a_process_can_be_left_out() -> None:
    assert ORDERS.changes_load and Orders(max_instances=1).changes_load
    kept = ORDERS.without_load()
    assert not kept.changes_load
    assert (kept.intake, kept.message, kept.limits) == (
        ORDERS.intake,
        ORDERS.message,
        ORDERS.limits,
    )
