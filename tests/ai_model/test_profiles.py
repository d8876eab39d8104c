"""Profiles fit the machine."""

from __future__ import annotations

import pytest

from ai_model.profiles import (
    CLASSIC,
    LARGE,
    MB,
    PROFILES,
    SMALL,
    STANDARD,
    Profile,
    choose_profile,
    choose_threads,
)

GB = 1 << 30


@pytest.mark.parametrize(
    ("num_cpus", "memory", "expected"),
    [
        (1, 64 * GB, SMALL),
        (2, 2 * GB, SMALL),
        (2, 4 * GB, STANDARD),
        (8, 4 * GB, STANDARD),
        (8, 16 * GB, LARGE),
    ],
)
def test_auto(num_cpus: int, memory: int, expected: object) -> None:
    assert choose_profile("auto", num_cpus=num_cpus, memory_bytes=memory) is expected


def test_values_that_were_measured_to_be_right() -> None:
    """Changed only with a new measurement: docs/small-server.md tells where they come from."""

    def values(one: Profile) -> tuple[int, ...]:
        return (one.hot_instances, one.max_instances, one.n_ctx, one.max_tokens, one.max_messages)

    assert values(SMALL) == values(CLASSIC) == (1, 1, 1024, 256, 10)
    assert values(STANDARD) == (3, 5, 2048, 512, 200)
    assert values(LARGE) == (5, 10, 2048, 512, 200)
    parked = [one.parked_bytes / MB for one in (SMALL, STANDARD, LARGE, CLASSIC)]
    assert parked == [50, 250, 1024, 50]
    chunks = [one.chunk_tokens for one in (SMALL, STANDARD, LARGE, CLASSIC)]
    assert chunks == [64, 128, 128, 1]
    assert [one.target_itl_ms for one in (SMALL, STANDARD, LARGE)] == [400, 300, 300]
    assert (CLASSIC.num_threads, CLASSIC.has_flash_attention) == (1, False)
    assert (CLASSIC.repeat_last_n, CLASSIC.curve_instances) == (32, 0)
    assert all(one.reason for one in PROFILES.values())


def test_by_name_and_unknown() -> None:
    assert choose_profile("large", num_cpus=1, memory_bytes=GB) is LARGE
    with pytest.raises(ValueError, match="auto, small, standard, large, classic"):
        choose_profile("huge", num_cpus=1, memory_bytes=GB)


def test_small_models_need_one_thread() -> None:
    assert choose_threads(num_cpus=4, model_bytes=6_000_000) == 1
    assert choose_threads(num_cpus=4, model_bytes=800_000_000) == 4
