"""One process never has more connections to PostgreSQL than its share."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db.utils import OperationalError

from backend.postgresql import base
from backend.postgresql.base import DatabaseWrapper


class Connection:
    """Stands for one of psycopg."""

    def close(self) -> None:
        return


@pytest.fixture
def num_free(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """How many of two places nobody has."""
    places = threading.BoundedSemaphore(2)
    monkeypatch.setattr(base, "_places", places)
    monkeypatch.setattr(base, "WAIT_S", 0.01)
    connect = lambda self, values: Connection()  # noqa: E731
    monkeypatch.setattr(
        "django.db.backends.postgresql.base.DatabaseWrapper.get_new_connection", connect
    )
    yield lambda: places._value


def wrapper() -> DatabaseWrapper:
    made = DatabaseWrapper({"OPTIONS": {}, "NAME": "x", "TIME_ZONE": None})
    made.connection = made.get_new_connection({})
    return made


def test_there_are_so_many_and_no_more(num_free: Any) -> None:
    first, second = wrapper(), wrapper()
    with pytest.raises(OperationalError, match="are busy"):
        wrapper()
    for _ in range(2):
        first._close()
    assert num_free() == 1
    third = wrapper()
    assert num_free() == 0
    second._close()
    third._close()
    assert num_free() == 2


def test_a_thread_that_ends_gives_its_place_back(num_free: Any) -> None:
    thread = threading.Thread(target=wrapper)
    thread.start()
    thread.join()
    gc.collect()
    assert num_free() == 2


def test_a_failed_connection_has_no_place(num_free: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: object, values: object) -> None:
        raise OperationalError("refused")

    monkeypatch.setattr(
        "django.db.backends.postgresql.base.DatabaseWrapper.get_new_connection", fail
    )
    with pytest.raises(OperationalError, match="refused"):
        wrapper()
    assert num_free() == 2
