"""System checks of choices that mean nothing together: one of them is not obeyed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register

from ai_model.catalog import UnknownModel, normal_quant
from apps.ai_pool import conf


@register("corral")
def check_pool_choice(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """corral.W040: nobody starts a pool; corral.W041: the pool runs in the web process."""
    if conf.is_pool_external():
        return []
    if not settings.CORRAL_AUTOSTART:
        return [
            Warning(
                "CORRAL_AUTOSTART is off and CORRAL_POOL_URL is empty, so there is no pool and "
                "nobody is answered.",
                hint="Set CORRAL_AUTOSTART=true, or CORRAL_POOL_URL to a pool that runs.",
                id="corral.W040",
            )
        ]
    if settings.CORRAL_POOL_MODE == "thread" and settings.IS_PRODUCTION:
        return [
            Warning(
                "CORRAL_POOL_MODE is thread: when llama.cpp crashes or memory runs out, the whole "
                "site goes down with it.",
                hint="Set CORRAL_POOL_MODE=process.",
                id="corral.W041",
            )
        ]
    return []


@register("corral")
def check_model_choice(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """corral.W042: CORRAL_QUANT asks for what is not used."""
    quant = settings.CORRAL_QUANT
    if not quant or conf.is_pool_external():
        return []
    if settings.CORRAL_MODEL_PATH:
        return [
            Warning(
                f"CORRAL_MODEL_PATH names a file, so CORRAL_QUANT={quant} is not looked at.",
                hint="Keep the one you mean.",
                id="corral.W042",
            )
        ]
    try:
        wanted = normal_quant(quant)
        chosen = conf.chosen_model().path.name
    except (UnknownModel, ValueError):
        return []  # corral.E002 or W001 say it
    if wanted in chosen:
        return []
    return [
        Warning(
            f"CORRAL_QUANT asks for {wanted}, which is not here; {chosen} is used.",
            hint=f"`python manage.py model fetch {wanted}` gets it.",
            id="corral.W042",
        )
    ]
