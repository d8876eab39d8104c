"""Who may come in: the one place where a request is taken or refused, before any tokenising."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ai_model.pool.config import PoolConfig
from ai_model.pool.economy import NORMAL
from ai_model.pool.errors import (
    InflightLimit,
    MemoryPressure,
    NoModel,
    PoolUnavailable,
    QueueFull,
    RefusalReason,
    Refused,
)
from ai_model.pool.eta import EtaEstimator, Running
from ai_model.pool.priority import Priority
from ai_model.pool.request import PoolRequest

DRAIN_RETRY_S = 5.0
MEMORY_RETRY_S = 20.0
"""Emergency mode ends 10 s after the last reading that asks for it, at the earliest."""
BYTES_PER_TOKEN = 3
"""Text counts as one token for so many bytes of UTF-8. Models need one for about four bytes of
English, and one for a Chinese character, which is three bytes; the estimate errs on the high side.
Bytes and not characters, since otherwise other scripts would seem three times as cheap."""
TOKENS_PER_MESSAGE = 8
"""Role markers around each message."""
API_PART = 2
"""Programs may have one in so many of the places, waiting and running together: they try again
without getting tired, and would otherwise keep visitors from coming in at all."""
RESUMED_FACTOR = 2
"""Requests of an earlier pool may wait beside as many new ones: they were promised an answer, and
must not be lost because others came back sooner. So many times the usual bound is the last one."""


class Admission:
    """Keeps the limits of one pool. Lives on the pool's event loop, which is its lock.

    check() and enter() belong together without anything awaited between them.
    """

    def __init__(self, config: PoolConfig, estimator: EtaEstimator) -> None:
        self._config = config
        self._estimator = estimator
        self._by_visitor: Counter[str] = Counter()
        self._by_address: Counter[str] = Counter()
        self._by_priority: Counter[str] = Counter()
        self.failure = ""
        """Why there is no model, as a sentence; empty while there is one or it is loading."""
        self.is_closed = False
        """The pool is shutting down."""
        self.economy = NORMAL
        """What the pool does without for want of memory."""

    def use(self, config: PoolConfig) -> None:
        """Keep these limits from now on."""
        self._config = config

    def cost(self, request: PoolRequest) -> int:
        """Return the most tokens that ``request`` can take of an instance, prompt and answer.

        An estimate from the length of its texts, at most the context: longer prompts are cut.
        """
        room = self._config.n_ctx
        answer = min(request.sampling.max_tokens, self._config.max_tokens, room // 2)
        prompt = estimate_tokens(request.produced_text[: request.num_given_chars], room)
        for message in reversed(request.messages):
            prompt += TOKENS_PER_MESSAGE + estimate_tokens(message.text, room)
            if prompt + answer >= room:
                return room
        return prompt + answer

    def check(
        self,
        visitor: str,
        *,
        num_waiting: int,
        num_free: int,
        address: str = "",
        priority: Priority = Priority.VISITOR,
        cost: int = 0,
        waiting_cost: int = 0,
        is_resumed: bool = False,
        num_instances: int = 0,
        running: Sequence[Running] = (),
        is_beginning: bool = False,
    ) -> None:
        """Raise the reason for which a request of ``visitor`` is refused, or return.

        ``num_free`` counts instances that could take a request now. ``cost`` is what cost() said of
        it and ``waiting_cost`` the sum of that for those in line. ``is_resumed`` says that an
        earlier pool had taken it. ``num_instances`` (0: as configured) and ``running`` are what the
        wait is computed from; ``is_beginning`` says that a conversation begins with it. Raises
        PoolUnavailable, NoModel, MemoryPressure, InflightLimit, QueueFull.
        """
        if self.is_closed:
            raise PoolUnavailable(
                "The pool is shutting down.",
                retry_after_s=DRAIN_RETRY_S,
                num_waiting=num_waiting,
                reason=RefusalReason.CLOSED,
            )
        if self.failure:
            raise NoModel(self.failure, reason=RefusalReason.NO_MODEL)
        if is_beginning and not is_resumed and not self.economy.takes_new_conversations:
            raise MemoryPressure(
                "Memory is too short for new conversations.",
                retry_after_s=MEMORY_RETRY_S,
                num_waiting=num_waiting,
                reason=RefusalReason.MEMORY,
            )
        instances = num_instances or self._config.max_instances
        num_behind = num_waiting - num_free
        refusal = (
            self._over_hard_bound(num_behind)
            if is_resumed
            else self._over_keys(visitor, address, priority, num_behind)
            or self._over_line(num_behind, cost, waiting_cost)
        )
        if refusal is None and (is_resumed or num_behind < 0):
            return
        if refusal is None:
            eta = self._estimator.estimate(num_waiting + 1, instances, running)
            if eta is None or eta.p50 <= self._config.timeout_s:
                return
            refusal = QueueFull(
                f"The wait would be about {eta.p50:.0f} s.", reason=RefusalReason.WAIT
            )
        refusal.num_waiting = num_waiting
        refusal.retry_after_s = self._estimator.retry_after_s(instances, num_waiting, running)
        raise refusal

    def enter(
        self, visitor: str, *, address: str = "", priority: Priority = Priority.VISITOR
    ) -> None:
        """Count a request of ``visitor`` that was taken."""
        self._by_visitor[visitor] += 1
        self._by_address[address] += 1
        self._by_priority[priority] += 1

    def leave(
        self, visitor: str, *, address: str = "", priority: Priority = Priority.VISITOR
    ) -> None:
        """Count the end of a request that entered with the same values."""
        _count_down(self._by_visitor, visitor)
        _count_down(self._by_address, address)
        _count_down(self._by_priority, priority)

    def _over_keys(
        self, visitor: str, address: str, priority: Priority, num_behind: int
    ) -> Refused | None:
        """Return the refusal if this visitor, address or class has as much as it may have."""
        limit = self._config.max_inflight_per_visitor
        # Programs have many users behind one key; their class has a limit of its own.
        if priority is not Priority.API and self._by_visitor[visitor] >= limit:
            text = f"This visitor has {limit} questions open already."
            return InflightLimit(text, reason=RefusalReason.VISITOR)
        limit = self._config.max_inflight_per_address
        if address and self._by_address[address] >= limit:
            text = f"{limit} questions are open from this address already."
            return InflightLimit(text, reason=RefusalReason.ADDRESS)
        num_places = self._config.queue_size + self._config.max_instances
        limit = max(1, num_places // API_PART)
        if priority is Priority.API and self._by_priority[priority] >= limit:
            return QueueFull(
                f"Programs have {limit} requests open already.", reason=RefusalReason.SHARE
            )
        if priority is Priority.WARM_UP and num_behind >= 0:
            return QueueFull("No instance is idle.", reason=RefusalReason.SHARE)
        return None

    def _over_line(self, num_behind: int, cost: int, waiting_cost: int) -> Refused | None:
        """Return the refusal if the line is full."""
        if num_behind < 0:
            return None
        part = self.economy.queue_part
        if num_behind >= -(-self._config.queue_size // part):
            text = f"{num_behind} requests wait already."
            return QueueFull(text, reason=RefusalReason.REQUESTS)
        # Whoever would be alone in line is let in, however large: it would never be let in else.
        if num_behind > 0 and waiting_cost + cost > self._config.max_waiting_tokens // part:
            text = f"Work of {waiting_cost} tokens waits already."
            return QueueFull(text, reason=RefusalReason.TOKENS)
        return None

    def _over_hard_bound(self, num_behind: int) -> Refused | None:
        """Return the refusal of a resumed request: only a line that nobody promised is too long."""
        bound = RESUMED_FACTOR * (self._config.queue_size + self._config.max_instances)
        if num_behind < bound:
            return None
        return QueueFull(f"{num_behind} requests wait already.", reason=RefusalReason.REQUESTS)


def estimate_tokens(text: str, cap: int) -> int:
    """Return about how many tokens ``text`` has, or some number of at least ``cap`` if more."""
    # The length is known at once; encoding a megabyte to learn that it is too long is not needed.
    if text.isascii() or len(text) >= cap * BYTES_PER_TOKEN:
        size = len(text)
    else:
        size = len(text.encode("utf-8", "replace"))
    return -(-size // BYTES_PER_TOKEN)


def _count_down(counts: Counter[str], key: str) -> None:
    counts[key] -= 1
    if counts[key] <= 0:
        del counts[key]
