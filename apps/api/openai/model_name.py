"""What the model in use is called by clients of OpenAI's API."""

from __future__ import annotations

import re
from typing import Any

from ai_model.pool.status import PoolStatus
from apps.api.openai.errors import OpenAIError

ALIAS = "corral"
"""Always means the model in use, whichever that is."""


def name_of(status: PoolStatus) -> str:
    """The name of the model in use, such as ``tinyllama-1.1b-chat-q5_k_m``; "" without one."""
    if status.model is None:
        return ""
    words = f"{status.model.name} {status.model.quant}".lower()
    return re.sub(r"[^a-z0-9._]+", "-", words).strip("-")


def check_name(asked: str, status: PoolStatus) -> None:
    """Raise OpenAIError unless ``asked`` means the model in use; an absent name does."""
    if asked in ("", ALIAS, name_of(status)):
        return
    text = f"There is no model {asked[:80]!r} here; {name_of(status) or ALIAS!r} is in use."
    raise OpenAIError(404, "model_not_found", text, param="model")


def model_object(name: str, status: PoolStatus) -> dict[str, Any]:
    """One entry of the list of models."""
    described: dict[str, Any] = {"id": name, "object": "model", "created": 0, "owned_by": "corral"}
    if status.model is not None:
        described["meta"] = {
            "n_ctx": status.model.n_ctx,
            "n_params": status.model.num_parameters,
            "size": status.model.size_bytes,
        }
    return described
