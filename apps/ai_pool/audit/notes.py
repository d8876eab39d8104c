"""Writes down who changed what: whatever is in the admin's log, sign-ins of staff, and commands.

The admin's log of Django says who and what; it loses its rows with the account, does not say from
where, and knows no commands.
"""

from __future__ import annotations

import getpass
import logging
import os
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.utils import timezone

from apps.ai_pool.audit.change_text import change_text, subject_of
from apps.ai_pool.audit.origin import place_of_request
from apps.ai_pool.audit.records import (
    MAX_SUBJECT_CHARS,
    MAX_WHAT_CHARS,
    MAX_WHO_CHARS,
    AuditEntry,
)

log = logging.getLogger(__name__)

KEY_MARK = " By the key "
"""With this a row of the admin's log says that it was a key, not its owner."""


def note(kind: AuditEntry.Kind, who: str, what: str, *, subject: str = "") -> AuditEntry:
    """Write down one change, made now by the request in hand, if there is one."""
    return AuditEntry.objects.create(
        at=timezone.now(),
        kind=kind,
        who=who[:MAX_WHO_CHARS],
        place=place_of_request(),
        what=what[:MAX_WHAT_CHARS],
        subject=subject[:MAX_SUBJECT_CHARS],
    )


def note_command(what: str, *, subject: str = "") -> None:
    """Write down what a command has changed. Never raises: commands work without a database."""
    try:
        note(AuditEntry.Kind.COMMAND, _user_of_machine(), what, subject=subject)
    except Exception as error:
        log.warning("The audit log could not be written (%s).", type(error).__name__)


def forget_old_entries() -> int:
    """Delete what is older than CORRAL_AUDIT_DAYS; returns how many. 0 days keeps everything."""
    days: int = settings.CORRAL_AUDIT_DAYS
    if not days:
        return 0
    old = AuditEntry.objects.filter(at__lt=timezone.now() - timedelta(days=days))
    return old.delete()[0]


@receiver(post_save, sender=LogEntry, dispatch_uid="ai_pool.audit")
def _follow_admin(instance: LogEntry, created: bool, raw: bool = False, **_: Any) -> None:
    if not created or raw:
        return
    what, mark, key = change_text(instance).rpartition(KEY_MARK)
    if mark:
        note(AuditEntry.Kind.KEY, key.rstrip("."), what, subject=subject_of(instance))
    else:
        who = instance.user.get_username()
        note(AuditEntry.Kind.STAFF, who, change_text(instance), subject=subject_of(instance))


@receiver(user_logged_in, dispatch_uid="ai_pool.audit")
def _note_sign_in(user: Any, **_: Any) -> None:
    if user.is_staff:
        note(AuditEntry.Kind.STAFF, user.get_username(), "Signed in.")


@receiver(user_logged_out, dispatch_uid="ai_pool.audit")
def _note_sign_out(user: Any, **_: Any) -> None:
    if user is not None and user.is_staff:
        note(AuditEntry.Kind.STAFF, user.get_username(), "Signed out.")


def _user_of_machine() -> str:
    """Return who runs a command: the one behind sudo, if there is one."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.geteuid()}"
