"""Memory read from control groups of both versions, from the machine, and from broken files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ai_model.memory.reading import MemoryReading, Source
from ai_model.memory.sensor import KEEP_S, MemorySensor
from tests.ai_model.memory.trees import MIB, Tree

TOTAL, AVAILABLE = 16_000 * MIB, 12_000 * MIB


class Clock:
    """Seconds that pass when told."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sensor(tree: Tree, clock: Clock, weights: list[Path]) -> MemorySensor:
    return MemorySensor(weight_files=lambda: weights, root=tree.root, proc=tree.proc, clock=clock)


@pytest.fixture
def weights(tmp_path: Path) -> list[Path]:
    with (tmp_path / "model.gguf").open("wb") as file:
        file.truncate(1000 * MIB)
    return [tmp_path / "model.gguf"]


def test_v2_counts_what_cannot_be_dropped(tree: Tree, sensor: MemorySensor) -> None:
    tree.join("0::/site")
    tree.v2(
        "site",
        current=1900 * MIB,
        limit=2000 * MIB,
        inactive_file=1000 * MIB,
        active_file=400 * MIB,
        slab_reclaimable=100 * MIB,
        file=1450 * MIB,
        shmem=50 * MIB,
    )
    reading = sensor.read()
    assert reading.source is Source.V2 and reading.is_fresh and not reading.alarm
    assert reading.limit_bytes == 2000 * MIB
    assert reading.unreclaimable_bytes == 400 * MIB
    assert reading.weights_bytes == 1000 * MIB
    assert reading.p_need == pytest.approx(0.7)
    assert reading.p == reading.p_need
    assert reading.p_host == pytest.approx(5 / 16)
    assert reading.p_kill == pytest.approx(4 / 16), "the machine's own killer is nearer"


def test_v1_takes_the_totals(tree: Tree, sensor: MemorySensor) -> None:
    tree.join("4:memory:/box")
    stat = {"total_inactive_file": 900 * MIB, "total_active_file": 300 * MIB}
    tree.v1("box", usage=1800 * MIB, limit=2000 * MIB, **stat)
    reading = sensor.read()
    assert reading.source is Source.V1
    assert reading.unreclaimable_bytes == 600 * MIB
    assert (reading.p_need, reading.p_kill) == (pytest.approx(0.8), pytest.approx(0.3))


def test_no_limit_anywhere_is_the_machine(tree: Tree, sensor: MemorySensor) -> None:
    tree.join("0::/site")
    tree.v2("site", current=1 * MIB)
    reading = sensor.read()
    assert reading.source is Source.NONE
    assert (reading.limit_bytes, reading.unreclaimable_bytes) == (TOTAL, TOTAL - AVAILABLE)
    assert reading.p == reading.p_need == reading.p_host == pytest.approx(5 / 16)
    assert reading.p_kill == pytest.approx(4 / 16)


def test_no_control_groups_at_all(tree: Tree, sensor: MemorySensor) -> None:
    reading = sensor.read()
    assert reading.source is Source.NONE and reading.p == pytest.approx(5 / 16)
    assert not reading.alarm


def test_limit_above_the_machine_is_none(tree: Tree, sensor: MemorySensor) -> None:
    tree.join("0::/site")
    tree.v2("site", current=1 * MIB, limit=TOTAL * 2)
    assert sensor.read().source is Source.NONE


def test_limit_on_the_parent_only_counts_its_neighbours(tree: Tree, sensor: MemorySensor) -> None:
    tree.join("0::/shop/web")
    tree.v2("shop", current=1900 * MIB, limit=2000 * MIB)
    tree.v2("shop/web", current=100 * MIB)
    reading = sensor.read()
    assert (reading.limit_bytes, reading.unreclaimable_bytes) == (2000 * MIB, 1900 * MIB)
    assert reading.p_kill == pytest.approx(0.95)


def test_full_parent_counts_more_than_a_tighter_child(tree: Tree, sensor: MemorySensor) -> None:
    tree.join("0::/shop/web")
    tree.v2("shop", current=3900 * MIB, limit=4000 * MIB)
    tree.v2("shop/web", current=200 * MIB, limit=2000 * MIB)
    reading = sensor.read()
    assert reading.limit_bytes == 2000 * MIB
    assert reading.p_need == pytest.approx(4.9 / 4)
    assert reading.p_kill == pytest.approx(3.9 / 4)


def test_memory_high_is_a_limit(tree: Tree, sensor: MemorySensor) -> None:
    tree.join("0::/site")
    group = tree.v2("site", current=500 * MIB, limit=4000 * MIB)
    tree.write(group / "memory.high", f"{2000 * MIB}\n")
    assert sensor.read().limit_bytes == 2000 * MIB


