"""All checks, in the order in which they are shown; one that breaks does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
from django.conf import settings

from ai_model.hardware import memory_limit_bytes, num_usable_cpus
from apps.ai_pool import conf, services
from apps.ai_pool.backup.manifest import ENV_NAME, KEY_NAME
from apps.ai_pool.backup.place import current_place
from apps.ai_pool.backup.shelf import own_shelf
from apps.ai_pool.doctor.backups import check_backups
from apps.ai_pool.doctor.clock import check_clock
from apps.ai_pool.doctor.confinement import check_sandbox
from apps.ai_pool.doctor.database import check_database
from apps.ai_pool.doctor.disk import check_disk
from apps.ai_pool.doctor.finding import Finding, Level
from apps.ai_pool.doctor.hosts import check_hosts
from apps.ai_pool.doctor.memory import Memory, check_memory
from apps.ai_pool.doctor.model import check_model
from apps.ai_pool.doctor.open_files import check_open_files
from apps.ai_pool.doctor.pressure import check_pressure
from apps.ai_pool.doctor.processors import check_threads
from apps.ai_pool.doctor.protection import check_debug, check_private, check_secret
from apps.ai_pool.doctor.proxy import check_answer, check_proxy
from apps.ai_pool.doctor.public_site import PublicSite, Unreachable
from apps.ai_pool.doctor.streams import check_buffering, check_socket

Check = Callable[[], list[Finding]]


@dataclass(frozen=True, slots=True)
class Group:
    """Findings that belong together."""

    title: str
    findings: list[Finding]


def examine(site: PublicSite | None = None) -> Iterator[Group]:
    """Look at everything, and at ``site`` from outside; a group is given when it is done."""
    yield Group("Machine", check_machine())
    yield Group("Model", _all(check_model, _sandbox))
    yield Group(
        "Site",
        _all(
            lambda: check_secret(settings.SECRET_KEY),
            lambda: check_debug(
                is_debug=settings.DEBUG,
                is_production=settings.IS_PRODUCTION,
                is_public=site is not None and site.is_public,
            ),
            _private,
            lambda: check_hosts(
                settings.ALLOWED_HOSTS,
                settings.CSRF_TRUSTED_ORIGINS,
                is_production=settings.IS_PRODUCTION,
                url="" if site is None else site.origin,
            ),
        ),
    )
    yield Group("Data", _all(check_database, lambda: check_backups(own_shelf())))
    if site is not None:
        yield Group(f"Through {site.origin}", _all(lambda: look_from_outside(site)))


def check_machine() -> list[Finding]:
    """Processors, memory, disk and limits against what model and settings need."""
    return _all(_threads, _memory, _disk, check_open_files, check_pressure)


def look_from_outside(site: PublicSite) -> list[Finding]:
    """Everything about the proxy in front; the clock by the way."""
    try:
        reply = site.see()
        now = datetime.now(UTC)
        findings = check_answer(site, reply)
        if not findings:
            findings = check_proxy(site, reply.json())
            findings += [*check_socket(site), *check_buffering(site)]
    except Unreachable as error:
        return [
            Finding(
                "unreachable",
                Level.ERROR,
                f"Nobody can reach {site.origin} from here ({error}).",
                "Check the name, the firewall, the certificate, and that proxy and server run.",
            )
        ]
    return findings + check_clock(str(reply.headers.get("Date", "")), now)


def _all(*checks: Check) -> list[Finding]:
    findings = []
    for check in checks:
        try:
            findings += check()
        except conf.ImpossibleSetting:
            continue  # the check of the model says it
        except Exception as error:
            name = getattr(check, "__name__", "check").strip("_")
            findings.append(
                Finding(
                    "check-failed",
                    Level.WARNING,
                    f"A check ({name}) could not be made: {type(error).__name__}: {error}",
                    "Run the doctor as the user of the server, on the server's machine.",
                )
            )
    return findings


def _plan() -> conf.PoolPlan | None:
    """What a start of the pool would do; None without a usable model, which is said elsewhere."""
    try:
        return conf.pool_plan()
    except ValueError:
        return None


def _threads() -> list[Finding]:
    plan, num_cpus = _plan(), num_usable_cpus()
    return check_threads(plan.config.num_threads if plan else settings.CORRAL_THREADS, num_cpus)


def _memory() -> list[Finding]:
    plan, swap = _plan(), psutil.swap_memory()
    conversations = 0
    if plan is not None:
        per_token = plan.info.kv_bytes_per_token
        conversations = per_token * plan.config.n_ctx * plan.config.max_instances
        conversations += plan.config.parked_bytes
    return check_memory(
        Memory(
            limit=memory_limit_bytes(),
            swap_total=swap.total,
            swap_used=swap.used,
            model=plan.info.size_bytes if plan else 0,
            conversations=conversations,
        )
    )


def _disk() -> list[Finding]:
    var_dir, shelf = Path(settings.CORRAL_VAR_DIR), own_shelf().directory
    findings = check_disk(var_dir)
    if shelf.is_dir() and shelf.stat().st_dev != var_dir.stat().st_dev:
        findings += check_disk(shelf)
    return findings


def _sandbox() -> list[Finding]:
    return check_sandbox(
        services.read_status(),
        mode=settings.CORRAL_POOL_SANDBOX,
        pool_mode=settings.CORRAL_POOL_MODE,
    )


def _private() -> list[Finding]:
    place = current_place()
    paths = [place.files[name] for name in (KEY_NAME, ENV_NAME) if name in place.files]
    # On a developer's machine it holds nobody's conversations.
    data = place.database.files if settings.IS_PRODUCTION else []
    return check_private([*paths, *data, *own_shelf().backups])
