"""Writes stored chats as JSON Lines or as readable text."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import uuid
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError

from apps.ai_chat import services
from apps.ai_chat.transcript import transcript
from apps.widget.errors import UnknownSite
from apps.widget.services import find_site

EXIT_NOTHING, EXIT_WRONG_USE = 1, 2
RULE = "\n" + "-" * 72 + "\n\n"
Write = Callable[[Iterator[dict[str, Any]], TextIO], int]


class Command(BaseCommand):
    """``chat_export``. Exit code 0 written, 1 nothing to write or not written, 2 wrong use."""

    help = "Write a visitor's, a conversation's, a site's or all stored chats to a file or stdout."

    # Nobody's right to a copy waits for a setting to be mended.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose, how, where."""
        whose = parser.add_mutually_exclusive_group(required=True)
        whose.add_argument("--visitor", metavar="NAME", help="pseudonym (v-31a0c2) or user name")
        whose.add_argument("--conversation", metavar="ID")
        whose.add_argument("--site", metavar="KEY", help="key of the site: site_0123456789abcdef")
        whose.add_argument("--all", action="store_true", help="every chat that is stored")
        parser.add_argument(
            "--format",
            choices=("jsonl", "text"),
            default="jsonl",
            help="jsonl: one JSON object for each conversation (default); text: for reading",
        )
        parser.add_argument(
            "--output", type=Path, metavar="FILE", help="default: standard output; mode 0600"
        )
        parser.add_argument("--force", action="store_true", help="write over a file that is there")

    def handle(self, *args: Any, output: Path | None, force: bool, **options: Any) -> None:
        """Find whose, then write one conversation after the other."""
        chats = self._chats(options)
        write = _write_text if options["format"] == "text" else _write_jsonl
        if output is None:
            num_chats = self._to_stdout(chats, write)
        else:
            num_chats = _to_file(chats, write, output, is_forced=force)
        where = f" to {output}" if output is not None and num_chats else ""
        counted = f"{num_chats} conversation{'s' if num_chats != 1 else ''}"
        # Standard output may be the file. Its number is no error, so it is not red.
        told = self.stderr if output is None else self.stdout
        sentence = f"Wrote {counted}{where}." if num_chats else "There is nothing to write."
        told.write(sentence, style_func=str)
        if not num_chats:
            sys.exit(EXIT_NOTHING)

    def _chats(self, options: dict[str, Any]) -> Iterator[dict[str, Any]]:
        try:
            if options["visitor"]:
                key = services.find_visitor_key(options["visitor"])
                return services.export_chats(visitor_key=key)
            if options["conversation"]:
                return services.export_chats(conversation=uuid.UUID(options["conversation"]))
            if options["site"]:
                return services.export_chats(site=find_site(options["site"]))
        except services.UnknownVisitor as error:
            raise CommandError(str(error), returncode=EXIT_NOTHING) from None
        except UnknownSite:
            sentence = f"There is no site with the key {options['site']!r}."
            raise CommandError(sentence, returncode=EXIT_WRONG_USE) from None
        except ValueError:
            sentence = f"{options['conversation']!r} is not the id of a conversation."
            raise CommandError(sentence, returncode=EXIT_WRONG_USE) from None
        return services.export_chats()

    def _to_stdout(self, chats: Iterator[dict[str, Any]], write: Write) -> int:
        try:
            num_chats = write(chats, self.stdout)
            self.stdout.flush()
        except BrokenPipeError:
            # The reader has seen enough (`| head`); nothing may be written at exit either.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)
        return num_chats


def _write_jsonl(chats: Iterator[dict[str, Any]], file: TextIO) -> int:
    num_chats = 0
    for chat in chats:
        # ASCII only: on a terminal nothing that somebody wrote can steer it.
        file.write(json.dumps(chat) + "\n")
        num_chats += 1
    return num_chats


def _write_text(chats: Iterator[dict[str, Any]], file: TextIO) -> int:
    num_chats = 0
    for chat in chats:
        file.write((RULE if num_chats else "") + transcript(chat))
        num_chats += 1
    return num_chats


def _to_file(chats: Iterator[dict[str, Any]], write: Write, path: Path, *, is_forced: bool) -> int:
    """Write the file whole or not at all; an empty one is not left."""
    try:
        if path.exists() and not is_forced:
            raise FileExistsError
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        draft = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                num_chats = write(chats, file)
                file.flush()
                os.fsync(handle)
            if num_chats:
                _put(draft, path, is_forced)
        finally:
            draft.unlink(missing_ok=True)
    except FileExistsError:
        sentence = f"{path} is there already; --force writes over it."
        raise CommandError(sentence, returncode=EXIT_WRONG_USE) from None
    except OSError as error:
        sentence = f"{path} cannot be written ({error.strerror})."
        raise CommandError(sentence, returncode=EXIT_NOTHING) from None
    return num_chats


def _put(draft: Path, path: Path, is_forced: bool) -> None:
    if not is_forced:
        try:
            # Unlike a rename it fails when somebody else has made the file meanwhile.
            os.link(draft, path)
            return
        except FileExistsError:
            raise
        except OSError:
            pass  # a file system without links
    os.replace(draft, path)
