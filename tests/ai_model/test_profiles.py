"""Profiles fit the machine."""

from __future__ import annotations

import pytest

from ai_model.profiles import LARGE, SMALL, STANDARD, choose_profile, choose_threads

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


def test_by_name_and_unknown() -> None:
    assert choose_profile("large", num_cpus=1, memory_bytes=GB) is LARGE
    with pytest.raises(ValueError, match="auto, small, standard, large"):
        choose_profile("huge", num_cpus=1, memory_bytes=GB)


def test_small_models_need_one_thread() -> None:
    assert choose_threads(num_cpus=4, model_bytes=6_000_000) == 1
    assert choose_threads(num_cpus=4, model_bytes=800_000_000) == 4
