"""Settings become limits, and impossible ones a sentence with numbers."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pytest_django import Settings

from ai_model.model_file import BadModelFile
from apps.ai_pool import conf
from apps.ai_pool.conf import ImpossibleSetting


def test_the_plan_takes_the_profile_and_bends_it_to_the_model(
    tiny_settings: Settings,
) -> None:
    tiny_settings.CORRAL_PROFILE = "standard"
    plan = conf.pool_plan()
    assert plan.config.n_ctx == 512
    assert plan.config.max_tokens == 256
    assert plan.config.max_messages == plan.profile.max_messages
    assert (plan.config.hot_instances, plan.config.max_instances) == (3, 5)
    assert plan.config.num_threads == 1
    assert not plan.config.model_is_demo
    assert "CORRAL_MODEL_PATH names it" in plan.sentence
    assert "3 to 5 instances of 512 tokens on 1 thread," in plan.sentence
    assert "profile standard because CORRAL_PROFILE names it." in plan.sentence


def test_settings_win_over_the_profile(tiny_settings: Settings) -> None:
    tiny_settings.CORRAL_N_CTX = 256
    tiny_settings.CORRAL_MAX_TOKENS = 100
    tiny_settings.CORRAL_MAX_MESSAGES = 7
    tiny_settings.CORRAL_MAX_INSTANCES = 2
    tiny_settings.CORRAL_HOT_INSTANCES = 1
    tiny_settings.CORRAL_TIMEOUT_MS = 1500
    tiny_settings.CORRAL_MAX_TOK_S = 15.0
    tiny_settings.CORRAL_QUEUE_SIZE = 3
    tiny_settings.CORRAL_PARKED_MB = 12
    tiny_settings.CORRAL_IDLE_SLEEP_MIN = 2
    config = conf.pool_plan().config
    assert (config.n_ctx, config.max_tokens, config.max_messages) == (256, 100, 7)
    assert (config.max_instances, config.hot_instances, config.queue_size) == (2, 1, 3)
    assert (config.timeout_s, config.max_tok_s) == (1.5, 15.0)
    assert (config.parked_bytes, config.idle_sleep_s) == (12 * 1024 * 1024, 120.0)
    assert config.max_waiting_tokens == 16 * 256


def test_every_limit_of_the_queue_and_every_deadline_is_a_setting(tiny_settings: Settings) -> None:
    tiny_settings.CORRAL_TIMEOUT_MS = 1100
    tiny_settings.CORRAL_FIRST_TOKEN_TIMEOUT_MS = 2200
    tiny_settings.CORRAL_STALL_TIMEOUT_MS = 3300
    tiny_settings.CORRAL_TOTAL_TIMEOUT_MS = 4400
    tiny_settings.CORRAL_MAX_INFLIGHT = 3
    tiny_settings.CORRAL_MAX_RUNNING_PER_VISITOR = 1
    tiny_settings.CORRAL_MAX_INFLIGHT_PER_ADDRESS = 5
    tiny_settings.CORRAL_MAX_WAITING_TOKENS = 777
    tiny_settings.CORRAL_PEAK_HOURS = "Mon-Fri 08:00-18:00=2"
    config = conf.pool_plan().config
    assert (config.timeout_s, config.first_token_timeout_s) == (1.1, 2.2)
    assert (config.stall_timeout_s, config.total_timeout_s) == (3.3, 4.4)
    assert (config.max_inflight_per_visitor, config.max_running_per_visitor) == (3, 1)
    assert (config.max_inflight_per_address, config.max_waiting_tokens) == (5, 777)
    assert config.peak_hours == "Mon-Fri 08:00-18:00=2"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("CORRAL_N_CTX", 4096, "4096.*trained for a context of 512"),
        ("CORRAL_MAX_TOKENS", 500, r"512 tokens minus 500 .* leaves 4 .* at most 440"),
        ("CORRAL_HOT_INSTANCES", 11, "11, more than the .* of profile"),
        ("CORRAL_CHUNK_TOKENS", 600, "600, more than the 512 tokens"),
        ("CORRAL_PROFILE", "huge", "choose one of auto"),
        ("CORRAL_STALL_TIMEOUT_MS", 0, "stall_timeout_s"),
        ("CORRAL_PEAK_HOURS", "when it is busy", "CORRAL_PEAK_HOURS is wrong: .*'when it is busy'"),
    ],
)
def test_impossible_settings_are_refused_with_their_numbers(
    tiny_settings: Settings, name: str, value: object, words: str
) -> None:
    setattr(tiny_settings, name, value)
    with pytest.raises(ImpossibleSetting, match=words):
        conf.pool_plan()


def test_the_size_is_the_profiles_unless_the_owner_says_it(tiny_settings: Settings) -> None:
    tiny_settings.CORRAL_PROFILE = "small"
    config = conf.pool_plan().config
    assert (config.hot_instances, config.max_instances, config.curve_instances) == (1, 1, 4)
    assert "1 to 4 instances" in conf.pool_plan().sentence
    tiny_settings.CORRAL_MAX_INSTANCES = 2
    config = conf.pool_plan().config
    assert (config.hot_instances, config.max_instances, config.curve_instances) == (0, 2, 0)
    tiny_settings.CORRAL_PROFILE = "large"
    tiny_settings.CORRAL_HOT_INSTANCES = 1
    assert "1 to 2 instances" in conf.pool_plan().sentence
    tiny_settings.CORRAL_MAX_INSTANCES = 1
    assert " 1 instance of " in conf.pool_plan().sentence


def test_every_value_of_a_profile_can_be_another(tiny_settings: Settings) -> None:
    tiny_settings.CORRAL_PROFILE = "classic"
    config = conf.pool_plan().config
    assert (config.chunk_tokens, config.num_threads, config.repeat_last_n) == (1, 1, 32)
    assert not config.has_flash_attention and config.engine_config().chunk_tokens == 1
    assert not config.engine_config().has_flash_attention
    tiny_settings.CORRAL_CHUNK_TOKENS = 32
    tiny_settings.CORRAL_TARGET_ITL_MS = 250
    tiny_settings.CORRAL_FLASH_ATTENTION = "on"
    tiny_settings.CORRAL_REPEAT_LAST_N = 0
    tiny_settings.CORRAL_EMERGENCY = "off"
    config = conf.pool_plan().config
    assert (config.chunk_tokens, config.target_itl_ms, config.repeat_last_n) == (32, 250, 0)
    assert config.has_flash_attention and config.emergency == "off"


def test_auto_says_what_it_chose_and_why(
    tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_settings.CORRAL_PROFILE = "auto"
    monkeypatch.setattr(conf, "num_usable_cpus", lambda: 1)
    monkeypatch.setattr(conf, "memory_limit_bytes", lambda: 2 * 2**30)
    sentence = conf.pool_plan().sentence
    assert "profile small because this machine lets it use 1 CPU and 2.0 GB of memory" in sentence
    assert "one CPU or at most 3 GB" in sentence


def test_the_largest_answer_that_is_offered_really_works(tiny_settings: Settings) -> None:
    tiny_settings.CORRAL_MAX_TOKENS = 440
    assert conf.pool_plan().config.max_tokens == 440


def test_a_missing_model_is_a_bad_model_file(tiny_settings: Settings, tmp_path: Path) -> None:
    tiny_settings.CORRAL_MODEL_PATH = str(tmp_path / "gone.gguf")
    with pytest.raises(BadModelFile, match="There is no model file"):
        conf.pool_plan()


def test_the_socket_is_in_the_var_directory(tiny_settings: Settings, tmp_path: Path) -> None:
    tiny_settings.CORRAL_VAR_DIR = Path("/srv/corral/var")
    assert conf.socket_path() == Path("/srv/corral/var/pool.sock")
    assert conf.lock_path() == Path("/srv/corral/var/pool.lock")


def test_the_lock_of_a_pool_is_the_same_whoever_asks(tiny_settings: Settings) -> None:
    """A runpool at this site's own socket and a web process must not both run it."""
    assert conf.lock_path(conf.socket_path()) == conf.lock_path()
    elsewhere = Path("/run/corral-pool/pool.sock")
    assert conf.lock_path(elsewhere) == Path("/run/corral-pool/pool.sock.lock")
    tiny_settings.CORRAL_POOL_URL = f"unix://{elsewhere}"
    assert conf.lock_path(conf.socket_path()) == Path("/run/corral-pool/pool.sock.lock")


