"""Starting and stopping the pool with the web server."""

from __future__ import annotations

import logging
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from ai_model.catalog import find_entry
from ai_model.pool.errors import PoolStartError
from ai_model.pool.status import PoolState
from ai_model.store import ModelStore
from apps.ai_pool import conf, lifecycle


class Placement:
    """Counts what is done to it."""

    started: list[Any] = []
    closed: list[Any] = []
    problem: Exception | None = None
    problem_now: lifecycle.Trouble | None = None

    def __init__(self, plan: Any) -> None:
        if Placement.problem is not None:
            raise Placement.problem
        Placement.started.append(plan)

        self.socket_path = Path("/run/placement.sock")

    def close(self) -> None:
        Placement.closed.append(self)

    def trouble(self) -> lifecycle.Trouble | None:
        return Placement.problem_now


@pytest.fixture(autouse=True)
def placement(monkeypatch: pytest.MonkeyPatch) -> type[Placement]:
    Placement.started, Placement.closed = [], []
    Placement.problem = Placement.problem_now = None
    monkeypatch.setattr(lifecycle, "_ChildProcess", Placement)
    return Placement


def test_it_starts_once_and_says_which_model_and_why(
    tiny_settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    lifecycle.start_pool()
    lifecycle.start_pool()
    assert len(Placement.started) == 1
    assert lifecycle.is_started()
    assert "Tiny Test F32 (tiny.gguf) because CORRAL_MODEL_PATH names it" in caplog.text


def test_many_threads_start_it_once(tiny_settings: Settings) -> None:
    threads = [threading.Thread(target=lifecycle.start_pool) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(Placement.started) == 1


def test_it_stops_once_and_can_start_again(tiny_settings: Settings) -> None:
    lifecycle.stop_pool()
    lifecycle.start_pool()
    lifecycle.stop_pool()
    lifecycle.stop_pool()
    assert len(Placement.closed) == 1
    assert not lifecycle.is_started()
    lifecycle.start_pool()
    assert len(Placement.started) == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [("CORRAL_AUTOSTART", False), ("CORRAL_POOL_URL", "unix:///run/pool.sock")],
)
def test_nothing_is_started_where_it_is_not_wanted(
    tiny_settings: Settings, name: str, value: object
) -> None:
    setattr(tiny_settings, name, value)
    lifecycle.start_pool()
    assert Placement.started == []
    assert lifecycle.failure() == ""


def test_a_bad_model_is_one_sentence_and_the_site_goes_on(
    tiny_settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "bad.gguf"
    path.write_bytes(b"<html>")
    tiny_settings.CORRAL_MODEL_PATH = str(path)
    lifecycle.start_pool()
    assert Placement.started == []
    assert "is a web page" in lifecycle.failure()
    assert "restart the server" in lifecycle.failure()
    assert [record.exc_info for record in caplog.records] == [None]


def test_a_file_of_the_catalog_with_another_checksum_is_not_started(
    tiny_settings: Settings, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conf, "model_store", lambda: ModelStore(search_dirs=(tmp_path,)))
    path = tmp_path / find_entry("Q8_0").filename
    path.write_bytes(tiny_model.read_bytes())
    tiny_settings.CORRAL_MODEL_PATH = str(path)
    lifecycle.start_pool()
    assert Placement.started == []
    assert "damaged" in lifecycle.failure()


@pytest.mark.parametrize(
    "problem", [PoolStartError("var/ cannot be written."), OSError(30, "Read-only file system")]
)
def test_a_pool_that_cannot_be_started_is_a_sentence(
    tiny_settings: Settings, problem: Exception
) -> None:
    Placement.problem = problem
    lifecycle.start_pool()
    assert not lifecycle.is_started()
    assert "cannot be written" in lifecycle.failure() or "Read-only" in lifecycle.failure()


def test_a_second_start_after_the_mistake_is_mended(tiny_settings: Settings) -> None:
    Placement.problem = OSError(30, "Read-only file system")
    lifecycle.start_pool()
    Placement.problem = None
    lifecycle.start_pool()
    assert lifecycle.is_started()
    assert lifecycle.failure() == ""


def test_a_pool_that_will_not_end_does_not_stop_the_server_from_ending(
    tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Placement) -> None:
        raise RuntimeError("stuck")

    monkeypatch.setattr(Placement, "close", fail)
    lifecycle.start_pool()
    lifecycle.stop_pool()
    assert not lifecycle.is_started()


def test_the_socket_is_that_of_the_pool_that_was_started(
    tiny_settings: Settings, tmp_path: Path
) -> None:
    assert lifecycle.socket_path() == tmp_path / "pool.sock"
    lifecycle.start_pool()
    assert lifecycle.socket_path() == Path("/run/placement.sock")


def test_trouble_is_the_failed_start_or_what_the_supervisor_says(
    tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lifecycle.trouble() is None
    lifecycle.start_pool()
    Placement.problem_now = lifecycle.Trouble(PoolState.DOWN, "It died.")
    assert lifecycle.trouble() == lifecycle.Trouble(PoolState.DOWN, "It died.")
    monkeypatch.setattr(lifecycle, "_failure", "No model.")
    assert lifecycle.trouble() == lifecycle.Trouble(PoolState.FAILED, "No model.")


def test_a_wrong_pool_url_is_a_failure(
    tiny_settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    tiny_settings.CORRAL_POOL_URL = "http://elsewhere"
    lifecycle.start_pool()
    assert "must look like unix:///" in lifecycle.failure()
    assert lifecycle.failure() in caplog.text
    assert lifecycle.trouble() == lifecycle.Trouble(PoolState.FAILED, lifecycle.failure())


def test_trouble_with_a_pool_that_somebody_else_runs(
    tiny_settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What can be seen from here; whatever it is, this process starts no pool."""
    tiny_settings.CORRAL_POOL_URL = "unix:///nowhere/pool.sock"
    lifecycle.start_pool()
    assert lifecycle.failure() == "" and not lifecycle.is_started()
    assert "cannot be reached yet" in caplog.text
    trouble = lifecycle.trouble()
    assert trouble and trouble.state is PoolState.DOWN and "does not exist" in trouble.reason
    tiny_settings.CORRAL_POOL_URL = f"unix://{tmp_path}/p.sock"
    trouble = lifecycle.trouble()
    assert trouble and "manage.py runpool" in trouble.reason
    with socket.socket(socket.AF_UNIX) as pool:
        pool.bind(str(tmp_path / "p.sock"))
        assert lifecycle.trouble() is None, "it is there; only asking it can tell"
