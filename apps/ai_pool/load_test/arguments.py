"""Options that plan_capacity and loadtest share, so that a plan and a run can be the same."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError


def add_workload(parser: ArgumentParser) -> None:
    """Add what visitors do."""
    parser.add_argument("--turns", type=int, default=5, help="questions of each visitor (5)")
    parser.add_argument(
        "--think", type=float, default=60.0, help="mean seconds of reading and typing (60)"
    )
    parser.add_argument("--question-tokens", type=int, default=40, help="length of a question (40)")
    parser.add_argument(
        "--answer-tokens", type=int, default=120, help="mean length of an answer (120)"
    )
    parser.add_argument(
        "--answer-spread", type=float, default=0.5, help="0: all answers equally long (0.5)"
    )
    parser.add_argument(
        "--system-tokens", type=int, default=60, help="length of the system prompt (60)"
    )


def numbers(text: str) -> tuple[int, ...]:
    """Return the whole numbers of a list such as 1,3,5."""
    try:
        found = tuple(dict.fromkeys(int(part) for part in text.split(",")))
    except ValueError:
        raise ArgumentTypeError(f"{text} is not a list of whole numbers such as 1,3,5") from None
    if not all(1 <= number <= 128 for number in found):
        raise ArgumentTypeError("a pool has 1 to 128 instances")
    return found
