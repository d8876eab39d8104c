"""What Django's settings mean for the pool: which model, which limits, which socket.

Everything is read when it is asked for, so that a test may override any setting.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from ai_model.hardware import memory_limit_bytes, num_usable_cpus
from ai_model.model_file import ModelFileInfo, inspect
from ai_model.pool.config import PoolConfig
from ai_model.pool.errors import PoolStartError
from ai_model.pool.instance_schedule import InstanceSchedule
from ai_model.pool.socket_path import MAX_PATH_BYTES, usable_socket_path
from ai_model.profiles import MB, Profile, choose_profile, choose_threads
from ai_model.prompt import SAFETY_TOKENS
from ai_model.store import SELECTION_NAME, ChosenModel, ModelStore

MIN_PROMPT_TOKENS = 64
"""A context that leaves less than this for the prompt cannot hold a conversation."""
URL_PREFIX = "unix://"
FULL_CONTEXTS_WAITING = 16
"""Work that may wait unless CORRAL_MAX_WAITING_TOKENS says otherwise, in contexts."""


class ImpossibleSetting(ValueError):
    """Settings that cannot work together. The text is one sentence with the numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolPlan:
    """What a start of the pool would do."""

    chosen: ChosenModel
    info: ModelFileInfo
    profile: Profile
    config: PoolConfig

    @property
    def sentence(self) -> str:
        """The line for log and banner: which model, why, and how it runs."""
        return (
            f"Model {self.info.title} {self.info.quant} ({self.chosen.path.name}) because "
            f"{self.chosen.reason}; {self.instances} of "
            f"{self.config.n_ctx} tokens on {self.config.num_threads} "
            f"thread{'s' if self.config.num_threads > 1 else ''}, profile {self.profile.name} "
            f"because {self.why_profile}."
        )

    @property
    def instances(self) -> str:
        """How many there are, in words: "1 instance", "3 to 5 instances"."""
        most = max(self.config.max_instances, self.config.curve_instances)
        least = 1 if self.config.curve_instances else self.config.hot_instances or most
        if least < most:
            return f"{least} to {most} instances"
        return f"{most} instance{'' if most == 1 else 's'}"

    @property
    def why_profile(self) -> str:
        """Why it is this profile, as part of a sentence."""
        if settings.CORRAL_PROFILE != "auto":
            return "CORRAL_PROFILE names it"
        num_cpus = num_usable_cpus()
        return (
            f"this machine lets it use {num_cpus} CPU{'' if num_cpus == 1 else 's'} and "
            f"{memory_limit_bytes() / 2**30:.1f} GB of memory ({self.profile.reason})"
        )


def model_store() -> ModelStore:
    """Return the model files of this installation."""
    return ModelStore(selection_path=Path(settings.CORRAL_VAR_DIR) / SELECTION_NAME)


def chosen_model() -> ChosenModel:
    """Return the model file to use. Raises UnknownModel or BadModelFile, each with a sentence."""
    return model_store().choose(model_path=settings.CORRAL_MODEL_PATH, quant=settings.CORRAL_QUANT)


def profile() -> Profile:
    """Return the profile of this machine. Raises ImpossibleSetting for an unknown name."""
    try:
        return choose_profile(
            settings.CORRAL_PROFILE,
            num_cpus=num_usable_cpus(),
            memory_bytes=memory_limit_bytes(),
        )
    except ValueError as error:
        raise ImpossibleSetting(f"CORRAL_PROFILE is wrong: {error}.") from None


def pool_plan() -> PoolPlan:
    """Choose and check the model, and work out every limit of the pool.

    Reads the header of the model file (0.2 s for a real one). Raises BadModelFile, UnknownModel and
    ImpossibleSetting, each with one sentence for the operator.
    """
    chosen = chosen_model()
    info = inspect(chosen.path)
    limits = profile()
    return PoolPlan(
        chosen=chosen, info=info, profile=limits, config=pool_config(chosen, info, limits)
    )


