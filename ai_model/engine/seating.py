"""Places for conversations: instances, their KV cells, and what is kept of those who lost their
place."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from ai_model.engine.abort_flag import AbortFlag
from ai_model.engine.config import EngineConfig
from ai_model.engine.context import Context
from ai_model.engine.errors import ContextLost, DecodeError, ModelLoadError
from ai_model.engine.history_cut import HistoryCut, find_cut
from ai_model.engine.instance import Instance, common_prefix
from ai_model.engine.model import Model
from ai_model.engine.parking import ParkingLot, State
from ai_model.engine.placement import place
from ai_model.engine.prefix_cache import PrefixCache
from ai_model.engine.request import EngineRequest

logger = logging.getLogger(__name__)

_WORTH_PARKING = 32
"""Fewer tokens than this are read again as fast as they are restored."""
_WORTH_WARMING = 32
"""Nobody loses a place for fewer tokens than this."""


class Seating:
    """The instances of one model in one context, the shared system prompts and the parked
    conversations.

    What a request can begin with, from cheapest to dearest: what its instance still holds; its
    parked state; the beginning of another conversation of the same visitor; the system prompt. Of
    the first two the oldest turns are taken out when the prompt has left them out. Used by the
    engine's thread only. Raises ModelLoadError when memory does not suffice.
    """

    def __init__(self, model: Model, config: EngineConfig, abort_flag: AbortFlag) -> None:
        self._model = model
        self._config = config
        self._abort_flag = abort_flag
        self.n_ctx = min(config.n_ctx, model.info.n_ctx_train)
        self._prefix_tokens = min(config.prefix_tokens, self.n_ctx) if config.num_prefixes else 0
        self.parking = ParkingLot(config.parked_bytes)
        self.instances = [Instance(index) for index in range(config.num_instances)]
        self._prefixes = self._make_prefixes(config.num_instances)
        self.context = self._make_context(config.num_instances)

    def resize(self, num_instances: int) -> None:
        """Change the number of instances; running answers and what idle ones hold move along.

        Those who lose their place are parked. The old context goes before the new one comes, so
        that a resize never takes the memory of both. Raises ValueError when more than
        ``num_instances`` are busy, and ModelLoadError when memory does not suffice; then there are
        as many instances as before. Raises ContextLost when not even that is possible.
        """
        by_use = sorted(self.instances, key=lambda one: (one.answer is None, -one.since))
        kept, dismissed = by_use[:num_instances], by_use[num_instances:]
        if any(instance.answer is not None for instance in dismissed):
            raise ValueError(f"more than {num_instances} instances are busy")
        for instance in dismissed:
            self._park(instance)
        states = [self.context.save(one.index) if one.tokens else None for one in kept]
        prefixes = [(prefix, self.context.save(at)) for prefix, at in self._prefixes.entries()]
        before = len(self.instances)
        self.context.close()
        try:
            self._fill_context(num_instances, kept, states, prefixes)
        except ModelLoadError:
            self._fill_again(before, kept, states, prefixes)
            raise

    def _fill_again(
        self,
        num_instances: int,
        kept: Sequence[Instance],
        states: Sequence[State | None],
        prefixes: Sequence[tuple[tuple[int, ...], State]],
    ) -> None:
        """Go back to the size before, for which there was memory a moment ago."""
        try:
            self._fill_context(num_instances, kept, states, prefixes)
        except ModelLoadError as error:
            # Nobody can be answered without a context: the engine ends, and the pool starts anew.
            raise ContextLost(str(error)) from None

    def _fill_context(
        self,
        num_instances: int,
        kept: Sequence[Instance],
        states: Sequence[State | None],
        prefixes: Sequence[tuple[tuple[int, ...], State]],
    ) -> None:
        """Make a context and put in what ``kept`` instances and system prompts held before."""
        context = self.context = self._make_context(num_instances)
        for index, (instance, state) in enumerate(zip(kept, states, strict=True)):
            instance.index, instance.num_shared = index, 0
            if state is not None and not context.restore(index, state):
                instance.forget()
        self.instances = [*kept, *(Instance(at) for at in range(len(kept), num_instances))]
        self._prefixes = self._make_prefixes(num_instances)
        for prefix, state in prefixes:
            sequence = self._prefixes.reserve(prefix, context)
            if sequence is not None and not context.restore(sequence, state):
                self._prefixes.drop(prefix, context)

    def close(self) -> None:
        """Give the memory back. Idempotent."""
        self.parking.clear()
        self.context.close()

    def seat(self, request: EngineRequest) -> tuple[Instance, int]:
        """Give ``request`` an idle instance, of which there must be one.

        Returns it with the number of prompt tokens its sequence holds already.
        """
        idle = [instance for instance in self.instances if instance.answer is None]
        placement = place(request, idle)
        instance, num_cached = placement.instance, placement.num_cached
        if instance.conversation != request.conversation:
            self._park(instance)
            if placement.source is not instance and num_cached:
                self._share(instance, placement.source.index, placement.source.tokens[:num_cached])
                placement.source.num_shared = max(placement.source.num_shared, num_cached)
            num_cached = self._unpark(instance, request, num_cached)
        elif cut := self._find_cut(instance.tokens, request):
            num_cached = self._leave_out(instance, cut)
        system = request.prompt.system_tokens
        prefix = self._prefixes.find(system) if num_cached < len(system) else None
        if prefix is not None:
            self._share(instance, prefix, system)
            num_cached = len(system)
        self.context.remove(instance.index, num_cached)
        del instance.tokens[num_cached:]
        instance.num_shared = min(instance.num_shared, num_cached)
        instance.conversation, instance.visitor = request.conversation, request.visitor
        instance.upcoming = ()
        instance.since = time.monotonic()
        return instance, num_cached

    def is_warm(self, request: EngineRequest) -> bool:
        """Whether reading ``request`` beforehand would save next to nothing."""
        prompt = request.prompt
        for instance in self.instances:
            if instance.conversation != request.conversation:
                continue
            is_read = len(prompt.tokens) - instance.common_prefix(prompt.tokens) < _WORTH_WARMING
            if is_read or instance.answer is not None:
                return True
        is_short = len(prompt.tokens) - prompt.num_system_tokens < _WORTH_WARMING
        return is_short and self._prefixes.find(prompt.system_tokens) is not None

    def keep_system_prompt(self, instance: Instance, request: EngineRequest) -> None:
        """Remember the system prompt that ``instance`` has just read for ``request``."""
        system = request.prompt.system_tokens
        self._prefixes.keep(system, instance.index, self.context)
        instance.num_shared = max(instance.num_shared, len(system))

    def share_system_prompts(self, reading: Sequence[Instance]) -> list[Instance]:
        """Return those of ``reading``, oldest first, whose next tokens nobody else is reading.

        A system prompt that several wait for is read by the first of them; the others begin with
        its cells as soon as it is known. Who holds none of it yet may find it known by now.
        """
        ready: list[Instance] = []
        being_read: set[tuple[int, ...]] = set()
        for instance in reading:
            answer = instance.answer
            assert answer is not None
            system = answer.request.prompt.system_tokens
            if len(instance.tokens) < len(system) and self._prefixes.can_hold(system):
                prefix = self._prefixes.find(system)
                if prefix is not None:
                    self._share(instance, prefix, system)
                    answer.num_cached = len(system)
                elif system in being_read:
                    continue
                being_read.add(system)
            ready.append(instance)
        return ready

    def _share(self, instance: Instance, sequence: int, tokens: Sequence[int]) -> None:
        """Let ``instance`` begin with the cells that ``sequence`` holds for ``tokens``."""
        self.context.remove(instance.index)
        self.context.copy(sequence, instance.index, len(tokens))
        instance.tokens = list(tokens)
        instance.num_shared = len(tokens)

    def _park(self, instance: Instance) -> None:
        """Keep what an instance holds of its conversation before somebody else takes the place."""
        if len(instance.tokens) < _WORTH_PARKING:
            return
        self.parking.park(
            conversation=instance.conversation,
            visitor=instance.visitor,
            tokens=tuple(instance.tokens),
            num_bytes=self.context.state_size(instance.index),
            save=lambda: self.context.save(instance.index),
        )

    def _unpark(self, instance: Instance, request: EngineRequest, num_cached: int) -> int:
        """Restore the parked state of the request's conversation if it saves more than the
        ``num_cached`` tokens that ``instance`` holds of it.

        Returns the tokens it holds then.
        """
        parked = self.parking.take(request.conversation)
        if parked is None or parked.visitor != request.visitor:
            return num_cached
        wanted = request.prompt.tokens + request.produced
        num_saved = min(common_prefix(parked.tokens, wanted), len(wanted) - 1)
        cut = self._find_cut(parked.tokens, request)
        if (num_saved if cut is None else cut.num_cached) <= num_cached:
            return num_cached
        if not self.context.restore(instance.index, parked.state):
            instance.forget()
            return 0
        instance.tokens, instance.num_shared = list(parked.tokens), 0
        return num_saved if cut is None else self._leave_out(instance, cut)

    def _find_cut(self, held: Sequence[int], request: EngineRequest) -> HistoryCut | None:
        return find_cut(held, request) if self.context.can_move else None

    def _leave_out(self, instance: Instance, cut: HistoryCut) -> int:
        """Take turns out of what an instance holds; returns the tokens of the prompt it holds then.

        Nothing is held when that fails.
        """
        try:
            is_own = instance.num_shared <= cut.start or self._copy_cells(instance)
            if is_own:
                kept = instance.tokens[cut.end :][: cut.num_cached - cut.start]
                held = instance.tokens[: cut.start] + kept
                self.context.remove(instance.index, cut.end + len(kept))
                self.context.move_up(instance.index, cut.start, cut.end, held=held)
                instance.tokens = held
                return len(held)
        except DecodeError as error:
            logger.warning("A conversation is read again: %s", error)
        self.context.remove(instance.index)
        instance.forget()
        return 0

    def _copy_cells(self, instance: Instance) -> bool:
        """Give an instance cells of its own for all it holds: shared ones would move for others
        too. False, and an empty sequence, when there is no room for that."""
        state = self.context.save(instance.index)
        instance.num_shared = 0
        return self.context.restore(instance.index, state)

    def _make_context(self, num_instances: int) -> Context:
        return Context(
            self._model,
            num_sequences=num_instances + self._config.num_prefixes,
            num_cells=num_instances * self.n_ctx + self._prefix_tokens,
            # A step reads at most a chunk, beside the others of whom each writes a token.
            batch_tokens=self._config.chunk_tokens + num_instances - 1,
            num_threads=self._config.num_threads,
            abort_flag=self._abort_flag,
            has_flash_attention=self._config.has_flash_attention,
        )

    def _make_prefixes(self, num_instances: int) -> PrefixCache:
        reserved = range(num_instances, num_instances + self._config.num_prefixes)
        return PrefixCache(reserved, self._prefix_tokens)
