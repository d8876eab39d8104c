"""Lines of the log: for people and for machines, with facts and never split."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from ai_model.log_format import JsonFormatter, PlainFormatter, facts, formatter


def record(message: str = "request ended", **values: object) -> logging.LogRecord:
    made = logging.LogRecord("corral.test", logging.INFO, "file.py", 1, message, (), None)
    made.__dict__.update(facts(**values))  # type: ignore[arg-type]
    return made


def test_plain_line_has_facts_behind_the_sentence() -> None:
    line = PlainFormatter().format(record(gen="a-b", queue_ms=12, tok_s=7.44, code=None))
    assert line.endswith("INFO    corral.test: request ended gen=a-b queue_ms=12 tok_s=7.4")


@pytest.mark.parametrize("value", ["two words", "line\nbreak", "", "x gen=forged"])
def test_plain_fact_cannot_pass_for_two(value: str) -> None:
    line = PlainFormatter().format(record(code=value))
    assert line.endswith(f"code={json.dumps(value)}") and "\n" not in line


def test_json_line() -> None:
    line = json.loads(JsonFormatter().format(record(gen="a-b", queue_ms=12, stored=False)))
    assert line.pop("time").endswith("Z") and line.pop("pid") > 0
    assert line == {
        "gen": "a-b",
        "queue_ms": 12,
        "stored": False,
        "level": "INFO",
        "logger": "corral.test",
        "message": "request ended",
    }


def test_facts_cannot_change_what_the_log_says() -> None:
    line = json.loads(JsonFormatter().format(record(level="forged", message2="x")))
    assert line["level"] == "INFO"


def test_json_stays_one_line() -> None:
    made = record("first\nsecond")
    try:
        raise ValueError("a\nb")
    except ValueError:
        made.exc_info = sys.exc_info()
    text = JsonFormatter().format(made)
    assert "\n" not in text and "ValueError: a" in json.loads(text)["traceback"]


def test_names() -> None:
    assert isinstance(formatter("json"), JsonFormatter)
    assert isinstance(formatter("plain"), PlainFormatter)
    assert isinstance(formatter("nonsense"), PlainFormatter)
