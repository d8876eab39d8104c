"""The history is bounded, notices restarts, and fits into one frame."""

from __future__ import annotations

from dataclasses import replace

from ai_model.pool.frames import encode
from ai_model.pool.history import (
    INTERVAL_S,
    MAX_SAMPLES,
    History,
    PoolSample,
    from_json,
    roll,
    to_json,
)
from ai_model.pool.status import MemoryStatus, PoolState, PoolStatus

YOUNG = PoolStatus(state=PoolState.READY, pid=1, uptime_s=8.0, num_accepted=2)


def test_two_hours_are_kept() -> None:
    history = History()
    assert history.since(60) == ()
    for number in range(MAX_SAMPLES + 50):
        history.add(PoolSample(unix_s=number), now=number * INTERVAL_S)
    assert len(history) == MAX_SAMPLES
    assert history.since(1e9)[0].unix_s == 50


def test_the_last_seconds() -> None:
    history = History()
    for number in range(10):
        history.add(PoolSample(unix_s=number), now=number * INTERVAL_S)
    assert [sample.unix_s for sample in history.since(30)] == [7, 8, 9]
    assert [sample.unix_s for sample in history.since(30, now=100.0)] == [8, 9]
    assert history.since(30, now=500.0) == ()


def test_a_young_pool_has_missed_nothing() -> None:
    history = History()
    sample = history.observe(YOUNG, 100.0, unix_s=5000.0)
    assert sample is not None
    assert (sample.num_accepted, sample.num_starts, sample.seconds) == (2, 1, 8.0)
    after = replace(YOUNG, uptime_s=18.0, num_accepted=7)
    sample = history.observe(after, 110.0, unix_s=5010.0)
    assert sample is not None
    assert (sample.num_accepted, sample.num_starts, sample.seconds) == (5, 0, 10.0)
    assert roll(history.since(60)).num_accepted == 7


def test_an_old_pool_is_not_counted_as_news() -> None:
    """Whoever comes late begins with what happens from now on."""
    history = History()
    old = replace(YOUNG, uptime_s=9000.0, num_accepted=500)
    assert history.observe(old, 100.0, unix_s=5000.0) is None
    sample = history.observe(replace(old, uptime_s=9010.0, num_accepted=501), 110.0, unix_s=5010.0)
    assert sample is not None and sample.num_accepted == 1


def test_a_restart_is_noticed_and_a_silence_is_not_one() -> None:
    history = History()
    history.observe(YOUNG, 100.0, unix_s=5000.0)
    assert history.observe(PoolStatus.down("It died."), 110.0, unix_s=5010.0) is None
    same = replace(YOUNG, uptime_s=28.0, num_accepted=3)
    sample = history.observe(same, 120.0, unix_s=5020.0)
    assert sample is not None and (sample.num_accepted, sample.num_starts) == (1, 0)
    new = replace(YOUNG, pid=2, uptime_s=4.0, num_accepted=1)
    sample = history.observe(new, 130.0, unix_s=5030.0)
    assert sample is not None
    assert (sample.num_accepted, sample.num_starts, sample.seconds) == (1, 1, 4.0)
    assert roll(history.since(1000)).num_accepted == 4


def test_two_hours_fit_into_one_frame() -> None:
    """With numbers as long as they come; ``encode`` raises for more than the limit."""
    big = PoolStatus(
        state=PoolState.READY,
        pid=1,
        uptime_s=10.0,
        num_waiting=1000,
        wait_p50_s=119.123,
        wait_p95_s=119.123,
        ttft_p50_s=119.123,
        ttft_p95_s=119.123,
        decode_tok_s=123.4,
        prefill_tok_s=1234.5,
        running_s=123456.78,
        instance_s=1234567.89,
        num_accepted=123_456,
        num_prompt_tokens=123_456_789,
        num_cached_tokens=123_456_789,
        memory=MemoryStatus(
            rss_bytes=10**11,
            anon_bytes=10**11,
            weights_bytes=10**11,
            kv_bytes=10**11,
            parked_bytes=10**11,
            limit_bytes=10**12,
            pressure=0.912,
        ),
    )
    history = History()
    for number in range(MAX_SAMPLES):
        # Each a new process, so that every counter is new in every sample.
        history.observe(
            replace(big, pid=number + 1), number * 10.0, unix_s=1_800_000_000.123 + number * 10
        )
    frame = encode({"type": "reply", "id": 1, "history": to_json(history.since(1e9))})
    assert len(frame) < 512 * 1024
    samples = from_json(to_json(history.since(1e9)), max_samples=MAX_SAMPLES)
    assert samples == history.since(1e9)