def test_a_var_directory_too_deep_for_a_socket_still_works(
    tiny_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/tmp" if len(str(run)) > 60 else str(run))
    tiny_settings.CORRAL_VAR_DIR = Path("/" + "d" * 60) / ("e" * 60)
    assert len(os.fsencode(conf.socket_path())) <= 100


def test_the_pool_url_is_the_socket(tiny_settings: Settings) -> None:
    tiny_settings.CORRAL_POOL_URL = "unix:///run/corral/pool.sock"
    assert conf.is_pool_external()
    assert conf.socket_path() == Path("/run/corral/pool.sock")


def test_a_path_no_socket_can_have(tiny_settings: Settings) -> None:
    tiny_settings.CORRAL_POOL_URL = "unix:///" + "x" * 100
    with pytest.raises(ImpossibleSetting, match="101 bytes .* may have 100; choose a shorter one"):
        conf.socket_path()


@pytest.mark.parametrize(
    "url",
    [
        "tcp://127.0.0.1:9",
        "unix://relative",
        "/run/pool.sock",
        "unix:///",
        "unix:///run/corral/",
        "unix:///a\0b",
    ],
)
def test_another_pool_url_is_refused(tiny_settings: Settings, url: str) -> None:
    tiny_settings.CORRAL_POOL_URL = url
    with pytest.raises(ImpossibleSetting, match="CORRAL_POOL_URL"):
        conf.socket_path()
