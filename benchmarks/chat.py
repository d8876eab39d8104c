"""Eight visitors in conversation: the engine against the usual ways of serving the same model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from ai_model.prompt import ChatMessage, Role
from benchmarks.llama_server import VARIANTS, llama_server
from benchmarks.naive import load_per_request, naive_pool
from benchmarks.report import Report, Row
from benchmarks.session import chat_prompt, running_engine, submit
from benchmarks.workload import ANSWER_TOKENS, Answer, Message, System, run_workload

VISITORS, TURNS = 8, 3


def run(
    model: Path, *, quick: bool = False, server: Path | None = None, only: Sequence[str] = ()
) -> Report:
    """Measure every system once, in turn; ``server`` is a llama-server program, ``only`` names
    systems."""
    report = Report(name="chat", model=model.name)
    turns = 2 if quick else TURNS
    systems: dict[str, tuple[str, AbstractContextManager[System], int]] = {
        "ours": ("in process", _ours(model), VISITORS),
        "naive": ("in process", naive_pool(model), VISITORS),
        "load_per_request": ("in process", nullcontext(load_per_request(model)), 1),
    }
    for name, flags in VARIANTS.items() if server is not None else ():
        assert server is not None
        systems[name] = ("HTTP", llama_server(server, model, flags), VISITORS)
    for name, (boundary, opening, visitors) in systems.items():
        if only and name not in only:
            continue
        with opening as system:
            figures = run_workload(system, visitors=visitors, turns=turns)
        row: Row = {"system": name, "boundary": boundary, "visitors": visitors, **figures}
        report.rows.append(row)
    return report


@contextmanager
def _ours(model: Path) -> Iterator[System]:
    """The engine through its public interface, eight instances."""
    with running_engine(model, num_instances=VISITORS) as engine:

        def answer(visitor: int, messages: Sequence[Message]) -> Answer:
            talk = [ChatMessage(Role(role), text) for role, text in messages]
            prompt = chat_prompt(engine, talk, ANSWER_TOKENS)
            listener = submit(engine, prompt, name=f"visitor {visitor}", max_tokens=ANSWER_TOKENS)
            listener.finish()
            return Answer(
                listener.ttft_s,
                listener.token_times[-1] - listener.submitted,
                len(listener.token_times),
                listener.text,
            )

        yield answer
