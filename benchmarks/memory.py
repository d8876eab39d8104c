"""What instances cost: the proportional set size of a process with one instance and with eight, all
filled."""

from __future__ import annotations

import multiprocessing
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.report import Report
from benchmarks.session import prompt_of, running_engine, submit

TIMEOUT_S = 900.0


def run(model: Path, *, quick: bool = False) -> Report:
    """Measure PSS with 1 and 8 instances whose context is full."""
    report = Report(name="memory", model=model.name)
    num_tokens = 200 if quick else 1000
    for instances in (1, 8):
        pss = _measure(model, instances, num_tokens)
        report.rows.append({"instances": instances, "context": num_tokens, "pss_mb": pss})
    first, last = (float(str(row["pss_mb"])) for row in report.rows)
    report.totals = {"mb_per_instance": (last - first) / 7}
    return report


def _measure(model: Path, instances: int, num_tokens: int) -> float:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_child, args=(there, model, instances, num_tokens))
    process.start()
    there.close()
    try:
        if not here.poll(TIMEOUT_S):
            raise RuntimeError("the measured process did not answer in time")
        return float(here.recv())
    finally:
        here.close()
        process.join(60)
        process.kill()


def _child(pipe: Connection, model: Path, instances: int, num_tokens: int) -> None:
    with running_engine(model, num_instances=instances, parked_bytes=0) as engine:
        for at in range(instances):
            prompt = prompt_of(engine, num_tokens, at)
            submit(engine, prompt, name=f"v{at}", max_tokens=1).finish()
        for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                pipe.send(int(line.split()[1]) / 1024)
