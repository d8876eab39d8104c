"""docs/plan-and-reality.md: our values are those of the code, the figures were measured."""

from __future__ import annotations

import re

import pytest

from ai_model.catalog import CATALOG, DEFAULT_QUANT
from ai_model.memory.rung import RUNGS, WARNING_PRESSURE
from ai_model.pool.advice import GOOD_PRESSURE, HIGH_UTILISATION, LOW_UTILISATION, MAX_PRESSURE
from ai_model.pool.economy import ECONOMIES, MemoryLevel
from ai_model.profiles import CLASSIC, MB, SMALL
from backend.env import SETTINGS
from tests.project_files import ROOT

PAGE = (ROOT / "docs/plan-and-reality.md").read_text()
MEASURED = (ROOT / "docs/performance.md").read_text() + "".join(
    path.read_text() for path in (ROOT / "docs/decisions").glob("*.md")
)
NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
DERIVED = {
    "7": "235 ms for 32 tokens",
    "842": "793 reused and 49 read",
}
"""Figures of the page that are arithmetic with measured ones."""


def row(begin: str) -> list[str]:
    """The cells of the row whose first cell begins so."""
    (line,) = [line for line in PAGE.splitlines() if line.startswith(f"| {begin}")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def default(name: str) -> str:
    (setting,) = [setting for setting in SETTINGS if setting.name == name]
    return str(setting.default)


@pytest.mark.parametrize(
    ("planned", "ours"),
    [
        ("`n_ctx` 1024", f"{SMALL.n_ctx}"),
        ("256 answer tokens", f"{SMALL.max_tokens}"),
        ("10 messages", f"{SMALL.max_messages}"),
        ("cache of 50 MB", f"{SMALL.parked_bytes // MB} MB"),
        ("`n_batch` 1", f"{SMALL.chunk_tokens} tokens"),
        ("`last_n_tokens` 32", f"{SMALL.repeat_last_n}"),
        ("flash attention off", "on" if SMALL.has_flash_attention else "off"),
        ("levels of memory", f"warning line at {WARNING_PRESSURE:.0%}".replace("%", " %")),
        ("levels of memory", f"medium from {RUNGS[0].enter * 100:.0f} %"),
        ("levels of memory", f"high from {RUNGS[1].enter * 100:.0f} %"),
        ("levels of memory", f"reaches {RUNGS[2].enter * 100:.0f} %"),
        ("emergency mode", f"{ECONOMIES[MemoryLevel.HIGH].max_tokens} tokens"),
        ("emergency mode", f"{ECONOMIES[MemoryLevel.CRITICAL].max_exchanges} exchanges"),
        ("`timeoutMs` 30000", default("CORRAL_TIMEOUT_MS")),
        ("`timeoutMs` 30000", f"first word {default('CORRAL_FIRST_TOKEN_TIMEOUT_MS')}"),
        ("`timeoutMs` 30000", f"no progress {default('CORRAL_STALL_TIMEOUT_MS')}"),
        ("`timeoutMs` 30000", f"whole answer {default('CORRAL_TOTAL_TIMEOUT_MS')}"),
    ],
)
def test_our_values_are_those_of_the_code(planned: str, ours: str) -> None:
    assert ours in row(planned)[1]


def test_the_profile_for_comparing_has_the_planned_values() -> None:
    assert (CLASSIC.n_ctx, CLASSIC.max_tokens, CLASSIC.max_messages) == (1024, 256, 10)
    assert (CLASSIC.num_threads, CLASSIC.chunk_tokens, CLASSIC.repeat_last_n) == (1, 1, 32)
    assert CLASSIC.parked_bytes == 50 * MB and not CLASSIC.has_flash_attention


def test_the_same_thresholds_and_models_as_planned() -> None:
    assert (LOW_UTILISATION, HIGH_UTILISATION) == (0.30, 0.70)
    assert (GOOD_PRESSURE, MAX_PRESSURE) == (0.70, 0.85)
    assert {entry.quant for entry in CATALOG} == {"Q4_K_M", "Q5_K_M", "Q8_0"}
    assert f"{DEFAULT_QUANT} (default)" in row("Q4_K_M, Q5_K_M")[0]


def test_what_is_computed_is_right() -> None:
    weights = next(entry.size_bytes for entry in CATALOG if entry.quant == "Q5_K_M")
    one, ten = ((weights + number * 1024 * 22_528 + 820e6) / 1e9 for number in (1, 10))
    assert f"{one:.1f} GB with one and {ten:.1f} GB with ten" in row("1.5 GB for each")[2]


def test_every_measured_figure_stands_where_measurements_are_kept() -> None:
    cells = []
    for line in PAGE.splitlines():
        for cell in line.strip("|").split("|"):
            if "Xeon" in cell or "EPYC" in cell or "promised p90" in cell:
                cells.append(re.sub(r"\[.*?\]\(.*?\)|Q\d_\w+|`.*?`|p\d\d", "", cell))
    kept = set(NUMBER.findall(MEASURED))
    figures = {figure for cell in cells for figure in NUMBER.findall(cell)}
    assert len(figures) > 30
    assert sorted(figures - kept - set(DERIVED)) == []


def test_it_stands_alone() -> None:
    assert "design/" not in PAGE and "requirements.md" not in PAGE
