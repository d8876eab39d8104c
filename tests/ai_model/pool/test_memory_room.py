"""Room for a first instance and for more, by the numbers."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ai_model.memory import MemoryReading
from ai_model.pool.memory_room import (
    LEVELS_FROM,
    MAX_INSTANCE_SHARE,
    START_BYTES,
    num_affordable,
    why_not_start,
    why_not_switch,
)

GB = 2**30
INSTANCE = 1024 * 22_528


def reading(p: float, p_kill: float, limit_bytes: int = 2 * GB) -> MemoryReading:
    held = int(p_kill * limit_bytes)
    return MemoryReading(
        limit_bytes=limit_bytes, unreclaimable_bytes=held, p_kill=p_kill, p_need=p, p=p
    )


def test_the_first_instance_starts_below_a_projected_85_percent() -> None:
    share = (START_BYTES + INSTANCE) / (2 * GB)
    assert why_not_start(reading(0.9, 0.849 - share), INSTANCE) == ""
    sentence = why_not_start(reading(0.9, 0.851 - share), INSTANCE)
    assert "of 2048 MB are taken" in sentence and "needs 70 MB more" in sentence
    assert why_not_start(MemoryReading(), INSTANCE) == "", "nobody knows, so nothing is refused"


def test_another_model_comes_beside_the_one_in_use() -> None:
    def why(held: float, new: int, *, old: int = GB // 2, instances: int = INSTANCE) -> str:
        return why_not_switch(
            reading(0.9, held), instances_bytes=instances, old_bytes=old, new_bytes=new
        )

    share = (START_BYTES + INSTANCE) / (2 * GB)
    assert why(0.849 - share, GB // 4) == ""
    assert "needs 70 MB more, which makes 85%" in why(0.851 - share, GB // 4)
    assert why(0.4, GB) == ""
    assert "1638 MB and the 819 MB that are taken" in why(0.4, int(1.6 * GB))
    assert why(0.4, int(1.6 * GB), old=2 * GB) == "", "better than what there is"
    unknown = MemoryReading()
    assert why_not_switch(unknown, instances_bytes=9 * GB, old_bytes=0, new_bytes=9 * GB) == ""


def test_more_instances_stay_below_the_next_level() -> None:
    def num(p: float, wanted: int = 4, *, now: int = 1, limit: int = 2 * GB, new: int = 0) -> int:
        return num_affordable(
            reading(p, 0.2, limit),
            num_now=now,
            num_wanted=wanted,
            instance_bytes=INSTANCE,
            new_bytes=new,
        )

    assert LEVELS_FROM == (0.75, 0.90)
    assert num(0.5) == 4
    assert num(0.73) == 2  # 1.1 % each
    assert num(0.745) == 1
    assert num(0.79) == 4, "medium is where a small server rests"
    assert num(0.88) == 2
    assert num(0.95) == 1
    assert num(0.2, new=int(1.1 * GB)) == 1, "with the weights it would be 75 %"
    assert num(0.2, new=int(1.2 * GB)) == 4
    assert num(0.2, limit=GB // 2) == 1, "4 % each"
    assert num(0.99, now=3) == 3 and num(0.2, 2, now=3) == 3


@settings(deadline=None)
@given(st.floats(0.0, 2.0), st.integers(1, 8), st.integers(1, 8), st.integers(1, 64 * 2**20))
def test_never_fewer_than_there_are_and_never_over_the_next_level(
    p: float, now: int, wanted: int, instance_bytes: int
) -> None:
    found = num_affordable(
        reading(p, 0.1), num_now=now, num_wanted=wanted, instance_bytes=instance_bytes
    )
    assert now <= found <= max(now, wanted)
    if found > now:
        share = instance_bytes / (2 * GB)
        assert share < MAX_INSTANCE_SHARE
        reached = p + (found - now) * share
        assert all((p < level) == (reached < level) for level in LEVELS_FROM)
