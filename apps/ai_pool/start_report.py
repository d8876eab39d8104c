"""What the system checks find when a server starts, said once and in one block.

Servers do not run Django's checks by themselves: neither Daphne nor uvicorn does.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import Counter

from django.conf import settings
from django.core import checks
from django.db import DEFAULT_DB_ALIAS, connections

log = logging.getLogger(__name__)

TOLD = "CORRAL_CHECKS_TOLD"
"""Environment variable by which ``serve`` tells the server it becomes that all was said."""
_KINDS = ("error", "warning")


def configuration_faults() -> list[checks.CheckMessage]:
    """Return what is wrong with the settings; in production also by Django's deployment checks."""
    return _worth_saying(checks.run_checks(include_deployment_checks=bool(settings.IS_PRODUCTION)))


def site_faults() -> list[checks.CheckMessage]:
    """Return what is wrong with the sites in the database."""
    return _worth_saying(
        checks.run_checks(tags=[checks.Tags.database], databases=[DEFAULT_DB_ALIAS])
    )


def sentence(message: checks.CheckMessage) -> str:
    """Return a finding as one line: what is wrong, what to do, and the id."""
    parts = [str(message.msg).rstrip("."), message.hint or ""]
    text = ". ".join(part for part in parts if part).rstrip(".") + f". ({message.id})"
    return " ".join(text.split())


def report_at_start() -> None:
    """Look at everything in a thread of its own and write one block into the log; the server does
    not wait. Nothing happens when ``serve`` has said it."""
    if os.environ.pop(TOLD, ""):
        return
    threading.Thread(target=_report, name="corral-checks", daemon=True).start()


def _report() -> None:
    try:
        write_report(configuration_faults() + site_faults())
    except Exception as error:
        # A check of another app, or a database that is not there yet: neither stops a server.
        log.warning("The configuration could not be checked (%s).", type(error).__name__)
    finally:
        connections.close_all()


def write_report(faults: list[checks.CheckMessage]) -> None:
    """Write the block."""
    if not faults:
        log.info("The configuration was checked; nothing is wrong.")
        return
    num = Counter(_kind(fault) for fault in faults)
    counted = [f"{n} {kind}{'s' if n > 1 else ''}" for kind in _KINDS if (n := num[kind])]
    lines = [f"The configuration was checked: {', '.join(counted)}."]
    for fault in sorted(faults, key=lambda one: -one.level):
        lines.append(f"  {_kind(fault)}: {sentence(fault)}")
    log.log(max(fault.level for fault in faults), "%s", "\n".join(lines))


def _kind(fault: checks.CheckMessage) -> str:
    return "error" if fault.level >= checks.ERROR else "warning"


def _worth_saying(found: list[checks.CheckMessage]) -> list[checks.CheckMessage]:
    return [one for one in found if one.level >= checks.WARNING and not one.is_silenced()]
