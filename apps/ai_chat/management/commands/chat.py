"""A chat with the assistant in the terminal."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django_rich.management import RichCommand
from rich.markup import escape

from ai_model.pool.client import PoolClient
from ai_model.pool.status import PoolState
from apps.ai_chat.dialogue import Dialogue
from apps.ai_chat.errors import PROBLEMS, ChatError, visitor_text
from apps.ai_chat.exchange import TERMINAL, JsonFrame
from apps.ai_chat.local_pool import LocalPool

NO_POOL_EXIT_CODE = PROBLEMS["no_model"].exit_code
HELP = """\
/pool   how the pool is doing
/new    begin a new conversation
/help   this list
/quit   leave (also Ctrl-D)
Ctrl-C  stops an answer; at the prompt, twice leaves"""
NO_SERVER = (
    "No pool is running here. Start the server with `make run`, or chat without one: "
    "`manage.py chat --local`."
)


class Command(RichCommand):
    """``manage.py chat [--local]``. Exit codes: 0 fine, 3 no pool or no model, 4 refused or too
    late, 1 anything else that went wrong with the last question."""

    help = "Chat with the assistant in the terminal, through the running pool or one of its own."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--local", action="store_true", help="load the model in this process, without a server"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # The terminal belongs to the conversation; what goes wrong is said in it.
        logging.getLogger().setLevel(logging.ERROR)
        local = LocalPool() if options["local"] else None
        try:
            with asyncio.Runner() as runner:
                self._chat(runner, self._socket_path(local))
        except KeyboardInterrupt:
            sys.exit(130)
        finally:
            if local is not None:
                local.close()

    def _socket_path(self, local: LocalPool | None) -> Path:
        from apps.ai_pool import conf

        try:
            if local is None:
                return conf.socket_path()
            path = local.start()
        except (ChatError, conf.ImpossibleSetting) as error:
            reason = error.details["reason"] if isinstance(error, ChatError) else str(error)
            raise CommandError(
                f"The assistant has no model yet: {reason}", returncode=NO_POOL_EXIT_CODE
            ) from None
        self.console.print(escape(local.sentence), style="dim", highlight=False)
        return path

    def _chat(self, runner: asyncio.Runner, socket_path: Path) -> None:
        client = runner.run(_new_client(socket_path))
        try:
            dialogue = Dialogue(lambda: client)
            self._check_pool(runner, dialogue)
            exit_code = self._talk(runner, dialogue)
        finally:
            runner.run(client.close())
        if exit_code:
            sys.exit(exit_code)

    def _check_pool(self, runner: asyncio.Runner, dialogue: Dialogue) -> None:
        status = runner.run(dialogue.status())
        if status.state is PoolState.DOWN:
            raise CommandError(NO_SERVER, returncode=NO_POOL_EXIT_CODE)
        if status.state is PoolState.FAILED:
            raise CommandError(
                f"The assistant has no model yet. {status.reason}", returncode=NO_POOL_EXIT_CODE
            )
        if status.state is PoolState.LOADING:
            self.console.print("The model is loading.", style="dim")
        if status.model is not None:
            name = f"{status.model.name} {status.model.quant}".strip()
            note = " (the small demo model)" if status.model.is_demo else ""
            self.console.print(escape(f"You talk to an AI: {name}{note}."), style="dim")
        if sys.stdin.isatty():
            self.console.print("/help lists the commands.", style="dim")

    def _talk(self, runner: asyncio.Runner, dialogue: Dialogue) -> int:
        """Read and answer until the end; returns the exit code of the last question."""
        exit_code = 0
        read = _reader()
        while True:
            try:
                line = read()
            except EOFError:
                break
            except KeyboardInterrupt:
                break
            word = line.strip()
            if word in ("/quit", "/exit"):
                break
            if not word:
                continue
            if word == "/help":
                self.console.print(HELP, highlight=False)
            elif word == "/new":
                dialogue.begin_anew()
                self.console.print("A new conversation.", style="dim")
            elif word == "/pool":
                self.console.print(runner.run(dialogue.status()).as_text(), highlight=False)
            elif word.startswith("/"):
                self.console.print(f"There is no command {escape(word.split()[0])}.\n{HELP}")
            else:
                exit_code, wants_out = runner.run(self._answer(dialogue, line))
                if wants_out:
                    break
        return exit_code

    async def _answer(self, dialogue: Dialogue, question: str) -> tuple[int, bool]:
        """Stream one answer; returns the exit code and whether the reader wants to leave."""
        num_shown = num_interrupts = 0
        stops: set[asyncio.Task[None]] = set()

        def interrupt() -> None:
            nonlocal num_interrupts
            num_interrupts += 1
            stops.add(asyncio.ensure_future(dialogue.stop(num_shown)))

        try:
            with _on_interrupt(interrupt):
                async for frame in dialogue.ask(question):
                    if num_interrupts > 1:
                        break
                    if frame["type"] == "gen.delta" and not num_interrupts:
                        num_shown += len(frame["text"])
                        self._write(frame["text"])
                    elif frame["type"] in TERMINAL:
                        return self._end(frame), num_interrupts > 1
                    elif not num_shown:
                        self._show_waiting(frame)
        except ChatError as error:
            self.console.print(escape(error.text), style="red")
            return error.problem.exit_code, False
        finally:
            await asyncio.gather(*stops, return_exceptions=True)
        self._write("\n")
        return 0, True

    def _end(self, frame: JsonFrame) -> int:
        self._write("\n")
        if frame["type"] == "gen.error":
            self.console.print(escape(frame["text"]), style="red")
            return PROBLEMS[frame["code"]].exit_code if frame["code"] in PROBLEMS else 1
        if frame.get("reason") == "user_stop":
            self.console.print("(stopped)", style="dim")
        elif frame.get("reason") == "length":
            self.console.print("(the answer reached its longest length)", style="dim")
        elif frame.get("reason") == "deadline":
            self.console.print(escape(visitor_text("deadline")), style="dim")
        return 0

    def _show_waiting(self, frame: JsonFrame) -> None:
        if not sys.stdout.isatty():
            return
        if frame["type"] == "gen.queue":
            self.console.print(f"(waiting, place {frame['position']})", style="dim")
        elif frame["type"] == "gen.progress" and frame.get("phase") == "load":
            self.console.print("(waiting for the model)", style="dim")

    def _write(self, text: str) -> None:
        # The model's text must not steer the terminal.
        safe = "".join(char for char in text if char in "\n\t" or char.isprintable())
        self.stdout.write(safe, ending="")
        self.stdout.flush()


async def _new_client(socket_path: Path) -> PoolClient:
    return PoolClient(socket_path)


def _reader() -> Callable[[], str]:
    """How a line is read: with editing and history for people, plainly from a pipe."""
    if not sys.stdin.isatty():
        return input_from_pipe
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401  (input() then has history and editing)
    return input_from_person


def input_from_pipe() -> str:
    """The next line; raises EOFError at the end."""
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line.rstrip("\n")


def input_from_person() -> str:
    """The next line of somebody at a terminal; the second Ctrl-C in a row leaves."""
    try:
        return input("> ")
    except KeyboardInterrupt:
        print("\n(Ctrl-C again leaves)")
        return input("> ")


@contextlib.contextmanager
def _on_interrupt(handler: Callable[[], None]):  # type: ignore[no-untyped-def]
    """Call ``handler`` on Ctrl-C while the event loop runs."""
    loop = asyncio.get_running_loop()
    before = signal.getsignal(signal.SIGINT)
    try:
        loop.add_signal_handler(signal.SIGINT, handler)
    except (RuntimeError, ValueError, NotImplementedError):
        # Not the main thread, or no signals here.
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        signal.signal(signal.SIGINT, before)