def test_nested_container_sees_its_mount_as_its_group(tree: Tree, sensor: MemorySensor) -> None:
    tree.join("0::/system.slice/docker-1.scope/init")
    tree.v2(".", current=700 * MIB, limit=1000 * MIB)
    assert sensor.read().p_kill == pytest.approx(0.7)


def test_missing_lines_of_old_kernels(tree: Tree, sensor: MemorySensor) -> None:
    tree.join("0::/site")
    tree.v2("site", current=500 * MIB, limit=2000 * MIB)
    reading = sensor.read()
    assert (reading.num_high_events, reading.num_max_events, reading.num_oom_kills) == (0, 0, 0)
    assert reading.psi_some_avg10 is None and reading.psi_full_avg10 is None
    assert reading.refault_bytes_s == 0.0 and reading.swap_used_share is None


def test_cache_that_is_not_told_is_not_taken_for_memory(tree: Tree, sensor: MemorySensor) -> None:
    tree.join("0::/site")
    group = tree.v2("site", current=1990 * MIB, limit=2000 * MIB)
    tree.write(group / "memory.stat", "anon 5\n")
    reading = sensor.read()
    assert reading.source is Source.NONE and "memory.stat" in reading.alarm
    assert reading.p == pytest.approx(5 / 16)


def test_counters_of_v2(tree: Tree, sensor: MemorySensor) -> None:
    tree.join("0::/site")
    group = tree.v2("site", current=500 * MIB, limit=2000 * MIB)
    tree.write(group / "memory.events", "low 0\nhigh 3\nmax 5\noom 2\noom_kill 1\n")
    tree.stall(group / "memory.pressure", 12.5, 3.25)
    tree.stall(tree.proc / "pressure/memory", 99.0, 98.0)
    reading = sensor.read()
    assert (reading.num_high_events, reading.num_max_events, reading.num_oom_kills) == (3, 5, 2)
    assert (reading.psi_some_avg10, reading.psi_full_avg10) == (12.5, 3.25)
    assert sensor.stall_file == group / "memory.pressure"


def test_counters_of_v1_and_pressure_of_the_machine(tree: Tree, sensor: MemorySensor) -> None:
    tree.join("4:memory:/box")
    group = tree.v1("box", usage=500 * MIB, limit=2000 * MIB)
    tree.write(group / "memory.failcnt", "5\n")
    tree.write(group / "memory.memsw.failcnt", "2\n")
    tree.write(group / "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n")
    tree.stall(tree.proc / "pressure/memory", 4.0, 1.0)
    reading = sensor.read()
    assert (reading.num_max_events, reading.num_oom_kills) == (7, 2)
    assert reading.psi_some_avg10 == 4.0
    assert sensor.stall_file == tree.proc / "pressure/memory"


@pytest.mark.parametrize("where", ["v2", "v1", "none"])
def test_refaults_per_second(tree: Tree, sensor: MemorySensor, clock: Clock, where: str) -> None:
    def refault(pages: int) -> None:
        if where == "v2":
            tree.join("0::/site")
            stat = {"workingset_refault_file": pages}
            tree.v2("site", current=500 * MIB, limit=2000 * MIB, **stat)
        elif where == "v1":
            tree.join("4:memory:/box")
            total = {"total_workingset_refault_file": pages}
            tree.v1("box", usage=500 * MIB, limit=2000 * MIB, **total)
        else:
            tree.write(tree.proc / "vmstat", f"a 1\nworkingset_refault_file {pages}\nb 2\n")

    refault(1_000)
    assert sensor.read().refault_bytes_s == 0.0
    refault(1_200)
    clock.now += 2.0
    assert sensor.read().refault_bytes_s == 100 * 4096
    refault(5)
    clock.now += 1.0
    assert sensor.read().refault_bytes_s == 0.0, "a counter that starts again"


def test_swap_of_v2_within_its_limit(tree: Tree, sensor: MemorySensor) -> None:
    tree.machine(total=TOTAL, available=AVAILABLE, swap=1000 * MIB, swap_free=1000 * MIB)
    tree.join("0::/site")
    group = tree.v2("site", current=500 * MIB, limit=2000 * MIB)
    tree.write(group / "memory.swap.current", f"{90 * MIB}\n")
    tree.write(group / "memory.swap.max", f"{100 * MIB}\n")
    assert sensor.read().swap_used_share == pytest.approx(0.9)
    tree.write(group / "memory.swap.max", "max\n")
    assert sensor.read().swap_used_share == pytest.approx(0.09)
    tree.write(group / "memory.swap.max", "0\n")
    assert sensor.read().swap_used_share is None


