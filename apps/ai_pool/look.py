"""One look at the pool, as everybody who watches is told it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ai_model.pool.status import PoolStatus
from ai_model.pool.waiting_request import WaitingRequest
from apps.ai_pool import services
from apps.ai_pool.table import shown

MAX_LINE = 20
"""Of those who wait so many are told; ``num_waiting`` counts them all."""
_CLOCKS = frozenset(
    {"uptime_s", "heartbeat_age_s", "running_s", "instance_s", "oldest_wait_s"}
    | {"utilisation_15min", "utilisation_24h", "instances", "memory"}
)
"""What moves although nothing happens; the parts of the last two that count are looked at apart."""
_MEMORY_CLOCKS = frozenset({"rss_bytes", "anon_bytes"})


@dataclass(frozen=True)
class Look:
    """What the pool said at one moment. Texts are made once, for all who want them."""

    status: PoolStatus
    at: float
    """Seconds of the event loop's clock."""
    unix_s: float
    line: tuple[WaitingRequest, ...] | None = None
    """Those who wait; None if nobody has asked."""

    @property
    def first_waiting(self) -> tuple[WaitingRequest, ...]:
        """Those of the line who are shown."""
        return (self.line or ())[:MAX_LINE]

    @cached_property
    def for_staff(self) -> bytes:
        """Everything, as one JSON object."""
        line = self.first_waiting
        form = services.staff_form(self.status) | {"line": [one.to_json() for one in line]}
        return self._text(form | {"shown": shown(self.status, line)})

    @cached_property
    def for_everybody(self) -> bytes:
        """The public numbers, as one JSON object."""
        return self._text(self._public)

    @cached_property
    def same(self) -> bytes:
        """Says that this look has found what the last one did."""
        return json_bytes({"type": "same", "now": self.unix_s})

    def says_more_than(self, other: Look | None, *, is_staff: bool) -> bool:
        """Return whether somebody who knows the other look learns anything from this one."""
        if other is None:
            return True
        if not is_staff:
            return self._public != other._public
        is_busy = bool(self.status.num_running or self.status.num_waiting)
        return is_busy or self._still != other._still

    @cached_property
    def _public(self) -> dict[str, Any]:
        return services.public_form(self.status)

    @cached_property
    def _still(self) -> tuple[object, ...]:
        """What stays as it is while nothing happens."""
        values = self.status.to_json()
        return (
            _without(values, _CLOCKS),
            _without(values["memory"], _MEMORY_CLOCKS),
            [_without(instance, {"since_s"}) for instance in values["instances"]],
        )

    def _text(self, form: Mapping[str, Any]) -> bytes:
        return json_bytes({"type": "status", "now": self.unix_s, **form})


def json_bytes(value: Mapping[str, Any]) -> bytes:
    """Return an object as it goes over the line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _without(values: Mapping[str, Any], names: frozenset[str] | set[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}
