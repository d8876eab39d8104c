"""Says what is wrong with machine, settings, data and proxy, each with what to do about it."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from contextlib import nullcontext
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError
from django_rich.management import RichCommand
from rich.text import Text

from apps.ai_pool.doctor.examination import Group, examine
from apps.ai_pool.doctor.finding import Finding, Level
from apps.ai_pool.doctor.printing import exit_code, show_group
from apps.ai_pool.doctor.public_site import BadAddress, PublicSite


class Command(RichCommand):
    """``doctor``. Exit code 0 fine, 1 warnings, 2 errors or wrong use."""

    help = "What is wrong with machine, settings, data and proxy, each with its fix."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to look from."""
        parser.add_argument(
            "--url",
            metavar="URL",
            help="public address of the site (https://www.example.org): looks through the proxy",
        )
        parser.add_argument("--json", action="store_true", dest="as_json", help="print JSON")

    def handle(self, *args: Any, url: str | None, as_json: bool, **options: Any) -> None:
        """Examine, show, end with the code of the worst finding."""
        try:
            site = None if url is None else PublicSite(url.strip())
        except BadAddress as error:
            raise CommandError(str(error), returncode=2) from None
        groups: list[Group] = []
        is_shown = self.console.is_terminal and not as_json
        with self.console.status("Looking ...") if is_shown else nullcontext():
            for group in examine(site):
                groups.append(group)
                if not as_json:
                    show_group(self.console, self.stdout, group.title, group.findings)
        findings = [finding for group in groups for finding in group.findings]
        code = exit_code(findings)
        if as_json:
            rows = [
                {"group": group.title} | asdict(finding)
                for group in groups
                for finding in group.findings
            ]
            self.stdout.write(json.dumps({"exit_code": code, "findings": rows}, indent=1))
        else:
            self._conclude(findings, has_url=site is not None)
        if code:
            raise SystemExit(code)

    def _conclude(self, findings: list[Finding], *, has_url: bool) -> None:
        num = {level: sum(one.level is level for one in findings) for level in Level}
        words = [
            f"{num[level]} {level}{'s' if num[level] != 1 else ''}"
            for level in (Level.ERROR, Level.WARNING, Level.NOTE)
            if num[level]
        ]
        is_well = not num[Level.ERROR] and not num[Level.WARNING]
        sentence = "Everything is well" if is_well else "Not everything is well"
        sentence += f" ({', '.join(words)})." if words else "."
        hint = "" if has_url else "With --url https://... the proxy in front is examined too."
        if not self.console.is_terminal:
            self.stdout.write("\n".join(filter(None, [sentence, hint])))
            return
        style = "bold green" if is_well else "bold red" if num[Level.ERROR] else "bold yellow"
        self.console.print(Text(f"\n{sentence}", style=style))
        if hint:
            self.console.print(Text(hint, style="dim"))