def test_swap_of_v1_is_what_its_two_limits_leave(tree: Tree, sensor: MemorySensor) -> None:
    tree.machine(total=TOTAL, available=AVAILABLE, swap=1000 * MIB, swap_free=1000 * MIB)
    tree.join("4:memory:/box")
    group = tree.v1("box", usage=500 * MIB, limit=2000 * MIB, total_swap=50 * MIB)
    tree.write(group / "memory.memsw.limit_in_bytes", f"{2100 * MIB}\n")
    assert sensor.read().swap_used_share == pytest.approx(0.5)


def test_swap_of_the_machine(tree: Tree, sensor: MemorySensor) -> None:
    tree.machine(total=TOTAL, available=AVAILABLE, swap=1000 * MIB, swap_free=250 * MIB)
    assert sensor.read().swap_used_share == pytest.approx(0.75)


def test_huge_values(tree: Tree, sensor: MemorySensor) -> None:
    tree.join("0::/site")
    tree.v2("site", current=10**30, limit=2000 * MIB, inactive_file=10**29)
    reading = sensor.read()
    assert reading.p is not None and reading.p > 1.0


def test_lists_read_later_than_the_total_do_not_make_it_negative(
    tree: Tree, sensor: MemorySensor
) -> None:
    tree.join("0::/site")
    tree.v2("site", current=500 * MIB, limit=2000 * MIB, inactive_file=600 * MIB)
    assert sensor.read().unreclaimable_bytes == 0


def _cut_off(tree: Tree) -> None:
    tree.write(tree.root / "site/memory.current", "19")


def _rubbish(tree: Tree) -> None:
    tree.write(tree.root / "site/memory.max", "rubbish\n")


def _gone(tree: Tree) -> None:
    for path in (tree.root / "site").iterdir():
        path.unlink()
    (tree.root / "site").rmdir()


@pytest.mark.parametrize("break_it", [_cut_off, _rubbish])
def test_last_value_then_machine_then_unknown(
    tree: Tree, sensor: MemorySensor, clock: Clock, break_it: Callable[[Tree], None]
) -> None:
    tree.join("0::/site")
    tree.v2("site", current=1900 * MIB, limit=2000 * MIB)
    first = sensor.read()
    break_it(tree)
    clock.now += KEEP_S
    kept = sensor.read()
    assert kept.p == first.p and not kept.is_fresh and "site" in kept.alarm
    clock.now += 0.1
    host = sensor.read()
    assert host.is_fresh and host.source is Source.NONE and host.p == host.p_host
    assert "site" in host.alarm
    (tree.proc / "meminfo").unlink()
    unknown = sensor.read()
    assert unknown == MemoryReading(is_fresh=False, alarm=unknown.alarm) and unknown.p is None
    assert "meminfo" in unknown.alarm
    tree.machine(total=TOTAL, available=AVAILABLE)
    tree.v2("site", current=1000 * MIB, limit=2000 * MIB)
    again = sensor.read()
    assert again.is_fresh and not again.alarm and again.p_kill == pytest.approx(0.5)


def test_group_that_vanishes_is_looked_for_again(
    tree: Tree, sensor: MemorySensor, clock: Clock
) -> None:
    tree.join("0::/site")
    tree.v2("site", current=1900 * MIB, limit=2000 * MIB)
    sensor.read()
    _gone(tree)
    assert not sensor.read().is_fresh
    tree.join("0::/other")
    tree.v2("other", current=500 * MIB, limit=1000 * MIB)
    moved = sensor.read()
    assert moved.is_fresh and moved.limit_bytes == 1000 * MIB


def test_meminfo_without_its_estimate_is_unreadable(tree: Tree, sensor: MemorySensor) -> None:
    tree.write(tree.proc / "meminfo", "MemTotal:  1000 kB\n")
    assert sensor.read().p is None


def test_limits_are_read_anew(tree: Tree, sensor: MemorySensor) -> None:
    tree.join("0::/site")
    tree.v2("site", current=500 * MIB, limit=2000 * MIB)
    assert sensor.read().limit_bytes == 2000 * MIB
    tree.write(tree.root / "site/memory.max", f"{1000 * MIB}\n")
    assert sensor.read().limit_bytes == 1000 * MIB


def test_owner_that_fails_does_not_break_the_reading(tree: Tree, clock: Clock) -> None:
    def files() -> list[Path]:
        raise RuntimeError("no model")

    sensor = MemorySensor(weight_files=files, root=tree.root, proc=tree.proc, clock=clock)
    reading = sensor.read()
    assert reading.p is None and "RuntimeError" in reading.alarm


def test_another_process(tree: Tree, clock: Clock) -> None:
    tree.join("0::/mine")
    tree.v2("theirs", current=500 * MIB, limit=1000 * MIB)
    membership = tree.write(tree.proc / "42/cgroup", "0::/theirs\n")
    sensor = MemorySensor(
        weight_files=tuple, root=tree.root, proc=tree.proc, membership=membership, clock=clock
    )
    assert sensor.read().limit_bytes == 1000 * MIB
