"""Checks that everything is in place, says where the site is, and becomes the server (Daphne)."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
import socket
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.management.base import CommandError
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import Error as DatabaseError
from django_rich.management import RichCommand
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from ai_model.model_file import BadModelFile
from apps.ai_pool import conf
from apps.ai_pool.start_report import TOLD, configuration_faults, sentence, site_faults

MAX_MESSAGE_BYTES = 65_536


class Command(RichCommand):
    """``serve``: what ``make run`` ends with. Does not return when all is well."""

    help = "Run the site with its chat and its pool (Daphne)."
    # Run by hand below, so that they come out as sentences.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Address to listen on."""
        parser.add_argument("--host", default="127.0.0.1", help="address (default: 127.0.0.1)")
        parser.add_argument("--port", type=int, default=8000, help="port (default: 8000)")

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        """Check, print the banner, become the server."""
        check_port(host, port)
        faults = configuration_faults()
        errors = [sentence(fault) for fault in faults if fault.level >= checks.ERROR]
        if errors:
            raise CommandError("\n".join(errors), returncode=1)
        check_migrations()
        faults += _faults_of_sites()
        self.console.print(self._banner(host, port))
        for fault in faults:
            self.console.print(f"[yellow]Note:[/] {escape(sentence(fault))}", highlight=False)
        sys.stdout.flush()
        sys.stderr.flush()
        os.chdir(settings.BASE_DIR)
        command = server_command(host, port)
        os.execve(sys.executable, command, {**os.environ, TOLD: "1"})

    def _banner(self, host: str, port: int) -> Panel:
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="dim", no_wrap=True)
        grid.add_column(overflow="fold")
        grid.add_row("Chat", f"[bold link={site_url(host, port)}]{site_url(host, port)}[/]")
        for title, text in _model_rows():
            grid.add_row(title, escape(text))
        grid.add_row("Admin", "/admin/ after `make admin` has made your account")
        grid.add_row("Status", "/pool/")
        grid.add_row("Stop", "Ctrl-C")
        title = f"[bold]{escape(settings.CORRAL_SITE_NAME)}[/]"
        return Panel(grid, title=title, title_align="left", expand=False, padding=(1, 2))


def _model_rows() -> list[tuple[str, str]]:
    """What the banner says about the model."""
    if conf.is_pool_external():
        return [("Model", f"that of the pool at {settings.CORRAL_POOL_URL}")]
    try:
        plan = conf.pool_plan()
    except BadModelFile:
        # Said in full by the warning below the banner.
        return [("Model", "none yet; the site runs, the assistant does not answer")]
    name = f"{plan.info.title} {plan.info.quant}, because {plan.chosen.reason}"
    rows = [("Model", name)]
    if plan.info.is_demo:
        rows.append(("", "That is the small demo model. `make model` fetches the real TinyLlama."))
    rows.append(
        (
            "Pool",
            f"{plan.instances} of {plan.config.n_ctx} tokens, "
            f"{plan.config.num_threads} thread{'s' if plan.config.num_threads > 1 else ''} "
            f"(profile {plan.profile.name})",
        )
    )
    return rows


def _faults_of_sites() -> list[checks.CheckMessage]:
    """What an owner should mend about a site; it never stops the server of the others."""
    try:
        return site_faults()
    finally:
        connections.close_all()


def site_url(host: str, port: int) -> str:
    """Return the address a browser on this machine would use."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(host, host)
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(shown.strip("[]")).version == 6:
            shown = f"[{shown.strip('[]')}]"
    return f"http://{shown}/" if port == 80 else f"http://{shown}:{port}/"


def check_port(host: str, port: int) -> None:
    """Raise CommandError with one sentence unless a server could listen there now."""
    if not 0 < port < 65536:
        raise CommandError(f"There is no port {port}; choose one from 1 to 65535.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), port))
        except OSError as error:
            raise CommandError(_port_sentence(host, port, error)) from None


def _port_sentence(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} of {host} is in use already, perhaps by another Corral; stop that server "
            f"or choose another port with --port {port + 1 if port < 65535 else 8000}."
        )
    if error.errno == errno.EACCES:
        return (
            f"This user may not listen on port {port}; choose one above 1023 with --port 8000 and "
            "put a reverse proxy in front."
        )
    return (
        f"Nothing can listen on {host} ({error.strerror or error}); check --host, which is an "
        "address of this machine."
    )


def check_migrations() -> None:
    """Raise CommandError when the database is not there or not up to date."""
    try:
        connection = connections[DEFAULT_DB_ALIAS]
        executor = MigrationExecutor(connection)
        is_behind = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        raise CommandError(f"The database cannot be used ({error}); check DATABASE_URL.") from None
    finally:
        connections.close_all()
    if is_behind:
        raise CommandError("The database is not up to date; run `python manage.py migrate` first.")


def server_command(host: str, port: int) -> list[str]:
    """Return the command line of Daphne: quiet, with limits on what a browser may send."""
    return [
        *(sys.executable, "-m", "daphne", "--bind", host.strip("[]"), "--port", str(port)),
        *("--verbosity", "0", "--ping-interval", "20", "--ping-timeout", "30"),
        *("--websocket-max-message-size", str(MAX_MESSAGE_BYTES)),
        *("--websocket-max-frame-size", str(MAX_MESSAGE_BYTES)),
        *("--application-close-timeout", "10", "--no-server-name"),
        # Only a proxy may say where a request came from.
        *(["--proxy-headers"] if settings.REST_FRAMEWORK.get("NUM_PROXIES") else []),
        "backend.asgi:application",
    ]
