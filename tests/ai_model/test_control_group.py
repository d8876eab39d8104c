"""Where the control groups of a process are."""

from __future__ import annotations

from pathlib import Path

from ai_model.control_group import ControlGroup, own_groups


def _membership(tmp_path: Path, text: str) -> Path:
    (tmp_path / "membership").write_text(text)
    return tmp_path / "membership"


def test_version_2_and_all_ancestors(tmp_path: Path) -> None:
    (tmp_path / "site/web").mkdir(parents=True)
    own = _membership(tmp_path, "0::/site/web\n")
    assert own_groups(tmp_path, own, "memory") == [
        ControlGroup(tmp_path / "site/web", 2),
        ControlGroup(tmp_path / "site", 2),
        ControlGroup(tmp_path, 2),
    ]


def test_version_1_takes_the_asked_controller(tmp_path: Path) -> None:
    for name in ("memory/box", "cpu,cpuacct/other"):
        (tmp_path / name).mkdir(parents=True)
    own = _membership(tmp_path, "5:memory:/box\n4:cpu,cpuacct:/other\n3:pids:/box\n")
    assert own_groups(tmp_path, own, "memory") == [
        ControlGroup(tmp_path / "memory/box", 1),
        ControlGroup(tmp_path / "memory", 1),
    ]
    assert own_groups(tmp_path, own, "cpu")[0] == ControlGroup(tmp_path / "cpu,cpuacct/other", 1)


def test_path_of_the_host_inside_a_container_is_the_mount(tmp_path: Path) -> None:
    own = _membership(tmp_path, "0::/system.slice/docker-1234.scope\n")
    assert own_groups(tmp_path, own, "memory") == [ControlGroup(tmp_path, 2)]


def test_nothing_to_read_is_no_group(tmp_path: Path) -> None:
    assert own_groups(tmp_path, tmp_path / "missing", "memory") == []
    assert own_groups(tmp_path / "missing", _membership(tmp_path, "0::/\n"), "memory") == []
