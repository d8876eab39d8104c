"""A pool's limits travel unchanged and cannot be wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ai_model.pool.config import PoolConfig
from ai_model.pool.errors import BadFrame
from ai_model.pool.frames import decode, encode
from tests.ai_model.pool.builders import make_config


def test_round_trip() -> None:
    """Through JSON and back."""
    config = make_config(max_tok_s=1.5, model_is_demo=True, hot_instances=1, timeout_s=3)
    config = replace(config, peak_hours="Mon-Fri 08:00-18:00=2", max_waiting_tokens=9)
    config = replace(config, max_running_per_visitor=1, max_inflight_per_address=5)
    frame = decode(encode({"type": "x", "config": config.to_json()}))
    assert PoolConfig.from_json(frame["config"]) == config


def test_the_model_path_is_made_absolute() -> None:
    """The pool process has a working directory of its own."""
    config = make_config(model_path=Path("model.gguf"))
    assert config.to_json()["model_path"] == str(Path.cwd() / "model.gguf")


@pytest.mark.parametrize(
    "change",
    [
        {"max_instances": 0},
        {"hot_instances": 3},
        {"queue_size": -1},
        {"timeout_s": 0},
        {"stall_timeout_s": float("nan")},
        {"max_tok_s": -1},
        {"max_inflight_per_visitor": 0},
        {"max_inflight_per_address": 0},
        {"max_running_per_visitor": 0},
        {"max_waiting_tokens": 0},
        {"first_token_timeout_s": 0},
        {"peak_hours": "x" * 501},
        {"emergency": "perhaps"},
        {"repeat_last_n": 5000},
    ],
)
def test_wrong_values_name_the_field(change: dict[str, Any]) -> None:
    """Here and when they come as JSON."""
    with pytest.raises(ValueError, match=next(iter(change))):
        make_config(**change)
    values = make_config().to_json() | change
    with pytest.raises(BadFrame, match=next(iter(change))):
        PoolConfig.from_json(values)


def test_unknown_and_missing_fields() -> None:
    """A configuration of another release is noticed."""
    with pytest.raises(BadFrame, match="surprise"):
        PoolConfig.from_json(make_config().to_json() | {"surprise": 1})
    with pytest.raises(BadFrame, match="model_path"):
        PoolConfig.from_json({})
    with pytest.raises(BadFrame):
        PoolConfig.from_json([])


def test_the_engine_gets_its_part() -> None:
    """With the number of instances and the context."""
    classic = {"chunk_tokens": 1, "prefix_tokens": 64, "has_flash_attention": False}
    engine = make_config(**classic).engine_config()
    assert (engine.chunk_tokens, engine.prefix_tokens) == (1, 64)
    assert not engine.has_flash_attention
    engine = make_config(max_instances=3, n_ctx=512, max_tok_s=2.0).engine_config()
    assert (engine.num_instances, engine.n_ctx, engine.max_tok_s) == (3, 512, 2.0)
