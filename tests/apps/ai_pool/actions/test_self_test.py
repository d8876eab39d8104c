"""The self-test keeps the first run of a model and compares later ones with it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from django.utils import timezone
from pytest_django import Settings

from ai_model.pool.status import PoolState
from ai_model.pool.thread import PoolThread
from apps.ai_pool import services
from apps.ai_pool.actions import self_test
from apps.ai_pool.actions.records import SelfTestRun
from tests.ai_model.pool.builders import make_config, until_sync
from tests.ai_model.pool.fake_engine import FakeEngine, factory
from tests.apps.ai_pool.actions.operating import (
    address,
    client_of,
    noted,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def quick_pool(tiny_settings: Settings) -> Iterator[FakeEngine]:
    """A pool that answers by itself."""
    make_engine = factory(pace_s=0.001, script=("One ", "two ", "three."))
    with PoolThread(make_config(), engine_factory=make_engine) as thread:
        tiny_settings.CORRAL_POOL_URL = f"unix://{thread.socket_path}"
        until_sync(lambda: services.read_status().state is PoolState.READY)
        yield make_engine.engine


def test_the_self_test_keeps_the_first_run_and_compares(quick_pool: FakeEngine) -> None:
    client = client_of("test_pool")
    services.pause_pool("It is let in all the same.")
    client.post(address("selftest"), {})
    assert "compared with" in noted()[0]
    client.post(address("selftest"), {})
    run, first = SelfTestRun.objects.all()
    assert first.is_baseline and not run.is_baseline and run.text == "One two three."
    assert run.was_alone
    quick_pool.enqueue("Four.")
    text = client.post(address("selftest"), {}, follow=True).content.decode()
    assert "another text" in text and "failed" in text and "One two three." in text
    assert len(noted()) == 2, "a failed test is no deed"
    quick_pool.enqueue("Four.")
    client.post(address("selftest"), {"is_new_baseline": "on"})
    assert SelfTestRun.objects.get(is_baseline=True).text == "Four."


def run_of(**values: object) -> self_test.SelfTestResult:
    usual = {
        "model": "M",
        "at": timezone.now(),
        "text": "One.",
        "num_tokens": 30,
        "tok_s": 10.0,
        "ttft_s": 0.1,
        "was_alone": True,
        "is_baseline": False,
        "expected": "One.",
        "baseline_tok_s": 10.0,
    }
    return self_test.SelfTestResult(**usual | values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "mark", "words"),
    [
        ({}, "passed", "The expected text"),
        ({"tok_s": 5.9}, "failed", "slow"),
        ({"tok_s": 590.0, "baseline_tok_s": 1000.0}, "passed", "The expected text"),
        ({"text": "Two."}, "failed", "another text"),
        ({"text": "Two.", "was_alone": False}, "unclear", "others were answered"),
        ({"tok_s": 1.0, "was_alone": False}, "unclear", "others were answered"),
        ({"text": ""}, "failed", "said nothing"),
        ({"is_baseline": True}, "passed", "compared with"),
        ({"expected": None, "baseline_tok_s": None, "was_alone": False}, "unclear", "not kept"),
    ],
)
def test_what_speaks_against_a_model(values: dict[str, object], mark: str, words: str) -> None:
    result = run_of(**values)
    assert result.mark == mark and words in result.sentence
    assert result.is_ok is (mark != "failed")
    assert json.dumps(result.to_json())
