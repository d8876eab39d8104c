"""Looks whether packages that are pinned have known vulnerabilities: ``make audit``.

``audit_exceptions.toml`` lists those that were looked at and do not concern this project, each
with its reason and the day. A machine that does not reach the list of vulnerabilities says so; that
fails nothing, unless CORRAL_REQUIRE_AUDIT is set.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
EXCEPTIONS = Path(__file__).with_name("audit_exceptions.toml")
LOCKED = ("requirements.txt", "requirements-dev.txt", "deploy/make/pip.txt")
TIMEOUT_S = 300
MAX_AGE_DAYS = 180
"""After so long an exception is to be looked at again."""
EXIT_FOUND, EXIT_NOT_AUDITED = 1, 2


@dataclass(frozen=True, slots=True)
class Reviewed:
    """An advisory that does not concern this project."""

    id: str
    package: str
    reason: str
    reviewed: date


@dataclass(frozen=True, slots=True)
class Advisory:
    """A known vulnerability of a pinned package."""

    ids: frozenset[str]
    package: str
    version: str
    fixed_in: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """In one line."""
        fix = f"fixed in {', '.join(self.fixed_in)}" if self.fixed_in else "no fixed release"
        return f"{self.package} {self.version}: {', '.join(sorted(self.ids))} ({fix})"


class NotAudited(Exception):
    """The list of vulnerabilities could not be asked; the text says why."""


def read_exceptions(path: Path = EXCEPTIONS) -> list[Reviewed]:
    """Return the reviewed advisories. Raises KeyError or TypeError for an incomplete one."""
    entries = tomllib.loads(path.read_text())["advisory"]
    return [Reviewed(**entry) for entry in entries]


def ask(locked: Path, command: Sequence[str] = ()) -> list[Advisory]:
    """Return what is known about the packages in a locked file. Raises NotAudited."""
    tool = command or (sys.executable, "-m", "pip_audit")
    options = ("--require-hashes", "--disable-pip", "--progress-spinner", "off", "-f", "json")
    try:
        done = subprocess.run(
            [*tool, "-r", str(locked), *options],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        packages = json.loads(done.stdout)["dependencies"]
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotAudited(f"pip-audit did not run ({type(error).__name__})") from None
    except (ValueError, KeyError, TypeError):
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise NotAudited(last[:300]) from None
    # A package that the service does not know is passed over by pip-audit, with success.
    unknown = [package["name"] for package in packages if "vulns" not in package]
    if unknown:
        raise NotAudited(f"the service knows nothing of {', '.join(unknown[:5])} ...")
    return [_advisory(package, found) for package in packages for found in package["vulns"]]


def _advisory(package: dict[str, Any], found: dict[str, Any]) -> Advisory:
    return Advisory(
        frozenset({found["id"], *found.get("aliases", ())}),
        package["name"],
        package["version"],
        tuple(found.get("fix_versions", ())),
    )


def main(command: Sequence[str] = (), today: date | None = None) -> int:
    """Audit every locked file; returns 0, EXIT_FOUND, or EXIT_NOT_AUDITED where that matters."""
    exceptions = read_exceptions()
    found: dict[frozenset[str], Advisory] = {}
    try:
        for name in LOCKED:
            found |= {advisory.ids: advisory for advisory in ask(ROOT / name, command)}
    except NotAudited as error:
        print(f"NOT AUDITED: the list of vulnerabilities could not be asked: {error}.")
        return EXIT_NOT_AUDITED if os.environ.get("CORRAL_REQUIRE_AUDIT") else 0
    known = {one.id: one for one in exceptions}
    open_ones = [one for one in found.values() if not known.keys() & one.ids]
    for advisory in open_ones:
        print(f"VULNERABLE: {advisory.sentence}")
    met = {id for advisory in found.values() for id in advisory.ids}
    for one in exceptions:
        if one.id not in met:
            print(f"Not needed any more: the exception for {one.id} ({one.package}).")
        elif ((today or date.today()) - one.reviewed).days > MAX_AGE_DAYS:
            print(f"To be looked at again: the exception for {one.id}, of {one.reviewed}.")
    if open_ones:
        print("Update them with `make lock`, or write down in deploy/make/audit_exceptions.toml")
        print("why they do not concern this project.")
        return EXIT_FOUND
    print(f"Audited: {len(found)} known, all of them reviewed; nothing open.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
