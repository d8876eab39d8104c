"""The history in the database: whoever writes it, how often, and with how much of it at a time."""

from __future__ import annotations

import threading
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection

from ai_model.pool.pool_sample import PoolSample, roll
from apps.ai_pool import rollup
from apps.ai_pool.models import PoolHistory
from apps.ai_pool.rollup import Recorder, Resolution, prune, read, record

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
EVER = (NOON - timedelta(days=1000), NOON + timedelta(days=1000))


def ten_seconds(number: int, **values: float) -> PoolSample:
    """Return the sample that is made ``number`` times ten seconds after noon."""
    usual = {"unix_s": NOON.timestamp() + 10 * number, "seconds": 10.0, "num_done": 1}
    return PoolSample(**usual | {"max_waiting": number} | values)  # type: ignore[arg-type]


def at(number: int) -> datetime:
    """Return the time of that sample."""
    return NOON + timedelta(seconds=10 * number)


def minutes() -> list[PoolSample]:
    return read(Resolution.MINUTE, *EVER)


def hours() -> list[PoolSample]:
    return read(Resolution.HOUR, *EVER)


def test_a_row_has_the_fields_of_a_sample() -> None:
    """Whoever adds a number to the sample adds it to the table."""
    columns = {column.name: column for column in PoolHistory._meta.get_fields()}
    names = {item.name for item in fields(PoolSample)}
    assert names == set(columns) - {"id", "resolution_s", "start"}
    for item in fields(PoolSample):
        assert columns[item.name].null is (item.default is None), item.name  # type: ignore[union-attr]
        is_whole = columns[item.name].get_internal_type() == "BigIntegerField"  # type: ignore[union-attr]
        assert is_whole is (item.type == "int"), item.name


@pytest.mark.django_db
def test_minutes_and_hours() -> None:
    samples = [ten_seconds(number) for number in range(360 + 6)]
    assert record(samples, at(366)) == 61 + 2
    assert len(minutes()) == 61
    assert minutes()[0] == roll(samples[:6])
    first, second = hours()
    assert first == roll(samples[:360])
    assert (second.num_done, second.max_waiting, second.num_samples) == (6, 365, 6)
    starts = PoolHistory.objects.filter(resolution_s=3600).values_list("start", flat=True)
    assert list(starts) == [NOON, NOON + HOUR]


@pytest.mark.django_db
def test_doing_it_again_changes_nothing() -> None:
    samples = [ten_seconds(number) for number in range(20)]
    record(samples, at(20))
    before = (minutes(), hours())
    assert record(samples, at(21)) == 0
    assert record(samples[7:], at(22)) == 0
    assert record(samples + samples, at(22)) == 0
    assert record([], at(22)) == 0
    assert (minutes(), hours()) == before


@pytest.mark.django_db
def test_a_minute_grows_and_never_shrinks() -> None:
    samples = [ten_seconds(number) for number in range(6)]
    record(samples[:2], at(2))
    assert hours()[0].num_done == 2
    record(samples, at(6))
    record(samples[:4], at(6))
    assert (minutes()[0].num_done, hours()[0].num_done) == (6, 6)


@pytest.mark.django_db
def test_an_idle_pool_costs_no_writes(django_assert_num_queries: object) -> None:
    """Of two web processes, the second finds everything written."""
    samples = [ten_seconds(number) for number in range(6)]
    record(samples, at(6))
    with django_assert_num_queries(1):  # type: ignore[operator]
        record(samples, at(6))


@pytest.mark.django_db
def test_values_that_nobody_measured_stay_unknown() -> None:
    record([ten_seconds(0, wait_p50_s=2.5), ten_seconds(6)], at(7))
    first, second = minutes()
    assert (first.wait_p50_s, second.wait_p50_s) == (2.5, None)
    assert hours()[0].wait_p50_s == 2.5


@pytest.mark.django_db
def test_times_that_cannot_be_are_refused() -> None:
    wrong = [
        ten_seconds(0, unix_s=NOON.timestamp() + 3600),
        ten_seconds(0, unix_s=NOON.timestamp() - 7 * 3600),
        ten_seconds(0, unix_s=1e18),
        ten_seconds(0, unix_s=-1e18),
        ten_seconds(0, unix_s=0.0),
    ]
    assert record(wrong, NOON) == 0
    assert not PoolHistory.objects.exists()


