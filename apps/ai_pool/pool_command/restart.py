"""``pool restart``: a new pool process, once what runs has finished."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from ai_model.pool.status import PoolState, PoolStatus
from apps.ai_pool import services
from apps.ai_pool.audit.notes import note_command
from apps.ai_pool.pool_command.screen import EXIT_DEGRADED, Screen
from apps.ai_pool.pool_command.subcommand import Subcommand

LOADING_S = 120.0
"""A new process has its model within this time after the old one has ended."""
LOOK_S = 0.2


class RestartCommand(Subcommand):
    """Exit code 0 when the new process has its model, 1 when it has none in time."""

    name = "restart"
    help = "replace the pool process; answers finish first, or go on in the new one"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How long what runs may take, and whether to wait for the new process."""
        parser.add_argument(
            "--patience",
            type=float,
            default=services.RESTART_PATIENCE_S,
            metavar="SECONDS",
            help="so long running answers may take to finish (default: %(default).0f)",
        )
        parser.add_argument("--no-wait", action="store_true", help="do not wait for the new one")

    def run(self, screen: Screen, *, patience: float, no_wait: bool, **options: Any) -> None:
        """Restart, and follow the new process until it has its model."""
        old = services.read_status()
        result = services.restart_pool(patience)
        if not result.is_done or no_wait:
            screen.tell(result)
            return
        note_command(result.text, subject="pool")
        if not screen.as_json:
            screen.say(result.text)
        with screen.waiting("Waiting for the new pool process."):
            new = _wait_for_successor(old, time.monotonic() + patience + LOADING_S)
        if screen.as_json:
            screen.write_json(services.staff_form(new))
        if new.state in (PoolState.LOADING, PoolState.DOWN, PoolState.FAILED):
            reason = new.reason or f"The pool is {new.state}."
            raise CommandError(f"It was restarted, but: {reason}", returncode=EXIT_DEGRADED)
        if not screen.as_json:
            screen.say(f"Process {new.pid} has taken the place of process {old.pid}.", "dim")


def _wait_for_successor(old: PoolStatus, deadline: float) -> PoolStatus:
    """Return the status of the next process once it has its model, or how it is at the end."""
    while True:
        status = services.read_status()
        is_new = bool(status.pid) and status.life != old.life
        if is_new and status.state is not PoolState.LOADING:
            return status
        if time.monotonic() >= deadline:
            return status if is_new else PoolStatus.down("The new process did not come in time.")
        time.sleep(LOOK_S)
