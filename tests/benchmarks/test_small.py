"""What the small server's benchmark makes of what it measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from ai_model.memory.level import MemoryLevel
from ai_model.memory.reading import MemoryReading
from ai_model.simulation.trace import TraceLine
from benchmarks import __main__ as command
from benchmarks import small
from benchmarks.small_parts.figure import Figure
from benchmarks.small_parts.instances import tok_s
from benchmarks.small_parts.prefill import speed
from benchmarks.small_parts.squeeze import recovery_s
from benchmarks.small_parts.visitor import Heard, _heard

MODEL = Path("model.gguf")


@pytest.mark.parametrize(
    ("figure", "is_good", "bar"),
    [
        (Figure("a", 1.0, at_most=1.0), True, "<= 1"),
        (Figure("a", 1.1, at_most=1.0), False, "<= 1"),
        (Figure("a", 2.4, at_least=2.4), True, ">= 2.4"),
        (Figure("a", 2.3, at_least=2.4), False, ">= 2.4"),
        (Figure("a", 5.0), None, ""),
        (Figure("a", "low", at_most=1.0), None, "<= 1"),
    ],
)
def test_a_bar_is_kept_or_missed(figure: Figure, is_good: bool | None, bar: str) -> None:
    assert figure.is_good is is_good
    row = figure.as_row("part")
    assert (row["bar"], row["ok"]) == (bar, {True: "yes", False: "no", None: ""}[is_good])


def test_one_part_alone_and_what_it_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Path, bool]] = []

    def part(model: Path, is_quick: bool) -> list[Figure]:
        asked.append((model, is_quick))
        return [Figure("slow", 3.0, "s", at_most=1), Figure("quick", 1.0, "s", at_most=1)]

    def never(model: Path, is_quick: bool) -> list[Figure]:
        raise AssertionError

    monkeypatch.setattr(small, "PARTS", {"one": part, "two": never})
    report = small.run(MODEL, quick=True, only=["one"])
    assert asked == [(MODEL, True)]
    assert [row["part"] for row in report.rows] == ["one", "one"]
    assert report.totals["missed"] == "one: slow"
    with pytest.raises(ValueError, match="three; there are one, two"):
        small.run(MODEL, only=["three"])


def test_a_part_that_fails_costs_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(model: Path, is_quick: bool) -> list[Figure]:
        error = RuntimeError("the server ended")
        error.add_note("its last words")
        raise error

    def works(model: Path, is_quick: bool) -> list[Figure]:
        return [Figure("fine", 1.0)]

    monkeypatch.setattr(small, "PARTS", {"one": fails, "two": works})
    report = small.run(MODEL)
    assert [row["what"] for row in report.rows] == ["failed", "measured", "fine"]
    assert "the server ended its last words" in str(report.rows[0]["value"])
    assert report.totals["missed"] == "one: measured"


def test_an_unknown_part_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "a.gguf"
    model.touch()
    arguments = ["benchmarks", "small", "--model", str(model), "--only", "frobnicate"]
    monkeypatch.setattr("sys.argv", arguments)
    with pytest.raises(SystemExit):
        command.main()
    assert "no part frobnicate; there are mix," in capsys.readouterr().err


def test_speed_together_counts_while_all_write() -> None:
    def heard(first_at: float, ended_at: float, num_tokens: int, *, every_s: float) -> Heard:
        num = round((ended_at - first_at) / every_s)
        arrivals = tuple((first_at + at * every_s, 5) for at in range(num + 1))
        return Heard(num_tokens=num_tokens, ended_at=ended_at, arrivals=arrivals)

    alone = heard(101.0, 103.0, 21, every_s=0.1)
    assert tok_s([alone]) == pytest.approx(10.0)
    late = heard(102.0, 104.0, 11, every_s=0.2)
    # From 102 to 103: ten tokens of the one and five of the other.
    assert tok_s([alone, late]) == pytest.approx(15.0, rel=0.05)
    assert tok_s([alone, heard(102.9, 105.0, 21, every_s=0.1)]) == 0.0


def test_recovery_begins_when_most_memory_was_held_for_the_last_time() -> None:
    held = [(0.0, 0.2), (10.0, 0.97), (30.0, 0.965), (31.0, 0.2), (80.0, 0.2)]
    lines = [
        TraceLine(
            at_s=at_s,
            level=MemoryLevel.LOW,
            reason="",
            reading=MemoryReading(p_kill=p_kill),
            num_processes=1,
        )
        for at_s, p_kill in held
    ]
    assert recovery_s(lines) == 50.0
    assert recovery_s([]) == 0.0


def test_what_a_library_prints_does_not_hide_the_speed() -> None:
    assert speed('llama: loaded\n{"tok_s": 12.5}\n') == 12.5


def test_an_answer_has_the_servers_counts() -> None:
    done: dict[str, object] = {"usage": {"prompt": 50, "completion": 7, "cached": 40}}
    heard = _heard(done | {"reason": "length"}, {"quality": "reduced"}, 0.0, [(0.5, 3)])
    assert (heard.num_prompt, heard.num_cached, heard.num_tokens) == (50, 40, 7)
    assert (heard.quality, heard.reason, heard.ttft_s) == ("reduced", "length", 0.5)
    assert _heard({"usage": None, "quality": "full"}, {"quality": "reduced"}, 0, []).num_tokens == 0
