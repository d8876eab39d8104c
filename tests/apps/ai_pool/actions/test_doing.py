"""What the actions do to a pool, what is noted of it, and how it is undone."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from pytest_django import Settings

from ai_model.pool.client import PoolClient
from ai_model.pool.request import PoolRequest
from ai_model.pool.status import MemoryStatus, PoolState
from ai_model.pool.temporary_limit import LimitName, TemporaryLimit
from apps.ai_pool import lifecycle, services
from apps.ai_pool.actions import size
from tests.ai_model.pool.builders import make_request, until_sync
from tests.apps.ai_pool.actions.operating import (
    PAGE,
    address,
    client_of,
    noted,
)
from tests.apps.ai_pool.conftest import READY, WAITING, LivePool, ScriptedPool

pytestmark = pytest.mark.django_db


def test_pause_and_its_undo(live_pool: LivePool) -> None:
    client = client_of("pause_pool", "resume_pool")
    page = client.get(address("pause")).content.decode()
    assert "New questions are refused" in page and "takes a break" in page
    answer = client.post(address("pause"), {"message": "Back <b>at noon</b>."}, follow=True)
    text = answer.content.decode()
    assert "Paused; visitors are told: Back &lt;b&gt;at noon&lt;/b&gt;." in text
    assert f'href="{address("resume")}"' in text, "there is no way back in the message"
    assert services.read_status().notice == "Back <b>at noon</b>."
    assert noted() == ["Paused; visitors are told: Back <b>at noon</b>."]
    assert LogEntry.objects.get().user.get_username() == "olga"
    client.post(address("resume"))
    assert services.read_status().state is PoolState.READY
    assert noted()[0].startswith("Open")
    assert client.post(address("pause"), {"message": ""}).status_code == 200
    assert services.read_status().state is PoolState.READY, "an empty sentence must be refused"


def test_drain(live_pool: LivePool) -> None:
    client = client_of("drain_pool")
    client.post(address("drain"))
    assert services.read_status().state is PoolState.DRAINING
    assert noted() == ["Drained: it is empty."]


def test_resize_says_what_it_needs(live_pool: LivePool) -> None:
    client = client_of("resize_pool")
    text = client.post(address("resize"), {"num_instances": "3"}, follow=True).content.decode()
    assert services.read_status().max_instances == 3
    assert f"{address('resize')}?num_instances=1" in text and "Back to 1" in text
    page = client.get(address("resize") + "?num_instances=1").content.decode()
    assert 'value="1"' in page
    wrong = client.post(address("resize"), {"num_instances": "500"}).content.decode()
    assert "less than or equal to 128" in wrong
    assert services.read_status().max_instances == 3 and len(noted()) == 1


def test_more_instances_than_memory_have_to_be_meant(
    pool: ScriptedPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = replace(READY.model, kv_bytes_per_token=22_528)  # type: ignore[type-var]
    memory = MemoryStatus(limit_bytes=2_000_000_000, pressure=0.95)
    pool.answer = replace(READY, model=model, memory=memory, max_instances=3)
    asked: list[int] = []
    monkeypatch.setattr(services, "resize_pool", lambda num: asked.append(num) or 1 / 0)
    client = client_of("resize_pool")
    page = client.get(address("resize")).content.decode()
    assert "Every instance needs 46 MB" in page and "100 MB are free" in page
    assert "room for 2 more" in page
    text = client.post(address("resize"), {"num_instances": "6"}).content.decode()
    assert "3 more instances with full contexts need 138 MB, and 100 MB are free." in text
    assert 'type="checkbox"' in text and asked == []
    with pytest.raises(ZeroDivisionError):
        client.post(address("resize"), {"num_instances": "6", "is_sure": "on"})
    assert asked == [6]


def test_free_memory_without_a_measure_of_the_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(size, "available_memory_bytes", lambda: 500)
    monkeypatch.setattr(size, "memory_limit_bytes", lambda: 1000)
    assert size.free_bytes(READY) == 500
    assert size.free_bytes(replace(READY, memory=MemoryStatus(rss_bytes=800))) == 200


def test_a_limit_for_a_while_and_its_undo(live_pool: LivePool) -> None:
    client = client_of("limit_pool")
    values = {"limit": "queue_size", "value": "1", "minutes": "60"}
    client.post(address("limit"), values)
    assert services.read_status().queue_size == 1
    assert noted() == ["Questions that may wait: 1 for 1 h, then 3 again."]
    page = client.get(PAGE).content.decode()
    assert "Questions that may wait: 1" in page and "instead of 3, for" in page
    assert f'action="{address("unlimit")}"' in page
    client.post(address("unlimit"), {"limit": "queue_size"})
    assert services.read_status().queue_size == 3 and len(noted()) == 2
    wrong = client.post(address("limit"), values | {"limit": "max_tokens"})
    assert "16 to 65,536" in wrong.content.decode() and len(noted()) == 2


def test_cancel(live_pool: LivePool) -> None:
    client = client_of("cancel_request")
    requests = [make_request("A secret"), make_request("Another secret")]
    submit(live_pool.socket_path, *requests)
    until_sync(lambda: services.read_status().num_waiting == 1)
    page = client.get(address("cancel")).content.decode()
    assert requests[1].generation in page and "secret" not in page
    client.post(address("cancel"), {"generation": requests[1].generation})
    until_sync(lambda: services.read_status().num_waiting == 0)
    assert noted() == [f"Cancelled. Request {requests[1].generation[:8]}."]
    text = client.post(address("cancel"), {"generation": "7f3a"}).content.decode()
    assert "does not know generation 7f3a" in text and len(noted()) == 1


def test_moving_to_the_front(live_pool: LivePool) -> None:
    client = client_of("move_request")
    requests = [make_request("A secret", visitor=name * 32) for name in "abc"]
    submit(live_pool.socket_path, *requests)
    until_sync(lambda: services.read_status().num_waiting == 2)
    last = requests[2].generation
    page = client.get(f"{address('front')}?generation={last}").content.decode()
    assert requests[0].generation not in page, "who runs cannot be moved"
    assert requests[1].generation in page and "secret" not in page
    client.post(address("front"), {"generation": last})
    assert [one.generation for one in services.list_waiting()][0] == last
    assert noted() == [f"It is the next of 2 in line. Request {last[:8]}."]
    client.post(address("front"), {"generation": requests[0].generation})
    assert len(noted()) == 1, "nothing was done, so nothing is noted"


def test_cancelling_orphans(live_pool: LivePool, monkeypatch: pytest.MonkeyPatch) -> None:
    client = client_of("cancel_request")
    submit(live_pool.socket_path, make_request("A secret"))
    until_sync(lambda: services.read_status().num_running == 1)
    assert f'"{address("orphans")}"' not in client.get(PAGE).content.decode()
    monkeypatch.setattr("ai_model.pool.controls.ORPHAN_S", 0.0)
    monkeypatch.setattr("ai_model.pool.status.ORPHAN_S", 0.0)
    assert f'"{address("orphans")}"' in client.get(PAGE).content.decode()
    page = client.get(address("orphans")).content.decode()
    assert "1 running answer had no reader" in page
    client.post(address("orphans"))
    until_sync(lambda: services.read_status().num_running == 0)
    assert noted() == ["Ended 1 answer that nobody watched."]


def test_rows_lead_to_what_may_be_done_to_them(pool: ScriptedPool) -> None:
    page = client_of("cancel_request", "move_request").get(PAGE).content.decode()
    running, waiting = READY.instances[0].generation, WAITING.generation
    for name, generation in (("cancel", running), ("cancel", waiting), ("front", waiting)):
        assert f'href="{address(name)}?generation={generation}"' in page
    assert f'href="{address("front")}?generation={running}"' not in page
    get_user_model().objects.all().delete()
    plain = client_of().get(PAGE).content.decode()
    assert address("cancel") not in plain and address("front") not in plain


def submit(socket_path: Path, *requests: PoolRequest) -> None:
    async def hand_in() -> None:
        client = PoolClient(socket_path)
        for request in requests:
            await client.submit(request)
        await client.close()

    asyncio.run(hand_in())


def test_switching_the_model(live_pool: LivePool, tiny_model: Path) -> None:
    client = client_of("switch_model")
    page = client.get(address("model")).content.decode()
    assert str(tiny_model) in page
    client.post(address("model"), {"model": str(tiny_model)})
    assert noted() == ["tiny F0 answers from now on."]
    other = client.post(address("model"), {"model": "/etc/passwd"})
    assert "valid choice" in other.content.decode() and len(noted()) == 1
    live_pool.engine.is_next_model_bad = True
    text = client.post(address("model"), {"model": str(tiny_model)}, follow=True).content.decode()
    assert "stays in use" in text and len(noted()) == 1


def test_a_pool_in_a_thread_is_not_restarted(live_pool: LivePool) -> None:
    client = client_of("restart_pool")
    text = client.post(address("restart"), {"patience_s": "0"}, follow=True).content.decode()
    assert "restart that one" in text and noted() == []


class GivenUp:
    """Stands for a supervisor of this process that has given its pool up."""

    socket_path = Path("/nowhere/pool.sock")

    def __init__(self) -> None:
        self.num_retries = 0

    def close(self) -> None:
        """Nothing to end."""

    def trouble(self) -> lifecycle.Trouble:
        return lifecycle.Trouble(PoolState.FAILED, "It died 6 times.")

    def retry(self) -> bool:
        self.num_retries += 1
        return True


def test_a_pool_that_was_given_up_is_tried_again(
    tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_up = GivenUp()
    monkeypatch.setattr(lifecycle, "_placement", given_up)
    client = client_of("restart_pool")
    assert "It died 6 times." in client.get(PAGE).content.decode()
    text = client.post(address("restart"), {"patience_s": "0"}, follow=True).content.decode()
    assert "A pool process is started again." in text
    assert given_up.num_retries == 1 and len(noted()) == 1


def test_the_emergency_mode_is_switched_and_switched_back(live_pool: LivePool) -> None:
    client = client_of("emergency_pool")
    page = client.get(address("emergency")).content.decode()
    assert "at most 128 tokens" in page and 'value="auto"' in page
    client.post(address("emergency"), {"mode": "on"})
    memory = asyncio.run(services.pool_status()).memory
    assert (memory.level, memory.switch) == ("critical", "on")
    assert "Memory pressure is critical." in client.get(address("emergency")).content.decode()
    client.post(address("emergency"), {"mode": "auto"})
    assert asyncio.run(services.pool_status()).memory.switch == "auto"
    client.post(address("emergency"), {"mode": "perhaps"})
    assert asyncio.run(services.pool_status()).memory.switch == "auto"
    assert len(noted()) == 2


def test_limits_are_shown_with_the_time_left(pool: ScriptedPool) -> None:
    limit = TemporaryLimit(name=LimitName.MAX_TOKENS, value=128, usual=512, left_s=3000)
    pool.answer = replace(READY, limits=(limit,))
    page = client_of().get(PAGE).content.decode()
    assert "Longest answer, in tokens: 128" in page and "instead of 512, for 50m00s yet" in page
    assert address("unlimit") not in page, "who may not undo it has no button"


def test_settings_are_no_models(tiny_settings: Settings, pool: ScriptedPool) -> None:
    """A model path that does not exist is not offered."""
    tiny_settings.CORRAL_MODEL_PATH = "/nowhere/model.gguf"
    assert "/nowhere" not in client_of("switch_model").get(address("model")).content.decode()
