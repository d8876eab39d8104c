"""System checks: what is wrong with models and settings, each as one sentence with its fix.

A missing or broken model is a warning, because the site runs without one; settings that cannot work
are errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from ai_model.catalog import UnknownModel
from ai_model.hardware import memory_limit_bytes
from ai_model.model_file import BadModelFile
from apps.ai_pool import conf
from apps.ai_pool.socket_place import complaint_about

SAFE_DAPHNE = (4, 2, 2)
PROCESSES_BYTES = 150_000_000
"""What web and pool process hold at least, beside weights and conversations."""
GPU_BACKENDS = ("cuda", "hip", "vulkan", "metal", "sycl", "musa", "cann", "opencl")


@register("corral")
def check_model_and_limits(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """corral.W001: the model; corral.E001 impossible limits; corral.E006, corral.W002: memory."""
    try:
        conf.socket_path()
        if conf.is_pool_external():
            return []
        plan = conf.pool_plan()
    except BadModelFile as error:
        return [Warning(str(error), id="corral.W001")]
    except UnknownModel as error:
        return [Error(str(error), hint="Change CORRAL_QUANT.", id="corral.E002")]
    except conf.ImpossibleSetting as error:
        return [Error(str(error), id="corral.E001")]
    return _check_memory(plan)


def _check_memory(plan: conf.PoolPlan) -> list[CheckMessage]:
    """Compare what the limits add up to with the memory there is."""
    kv_bytes = plan.info.kv_bytes_per_token * plan.config.n_ctx * plan.config.max_instances
    needed = plan.info.size_bytes + kv_bytes
    limit = memory_limit_bytes()
    parked = plan.config.parked_bytes
    held = kv_bytes + parked + PROCESSES_BYTES
    if held > limit:
        return [
            Error(
                f"{plan.config.max_instances} instances of {plan.config.n_ctx} tokens "
                f"({_mb(kv_bytes)}), conversations without one ({_mb(parked)}) and the two "
                f"processes (about {_mb(PROCESSES_BYTES)}) add up to {_mb(held)}, and this process "
                f"may use {_mb(limit)}. None of it can be dropped, so the kernel would end the "
                "pool before its limits are reached.",
                hint="Lower CORRAL_MAX_INSTANCES, CORRAL_N_CTX or CORRAL_PARKED_MB.",
                id="corral.E006",
            )
        ]
    if needed > limit:
        return [
            Warning(
                f"The model ({plan.info.size_bytes / 1e6:.0f} MB) and {plan.config.max_instances} "
                f"instances of {plan.config.n_ctx} tokens ({kv_bytes / 1e6:.0f} MB) need more than "
                f"the {limit / 1e6:.0f} MB of memory this process may use.",
                hint="Lower CORRAL_MAX_INSTANCES or CORRAL_N_CTX, or use a smaller quantisation.",
                id="corral.W002",
            )
        ]
    return []


def _mb(num_bytes: int) -> str:
    return f"{num_bytes / 1e6:.0f} MB"


@register("corral")
def check_pool_url(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """corral.E005: CORRAL_POOL_URL names a place that this process cannot use."""
    if not conf.is_pool_external():
        return []
    try:
        complaint = complaint_about(conf.socket_path())
    except conf.ImpossibleSetting:
        return []  # corral.E001 says it
    if complaint is None:
        return []
    return [Error(complaint.cause, hint=complaint.fix, id="corral.E005")]


@register("corral")
def check_hosts(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """corral.W003: any host is allowed, which also switches off the origin check of the chat."""
    is_production = getattr(settings, "IS_PRODUCTION", not settings.DEBUG)
    if is_production and "*" in settings.ALLOWED_HOSTS:
        return [
            Warning(
                "ALLOWED_HOSTS contains *, so pages of any other site may open the chat.",
                hint="List the host names of your site in ALLOWED_HOSTS.",
                id="corral.W003",
            )
        ]
    return []


@register("corral")
def check_gpu(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """corral.E004: layers for a GPU that this build of llama.cpp cannot use."""
    if settings.CORRAL_GPU_LAYERS <= 0:
        return []
    if _has_gpu_backend():
        return []
    return [
        Error(
            f"CORRAL_GPU_LAYERS is {settings.CORRAL_GPU_LAYERS}, but the installed llama.cpp was "
            "built without GPU support.",
            hint="Install llama-cpp-python built for your GPU, or set CORRAL_GPU_LAYERS=0.",
            id="corral.E004",
        )
    ]


def _has_gpu_backend() -> bool:
    """Whether llama.cpp was built with one, told by its library files: nothing is loaded."""
    package = find_spec("llama_cpp")
    if package is None or package.origin is None:
        return False
    names = [path.name for path in (Path(package.origin).parent / "lib").glob("*ggml-*")]
    return any(backend in name for name in names for backend in GPU_BACKENDS)


@register("corral")
def check_daphne(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """corral.E003: a Daphne in which one chat message may fill the memory."""
    try:
        installed = version("daphne")
    except PackageNotFoundError:
        return []
    numbers = tuple(int(part) for part in installed.split(".")[:3] if part.isdigit())
    if numbers >= SAFE_DAPHNE:
        return []
    return [
        Error(
            f"Daphne {installed} does not limit the size of chat messages (CVE-2026-44545).",
            hint="Install daphne>=4.2.2.",
            id="corral.E003",
        )
    ]
