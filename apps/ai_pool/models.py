"""The status page in the admin, which has no table; the pool's history and its marks, which do."""

from __future__ import annotations

from typing import Any

from django.db import models

from apps.ai_pool.actions.records import Banner, KnownEnd, SelfTestRun
from apps.ai_pool.audit.records import AuditEntry

__all__ = (
    "AuditEntry",
    "Banner",
    "KnownEnd",
    "PoolHistory",
    "PoolMark",
    "PoolStatus",
    "SelfTestRun",
)


class PoolStatus(models.Model):
    """Stands for the status page in the admin, so that seeing it is a permission. Has no rows."""

    class Meta:
        managed = False
        default_permissions = ("view",)
        permissions = (
            ("pause_pool", "Can pause the pool"),
            ("resume_pool", "Can open the pool again"),
            ("drain_pool", "Can drain the pool"),
            ("restart_pool", "Can restart the pool"),
            ("resize_pool", "Can resize the pool"),
            ("switch_model", "Can switch the model of the pool"),
            ("limit_pool", "Can change limits of the pool for a while"),
            ("emergency_pool", "Can switch the emergency mode of the pool"),
            ("cancel_request", "Can cancel requests of visitors"),
            ("move_request", "Can move a waiting request to the front"),
            ("retry_answer", "Can have failed answers made again"),
            ("know_ends", "Can mark bad ends as known"),
            ("test_pool", "Can run the self-test of the pool"),
            ("banner_pool", "Can show a banner to visitors"),
            ("export_pool", "Can export the numbers of the pool"),
        )
        verbose_name = "pool"
        verbose_name_plural = "pool"


def _real() -> Any:
    return models.FloatField(default=0.0)


def _optional() -> Any:
    return models.FloatField(null=True)


def _count() -> Any:
    return models.BigIntegerField(default=0)


class PoolHistory(models.Model):
    """What the pool did in one minute or one hour. Numbers only; the fields of a PoolSample.

    Who may see it is decided by the permission to see the pool's status.
    """

    class Resolution(models.IntegerChoices):
        """Length of the period, in seconds."""

        MINUTE = 60, "minute"
        HOUR = 3600, "hour"

    resolution_s = models.PositiveSmallIntegerField(choices=Resolution)
    start = models.DateTimeField(help_text="Beginning of the minute or hour.")
    unix_s = _real()
    seconds = _real()
    num_samples = _count()
    num_waiting = _real()
    num_instances = _real()
    decode_tok_s = _real()
    prefill_tok_s = _real()
    wait_p50_s = _optional()
    ttft_p50_s = _optional()
    max_waiting = _count()
    max_running = _count()
    wait_p95_s = _optional()
    ttft_p95_s = _optional()
    oldest_wait_s = _real()
    heartbeat_age_s = _real()
    rss_bytes = _count()
    anon_bytes = _count()
    weights_bytes = _count()
    kv_bytes = _count()
    parked_bytes = _count()
    limit_bytes = _count()
    pressure = _optional()
    stall_some = _optional()
    stall_full = _optional()
    num_starts = _count()
    running_s = _real()
    instance_s = _real()
    num_accepted = _count()
    num_refused = _count()
    num_done = _count()
    num_length = _count()
    num_user_stop = _count()
    num_deadline = _count()
    num_cancelled = _count()
    num_failed = _count()
    num_expired = _count()
    num_pool_lost = _count()
    num_prompt_tokens = _count()
    num_cached_tokens = _count()
    num_generated_tokens = _count()
    num_promises = _count()
    num_promises_kept = _count()
    promised_s = _real()
    promised_p90_s = _real()
    real_wait_s = _real()

    class Meta:
        default_permissions = ()
        ordering = ("resolution_s", "start")
        constraints = [
            models.UniqueConstraint(fields=["resolution_s", "start"], name="one_row_per_period")
        ]
        verbose_name = "pool history"
        verbose_name_plural = "pool history"

    def __str__(self) -> str:
        return f"{self.resolution_s} s from {self.start:%Y-%m-%d %H:%M} UTC"


class PoolMark(models.Model):
    """Something that changed the pool: a line in its plots. Holds no text of any visitor."""

    class Kind(models.TextChoices):
        """What changed."""

        RESTART = "restart", "restart"
        CONFIGURATION = "configuration", "configuration"
        RELEASE = "release", "release"

    kind = models.CharField(max_length=16, choices=Kind)
    at = models.DateTimeField(db_index=True, help_text="The minute in which it was noticed.")
    facts = models.CharField(max_length=255, help_text="What held from then on, to compare with.")
    text = models.CharField(max_length=200)

    class Meta:
        default_permissions = ()
        ordering = ("at", "id")
        constraints = [
            # Several web processes see the same change.
            models.UniqueConstraint(fields=["kind", "facts", "at"], name="one_mark_per_change")
        ]
        verbose_name = "pool mark"

    def __str__(self) -> str:
        return f"{self.kind} at {self.at:%Y-%m-%d %H:%M} UTC"
