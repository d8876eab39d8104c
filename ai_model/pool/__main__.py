"""``python -m ai_model.pool``: the pool process, started by its supervisor.

The first line of standard input says what to do (see launch.py). Standard input stays open: its end
means that the parent is gone. Standard output carries a few words for the supervisor.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys

from ai_model.log_format import formatter
from ai_model.memory.sensor import MemorySensor
from ai_model.pool.errors import BadFrame, PoolStartError
from ai_model.pool.frames import MAX_FRAME_BYTES
from ai_model.pool.launch import EXIT_CANNOT_START, TAKEOVER_S, Launch, Word, say
from ai_model.pool.listening_socket import ListeningSocket
from ai_model.sandbox.sandbox import Confinement, Needs, SandboxMissing, confine

EXIT_USAGE = 64
OOM_SCORE = 500
"""Added to the kernel's measure of who is ended first when memory runs out."""


def main() -> int:
    """Run the pool process and return its exit code."""
    level = os.environ.get("LOG_LEVEL", "INFO").upper()
    handler = logging.StreamHandler()
    handler.setFormatter(formatter(os.environ.get("CORRAL_LOG_FORMAT", "")))
    logging.basicConfig(
        level=level if level in logging.getLevelNamesMapping() else "INFO", handlers=[handler]
    )
    try:
        launch = Launch.from_line(_read_line(0))
    except BadFrame as error:
        sys.stderr.write(
            f"The pool process is started by the web server or by manage.py ({error.text}).\n"
        )
        return EXIT_USAGE
    _offer_to_oom_killer()
    report_fd = os.dup(1)
    os.set_blocking(report_fd, False)  # a parent that is stopped must not stop the pool's loop
    # Whatever a library prints must not be taken for a word to the supervisor.
    os.dup2(2, 1)

    def report(line: bytes) -> None:
        with contextlib.suppress(OSError):
            os.write(report_fd, line)

    try:
        # While files may still be made.
        listening = ListeningSocket.taken_over(launch.socket_path, takeover_s=TAKEOVER_S)
        confinement = confine(launch.sandbox, _needs(launch))
    except (PoolStartError, SandboxMissing) as error:
        sentence = str(error)
        logging.getLogger(__name__).error("%s", sentence)
        report(say(Word.FAILED, sentence))
        return EXIT_CANNOT_START
    _tell(confinement)
    # Not before it is known that there is something to do: this brings in llama.cpp.
    from ai_model.pool.child import Child

    async def live() -> int:
        child = Child(
            launch, lifeline=0, report=report, listening=listening, confinement=confinement
        )
        return await child.run()

    return asyncio.run(live())


def _read_line(descriptor: int) -> bytes:
    """Read a line without taking more than the line from the descriptor's stream of bytes."""
    line = b""
    while not line.endswith(b"\n") and len(line) <= MAX_FRAME_BYTES:
        piece = os.read(descriptor, 65536)
        if not piece:
            break
        line += piece
    return line


def _needs(launch: Launch) -> Needs:
    """Return what this process goes on needing."""
    sensor = MemorySensor(weight_files=lambda: ())
    sensor.read()
    return Needs(
        models=launch.models,
        socket_dir=launch.socket_path.parent,
        stall_file=sensor.stall_file,
        has_gpu=launch.config.gpu_layers > 0,
    )


def _tell(confinement: Confinement) -> None:
    logger = logging.getLogger(__name__)
    if confinement.closed:
        logger.info("Taken from the pool process: %s.", ", ".join(confinement.closed))
    if confinement.gaps:
        logger.warning("Not taken from the pool process: %s.", ", ".join(confinement.gaps))


def _offer_to_oom_killer() -> None:
    """Let the kernel end the pool before the site when memory runs out."""
    with contextlib.suppress(OSError, ValueError):
        path = "/proc/self/oom_score_adj"
        with open(path) as file:
            score = int(file.read())
        with open(path, "w") as file:
            file.write(str(min(1000, score + OOM_SCORE)))


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    # Threads of the engine may still be inside llama.cpp; they must not hold up the end.
    os._exit(code)
