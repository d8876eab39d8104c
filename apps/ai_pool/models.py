"""A page in the admin without a table: the status of the pool."""

from __future__ import annotations

from django.db import models


class PoolStatus(models.Model):
    """Stands for the status page in the admin, so that seeing it is a permission. Has no rows."""

    class Meta:
        managed = False
        default_permissions = ("view",)
        verbose_name = "pool status"
        verbose_name_plural = "pool status"
