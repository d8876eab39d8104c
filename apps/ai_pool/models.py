"""The status page in the admin, which has no table, and the history of the pool, which has one."""

from __future__ import annotations

from typing import Any

from django.db import models


class PoolStatus(models.Model):
    """Stands for the status page in the admin, so that seeing it is a permission. Has no rows."""

    class Meta:
        managed = False
        default_permissions = ("view",)
        verbose_name = "pool status"
        verbose_name_plural = "pool status"


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
