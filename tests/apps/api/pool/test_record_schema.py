"""Schemas of the pool's records, held against what they really write."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import jsonschema
import pytest

from ai_model.pool.histogram import HistogramFigures
from ai_model.pool.status import MemoryStatus, ModelStatus, PoolStatus
from ai_model.pool.temporary_limit import LimitName, TemporaryLimit
from ai_model.pool.waiting_request import WaitingRequest
from apps.api.pool.record_schema import schema_of
from tests.apps.ai_pool.conftest import READY, WAITING


def plain(value: Any) -> Any:
    """A schema of OpenAPI 3.0 for a validator that knows no ``nullable``."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    inner = {name: plain(item) for name, item in value.items() if name != "nullable"}
    return {"anyOf": [inner, {"type": "null"}]} if value.get("nullable") is True else inner


def check(value: Any, kind: Any) -> None:
    jsonschema.validate(json.loads(json.dumps(value)), plain(schema_of(kind)))


@pytest.mark.parametrize(
    "status",
    [
        READY,
        PoolStatus.down("Away."),
        PoolStatus(
            state=READY.state,
            limits=(TemporaryLimit(name=LimitName.MAX_TOKENS, value=64, usual=512, left_s=9.5),),
            latencies={"ttft": HistogramFigures(bounds=(0.1, 1.0), counts=(1, 2, 3), total=4.5)},
            memory=MemoryStatus(pressure=0.5, level="low", stall_some=0.0),
            model=ModelStatus(name="x", quant="Q8_0", is_demo=True, n_ctx=512, step_us={"1": 900}),
        ),
    ],
)
def test_what_the_pool_writes_fits(status: PoolStatus) -> None:
    check(status.to_json(), PoolStatus)


def test_who_waits_fits() -> None:
    check(WAITING.to_json(), WaitingRequest)


def test_what_is_wrong_does_not_fit() -> None:
    with pytest.raises(jsonschema.ValidationError):
        check(READY.to_json() | {"pid": "4711"}, PoolStatus)
    with pytest.raises(jsonschema.ValidationError):
        check({"position": 1}, WaitingRequest)


def test_a_type_nobody_thought_of_is_an_error() -> None:
    @dataclass
    class Odd:
        value: bytes

    with pytest.raises(TypeError):
        schema_of(bytes)
