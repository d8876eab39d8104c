"""Serves the pool on a Unix socket for several web processes, until a signal ends it."""

from __future__ import annotations

import logging
import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ai_model.catalog import UnknownModel
from ai_model.checksums import ChecksumMismatch
from ai_model.model_file import BadModelFile
from ai_model.pool.errors import PoolStartError
from ai_model.pool.notify_socket import NotifySocket
from ai_model.pool.service import PoolService
from ai_model.pool.supervisor import Supervisor
from apps.ai_pool import conf, lifecycle
from apps.ai_pool.pool_sandbox import pool_sandbox
from apps.ai_pool.socket_place import complaint_about

log = logging.getLogger(__name__)

EXIT_CANNOT_START = 2


class Command(BaseCommand):
    """``runpool``. Exit code 0 after a signal, 2 when it cannot start."""

    help = "Run the pool as a service that several web processes share (CORRAL_POOL_URL)."
    # It serves no pages and opens no database; what it needs is checked below.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to listen."""
        parser.add_argument(
            "--socket",
            metavar="PATH",
            help="Unix socket to serve (default: the one of CORRAL_POOL_URL, else pool.sock in "
            "CORRAL_VAR_DIR)",
        )

    def handle(self, *args: Any, socket: str | None, **options: Any) -> None:
        """Check, serve, end in order."""
        try:
            code = PoolService(_supervisor(socket), NotifySocket(os.environ), log).run()
        except OSError as error:
            raise _refusal(f"The pool could not be started: {error}.") from None
        except (
            BadModelFile,
            UnknownModel,
            ChecksumMismatch,
            PoolStartError,
            conf.ImpossibleSetting,
        ) as error:
            raise _refusal(str(error)) from None
        if code:
            raise SystemExit(code)


def _supervisor(socket: str | None) -> Supervisor:
    """Return the supervisor of the pool to serve; raises whatever makes that impossible."""
    path = conf.socket_path() if socket is None else Path(os.path.abspath(socket))
    complaint = complaint_about(path, is_server=True)
    if complaint is not None:
        raise _refusal(str(complaint))
    plan = lifecycle.checked_plan()
    log.info("%s", plan.sentence)
    supervisor = Supervisor(plan.config, path, conf.lock_path(path), log, sandbox=pool_sandbox())
    log.info("Web processes use this pool with CORRAL_POOL_URL=%s%s.", conf.URL_PREFIX, path)
    return supervisor


def _refusal(sentence: str) -> CommandError:
    return CommandError(sentence, returncode=EXIT_CANNOT_START)