@pytest.mark.django_db
def test_one_row_for_a_period() -> None:
    PoolHistory.objects.create(resolution_s=60, start=NOON)
    PoolHistory.objects.create(resolution_s=3600, start=NOON)
    with pytest.raises(IntegrityError):
        PoolHistory.objects.create(resolution_s=60, start=NOON)


@pytest.mark.django_db
def test_a_minute_survives_a_restart_of_the_pool() -> None:
    """The new pool has forgotten the first half; the recorder has not."""
    recorder = Recorder()
    recorder.record([ten_seconds(number) for number in range(3)], at(3))
    recorder.record([ten_seconds(number, num_starts=1) for number in range(4, 6)], at(6))
    row = minutes()[0]
    assert (row.num_samples, row.num_done, row.num_starts) == (5, 5, 2)


@pytest.mark.django_db
def test_a_recorder_asks_for_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything at first, then the news; after a failure, what was missed as well."""
    recorder = Recorder()
    assert recorder.wanted_s(NOON) == 7200
    recorder.record([ten_seconds(0)], NOON)
    assert recorder.wanted_s(NOON + MINUTE) == 180
    with monkeypatch.context() as patch:

        def fail(samples: object, now: object) -> int:
            raise DatabaseError("locked")

        patch.setattr(rollup, "record", fail)
        with pytest.raises(DatabaseError):
            recorder.record([ten_seconds(6)], NOON + MINUTE)
    assert recorder.wanted_s(NOON + 3 * MINUTE) == 300
    assert recorder.wanted_s(NOON + timedelta(days=1)) == 7200
    assert recorder.wanted_s(NOON - MINUTE) == 7200
    assert recorder.record([], NOON + 3 * MINUTE) == 2
    assert len(minutes()) == 2


@pytest.mark.django_db
def test_a_recorder_forgets() -> None:
    recorder = Recorder()
    for number in range(6 * 20):
        recorder.record([ten_seconds(number)], at(number))
    assert len(recorder._recent) <= 61
    assert [row.num_samples for row in minutes()] == [6] * 20


@pytest.mark.django_db
def test_old_rows_go_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollup, "PRUNE_BATCH", 3)
    ages = {60: timedelta(hours=48), 3600: timedelta(days=400)}
    for resolution, age in ages.items():
        for number in range(5):
            start = NOON - age - number * timedelta(hours=1)
            PoolHistory.objects.create(resolution_s=resolution, start=start)
    # The youngest of each is just not too old.
    assert [prune(NOON), prune(NOON), prune(NOON)] == [6, 2, 0]
    assert sorted(PoolHistory.objects.values_list("resolution_s", "start")) == [
        (60, NOON - ages[60]),
        (3600, NOON - ages[3600]),
    ]


@pytest.mark.django_db
def test_recording_prunes() -> None:
    PoolHistory.objects.create(resolution_s=60, start=NOON - timedelta(days=3))
    record([ten_seconds(0)], NOON)
    assert PoolHistory.objects.filter(start__lt=NOON).count() == 0


@pytest.mark.django_db(transaction=True)
def test_two_web_processes_at_once() -> None:
    """Each has seen other parts; nothing is counted twice, lost, or refused."""
    samples = [ten_seconds(number) for number in range(60)]
    parts = [samples[:35], samples[20:], samples[::2], samples]
    barrier = threading.Barrier(len(parts))
    errors: list[Exception] = []

    def write(part: list[PoolSample]) -> None:
        recorder = Recorder()
        try:
            for end in range(10, len(part) + 10, 10):
                barrier.wait(10)
                recorder.record(part[:end], at(60))
        except threading.BrokenBarrierError:
            pass
        except Exception as error:
            errors.append(error)
        finally:
            barrier.abort()
            try:
                recorder.record(part, at(60))
            except Exception as error:
                errors.append(error)
            connection.close()

    threads = [threading.Thread(target=write, args=(part,)) for part in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)
    assert not errors
    assert minutes() == [roll(samples[start : start + 6]) for start in range(0, 60, 6)]
    assert hours() == [replace(roll(samples), num_waiting=hours()[0].num_waiting)]