def pool_config(chosen: ChosenModel, info: ModelFileInfo, limits: Profile) -> PoolConfig:
    """Return the limits of the pool. Raises ImpossibleSetting with the arithmetic."""
    n_ctx, max_tokens = _context(info, limits)
    max_instances, hot_instances = _instances(limits)
    chunk_tokens = settings.CORRAL_CHUNK_TOKENS or limits.chunk_tokens
    if settings.CORRAL_CHUNK_TOKENS and chunk_tokens > n_ctx:
        raise ImpossibleSetting(
            f"CORRAL_CHUNK_TOKENS is {chunk_tokens}, more than the {n_ctx} tokens of a whole "
            f"conversation; set it to at most that, or to 0 for the profile's "
            f"{limits.chunk_tokens}."
        )
    try:
        InstanceSchedule.parse(settings.CORRAL_PEAK_HOURS)
    except ValueError as error:
        raise ImpossibleSetting(f"CORRAL_PEAK_HOURS is wrong: {error}") from None
    try:
        return PoolConfig(
            model_path=chosen.path,
            model_is_demo=chosen.is_demo or info.is_demo,
            max_instances=max_instances,
            hot_instances=hot_instances,
            peak_hours=settings.CORRAL_PEAK_HOURS,
            n_ctx=n_ctx,
            max_tokens=max_tokens,
            max_messages=settings.CORRAL_MAX_MESSAGES or limits.max_messages,
            num_threads=settings.CORRAL_THREADS
            or limits.num_threads
            or choose_threads(num_cpus=num_usable_cpus(), model_bytes=info.size_bytes),
            chunk_tokens=chunk_tokens,
            target_itl_ms=settings.CORRAL_TARGET_ITL_MS or limits.target_itl_ms,
            max_tok_s=settings.CORRAL_MAX_TOK_S,
            parked_bytes=_parked_bytes(limits),
            calm_parked_bytes=limits.parked_bytes,
            prefix_tokens=limits.prefix_tokens,
            has_flash_attention=_has_flash_attention(limits),
            repeat_last_n=_repeat_last_n(limits),
            curve_instances=0 if _is_size_given() else limits.curve_instances,
            kv_bytes_per_token=info.kv_bytes_per_token,
            emergency=settings.CORRAL_EMERGENCY,
            idle_sleep_s=settings.CORRAL_IDLE_SLEEP_MIN * 60.0,
            gpu_layers=settings.CORRAL_GPU_LAYERS,
            queue_size=settings.CORRAL_QUEUE_SIZE,
            max_waiting_tokens=settings.CORRAL_MAX_WAITING_TOKENS or FULL_CONTEXTS_WAITING * n_ctx,
            max_running_per_visitor=settings.CORRAL_MAX_RUNNING_PER_VISITOR,
            max_inflight_per_visitor=settings.CORRAL_MAX_INFLIGHT,
            max_inflight_per_address=settings.CORRAL_MAX_INFLIGHT_PER_ADDRESS,
            timeout_s=settings.CORRAL_TIMEOUT_MS / 1000,
            first_token_timeout_s=settings.CORRAL_FIRST_TOKEN_TIMEOUT_MS / 1000,
            stall_timeout_s=settings.CORRAL_STALL_TIMEOUT_MS / 1000,
            total_timeout_s=settings.CORRAL_TOTAL_TIMEOUT_MS / 1000,
        )
    except ValueError as error:
        raise ImpossibleSetting(f"The settings of the pool cannot work: {error}.") from None


def _is_size_given() -> bool:
    """Whether the owner says how many instances there are."""
    return bool(settings.CORRAL_MAX_INSTANCES or settings.CORRAL_HOT_INSTANCES)


def _instances(limits: Profile) -> tuple[int, int]:
    """Return how many instances there may be, and how many there always are (0: all)."""
    asked, asked_hot = settings.CORRAL_MAX_INSTANCES, settings.CORRAL_HOT_INSTANCES
    most = asked or limits.max_instances
    if asked_hot > most:
        whose = "CORRAL_MAX_INSTANCES" if asked else f"profile {limits.name}"
        raise ImpossibleSetting(
            f"CORRAL_HOT_INSTANCES is {asked_hot}, more than the {most} of {whose}; lower it or "
            "raise CORRAL_MAX_INSTANCES."
        )
    return most, asked_hot or (0 if asked else min(limits.hot_instances, most))


