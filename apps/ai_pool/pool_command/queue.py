"""``pool queue``: who waits, and how to end one, move one, or end what nobody watches."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from ai_model.pool.waiting_request import WaitingRequest
from apps.ai_pool import services
from apps.ai_pool.pool_command.screen import Screen
from apps.ai_pool.pool_command.subcommand import Subcommand
from apps.ai_pool.table import duration

_HEADINGS = ("#", "waited", "eta", "visitor", "request")


class QueueCommand(Subcommand):
    """Shows who and how long, never what."""

    name = "queue"
    help = "who waits, and for how long"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which one to end or to move."""
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--cancel", metavar="ID", help="end the request with this id")
        what.add_argument("--front", metavar="ID", help="let the request with this id go next")
        what.add_argument(
            "--cancel-orphans", action="store_true", help="end running answers that nobody watches"
        )

    def run(
        self,
        screen: Screen,
        *,
        cancel: str | None,
        front: str | None,
        cancel_orphans: bool,
        **options: Any,
    ) -> None:
        """List, cancel or move."""
        if cancel is not None:
            screen.tell(services.cancel_generation(cancel.strip().lower()))
            return
        if front is not None:
            screen.tell(services.move_to_front(front.strip().lower()))
            return
        if cancel_orphans:
            screen.tell(services.cancel_orphans())
            return
        waiting = services.list_waiting()
        if screen.as_json:
            screen.write_json([one.to_json() for one in waiting])
        elif not waiting:
            screen.say("Nobody waits.")
        else:
            screen.table(_HEADINGS, [_row(one) for one in waiting], num_right=2)


def _row(one: WaitingRequest) -> tuple[str, ...]:
    return (
        str(one.position),
        duration(one.waited_s),
        eta_words(one),
        one.visitor,
        one.generation,
    )


def eta_words(one: WaitingRequest) -> str:
    """Return how long somebody still waits, as a range."""
    if one.eta_p50_s is None or one.eta_p90_s is None:
        return "-"
    if one.eta_p90_s < 1:
        return "< 1s"
    return f"{duration(one.eta_p50_s)} - {duration(one.eta_p90_s)}"
