"""The thread that keeps what the pool tells; a pool that is away does not end it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.ai_pool.history_thread import HistoryThread
from apps.ai_pool.models import PoolMark
from tests.ai_model.pool.builders import until_sync
from tests.apps.ai_pool.conftest import LivePool

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def places(tmp_path: Path, live_pool: LivePool) -> Iterator[list[Path]]:
    """Where a running thread looks for the pool: the first of these, none at first."""
    found = [tmp_path / "nobody.sock"]
    thread = HistoryThread(lambda: found[0], every_s=0.02)
    thread.start()
    yield found
    thread.stop()


def test_marks_are_made_as_soon_as_the_pool_is_there(
    places: list[Path], live_pool: LivePool
) -> None:
    assert not PoolMark.objects.exists()
    places[0] = live_pool.socket_path
    until_sync(lambda: PoolMark.objects.count() == 3)
    kinds = set(PoolMark.objects.values_list("kind", flat=True))
    assert kinds == {"restart", "configuration", "release"}
