"""``manage.py plan_capacity`` from given figures: text, JSON and exit codes."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.ai_pool.capacity_plan import measuring
from apps.ai_pool.capacity_plan.figures import Figures
from apps.ai_pool.management.commands import plan_capacity
from tests.apps.ai_pool.capacity_plan.machines import GB, make_figures


@pytest.fixture
def figures(tmp_path: Path) -> str:
    path = tmp_path / "figures.json"
    path.write_text(json.dumps({"figures": make_figures().to_json()}))
    return str(path)


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("plan_capacity", "--turns", "1", *arguments, stdout=out)
    return out.getvalue()


def test_it_says_what_is_needed_and_proposes_settings(figures: str) -> None:
    text = run("--users", "2", "--figures", figures)
    assert "This machine suffices." in text
    assert "weights once" in text
    assert "CORRAL_MAX_INSTANCES=" in text


def test_json_can_be_read_back_as_figures_and_as_a_plan(figures: str, tmp_path: Path) -> None:
    first = run("--users", "2", "--figures", figures, "--pool-sizes", "1,3", "--json")
    again = tmp_path / "again.json"
    again.write_text(first)
    second = run("--users", "2", "--figures", str(again), "--pool-sizes", "1,3", "--json")
    assert json.loads(first) == json.loads(second)


def test_too_small_a_machine_is_exit_code_1(figures: str) -> None:
    with pytest.raises(CommandError, match="Memory does not suffice") as caught:
        run("--users", "2", "--figures", figures, "--memory", "1G")
    assert caught.value.returncode == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("--users", "0"),
        ("--cpus", "-1"),
        ("--figures", "/nowhere.json"),
    ],
)
def test_wrong_use_is_exit_code_2(figures: str, arguments: tuple[str, ...]) -> None:
    given = arguments if "--figures" in arguments else (*arguments, "--figures", figures)
    with pytest.raises(CommandError) as caught:
        run(*given)
    assert caught.value.returncode == 2


def test_without_figures_it_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    def measured() -> Figures:
        return make_figures(source="a measurement just now")

    monkeypatch.setattr(plan_capacity, "figures_here", measured)
    assert "a measurement just now" in run("--users", "1")


def test_the_table_names_servers_and_costs(figures: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = json.loads(run("--table", "--json", "--answer-tokens", "20", "--figures", figures))
    assert [row["users"] for row in rows["scenarios"]][:2] == ["1", "5-10"]
    assert rows["scenarios"][0]["servers"]["AWS"] == ["t3.medium", 30]


@pytest.mark.parametrize(
    ("text", "size"), [("8G", 8 * GB), ("512m", GB // 2), ("1.5GB", 3 * GB // 2)]
)
def test_sizes_of_memory(text: str, size: int) -> None:
    assert plan_capacity.size_bytes(text) == size


def test_the_real_probe_measures_the_demo_model(settings: Any) -> None:
    settings.CORRAL_MODEL_PATH = str(Path(settings.BASE_DIR) / "ai_model/weights/demo.gguf")
    plan = measuring.conf.pool_plan()
    points, cell_ms = measuring._measure(plan)
    # A size that came out dearer than a larger one is left out, even the smallest.
    sizes = [size for size, _ in points]
    assert len(sizes) >= 3 and sizes == sorted(sizes) and sizes[0] >= 1
    assert cell_ms > 0