def _has_flash_attention(limits: Profile) -> bool:
    asked = settings.CORRAL_FLASH_ATTENTION
    return limits.has_flash_attention if asked == "auto" else bool(asked == "on")


def _repeat_last_n(limits: Profile) -> int:
    asked: int = settings.CORRAL_REPEAT_LAST_N
    return limits.repeat_last_n if asked < 0 else asked


def _parked_bytes(limits: Profile) -> int:
    asked_mb: int = settings.CORRAL_PARKED_MB
    return limits.parked_bytes if asked_mb < 0 else asked_mb * MB


def _context(info: ModelFileInfo, limits: Profile) -> tuple[int, int]:
    """Return context and answer tokens: the profile's values bend, the owner's do not."""
    asked = settings.CORRAL_N_CTX
    if asked > info.n_ctx_train:
        raise ImpossibleSetting(
            f"CORRAL_N_CTX is {asked}, but {info.title} was trained for a context "
            f"of {info.n_ctx_train} tokens; set it to at most that, or to 0."
        )
    n_ctx = asked or min(limits.n_ctx, info.n_ctx_train)
    max_tokens = settings.CORRAL_MAX_TOKENS or min(limits.max_tokens, n_ctx // 2)
    room = n_ctx - max_tokens - SAFETY_TOKENS
    if room < MIN_PROMPT_TOKENS:
        raise ImpossibleSetting(
            f"A context of {n_ctx} tokens minus {max_tokens} for the answer (CORRAL_MAX_TOKENS) "
            f"and {SAFETY_TOKENS} spare leaves {room} for the conversation, and "
            f"{MIN_PROMPT_TOKENS} are needed; lower CORRAL_MAX_TOKENS to at most "
            f"{n_ctx - SAFETY_TOKENS - MIN_PROMPT_TOKENS} or raise CORRAL_N_CTX."
        )
    return n_ctx, max_tokens


def is_pool_external() -> bool:
    """Whether CORRAL_POOL_URL names a pool that somebody else runs."""
    return bool(settings.CORRAL_POOL_URL.strip())


def socket_path() -> Path:
    """Return where the pool process listens: CORRAL_POOL_URL, else in the var directory.

    Raises ImpossibleSetting for a wrong address and for a place that cannot be used.
    """
    url = settings.CORRAL_POOL_URL.strip()
    if url:
        return socket_of(url)
    try:
        return usable_socket_path(Path(settings.CORRAL_VAR_DIR) / "pool.sock")
    except PoolStartError as error:
        raise ImpossibleSetting(str(error)) from None


def socket_of(url: str) -> Path:
    """Return the path in an address of a pool. Raises ImpossibleSetting."""
    path = url.removeprefix(URL_PREFIX)
    if not url.startswith(URL_PREFIX) or not path.startswith("/") or path.endswith("/"):
        raise ImpossibleSetting(
            f"CORRAL_POOL_URL must look like unix:///run/corral-pool/pool.sock, not {url!r}."
        )
    if "\0" in path:
        raise ImpossibleSetting("CORRAL_POOL_URL holds a zero byte; write the path again.")
    if len(os.fsencode(path)) > MAX_PATH_BYTES:
        raise ImpossibleSetting(
            f"The path in CORRAL_POOL_URL has {len(os.fsencode(path))} bytes and a Unix socket may "
            f"have {MAX_PATH_BYTES}; choose a shorter one, such as /run/corral-pool/pool.sock."
        )
    return Path(os.path.normpath(path))


def lock_path(socket: Path | None = None) -> Path:
    """Return the file whose lock says which process runs the pool, by default this site's pool;
    otherwise the one that listens at ``socket``."""
    if socket is None or (not is_pool_external() and socket == socket_path()):
        return Path(settings.CORRAL_VAR_DIR) / "pool.lock"
    return socket.with_name(f"{socket.name}.lock")
