"""``python -m benchmarks NAME --model FILE``: run one benchmark, print a table, write its JSON."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console

from benchmarks import (
    api,
    cancel,
    chat,
    crowd,
    decode,
    eta,
    full_stack,
    health,
    memory,
    press,
    queue,
    reuse,
    small,
    sockets,
    stall,
    status,
    stop,
    warm,
)
from benchmarks.report import Report, median_of

BENCHMARKS = {
    "decode": decode,
    "memory": memory,
    "press": press,
    "reuse": reuse,
    "cancel": cancel,
    "stall": stall,
    "chat": chat,
    "queue": queue,
    "eta": eta,
    "health": health,
    "warm": warm,
    "stop": stop,
    "sockets": sockets,
    "status": status,
    "small": small,
    "full_stack": full_stack,
    "api": api,
    "crowd": crowd,
}


def main() -> int:
    """Run what the command line asks for; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", choices=BENCHMARKS, help="what to measure")
    parser.add_argument("--model", type=Path, required=True, help="a GGUF file")
    parser.add_argument("--json", type=Path, help="write the result here as one JSON object")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, rougher numbers")
    parser.add_argument("--llama-server", type=Path, help="chat, api: also measure this program")
    parser.add_argument("--only", nargs="*", default=(), help="chat, api, small: only these parts")
    parser.add_argument("--runs", type=int, default=1, help="repeat and report the medians")
    options = parser.parse_args()
    if not options.model.is_file():
        parser.error(f"there is no file {options.model}")
    if options.name == "small" and (unknown := set(options.only) - set(small.PARTS)):
        parser.error(f"small has no part {sorted(unknown)[0]}; there are {', '.join(small.PARTS)}")
    report = median_of([_run(options) for _ in range(max(1, options.runs))])
    report.print(Console())
    if options.json is not None:
        report.write(options.json)
    return 0


def _run(options: argparse.Namespace) -> Report:
    if options.name in ("chat", "api"):
        compared: Report = BENCHMARKS[options.name].run(
            options.model, quick=options.quick, server=options.llama_server, only=options.only
        )
        return compared
    if options.name == "small":
        return small.run(options.model, quick=options.quick, only=options.only)
    report: Report = BENCHMARKS[options.name].run(options.model, quick=options.quick)
    return report


if __name__ == "__main__":
    sys.exit(main())
