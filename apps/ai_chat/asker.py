"""What the pool is told about who asks: keys that mean nothing elsewhere, and the priority."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from django.conf import settings

from ai_model.pool.priority import Priority
from apps.ai_pool.limits.address_block import address_block
from apps.ai_pool.limits.client_address import address_of


@dataclass(frozen=True, slots=True)
class Asker:
    """Opaque keys for a fair line."""

    visitor: str
    address: str = ""
    """Key of the address block; "" where it is unknown."""
    priority: Priority = Priority.VISITOR


def address_key(host: str) -> str:
    """Return the key of the block that an address belongs to, or "" if it tells nothing."""
    block = address_block(address_of(host))
    if not block:
        return ""
    digest = hmac.new(settings.SECRET_KEY.encode(), b"address " + block.encode(), hashlib.sha256)
    return digest.hexdigest()[:32]
