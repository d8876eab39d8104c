"""Registers the pool application and its system checks; nothing is started here."""

from __future__ import annotations

from django.apps import AppConfig


class AiPoolConfig(AppConfig):
    """Django's face of the pool: status, health, commands, checks."""

    name = "apps.ai_pool"
    label = "ai_pool"
    verbose_name = "Pool"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register checks and signals. Runs in every manage.py command, so it does no work."""
        from apps.ai_pool import (  # noqa: F401
            cache_checks,
            checks,
            choice_checks,
            limit_checks,
            metrics_checks,
            place_checks,
            public_checks,
            sign_outs,
        )
        from apps.ai_pool.audit import notes  # noqa: F401

        self._limit_sign_ins()

    def _limit_sign_ins(self) -> None:
        """Give the admin the form that counts attempts, unless the project has one of its own."""
        from django.contrib import admin

        from apps.ai_pool.sign_in.form import SignInForm

        if admin.site.login_form is None:
            admin.site.login_form = SignInForm
