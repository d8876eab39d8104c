"""Reads in idle time what comes next in a conversation whatever is asked: the end of the answer's
turn and the beginning of the question's."""

from __future__ import annotations

from ai_model.engine.context import DecodeOutcome
from ai_model.engine.errors import DecodeError
from ai_model.engine.instance import Answer, Instance
from ai_model.engine.seating import Seating

PATIENCE_S = 0.03
"""Who waits in line for an instance comes within this time; nothing is read before."""


class NextTurns:
    """Used by the engine's thread, which calls ``step`` when there is nothing else to do.

    A follow-up then reads the question alone: on a slow processor the tokens around it take longer
    than a short question itself.
    """

    def __init__(self, seating: Seating) -> None:
        self._seating = seating

    @property
    def conversations(self) -> frozenset[str]:
        """Whose next turns are being read, or would be next. May be read by any thread."""
        instances = self._seating.instances
        if any(one.answer is not None for one in instances):
            return frozenset()
        return frozenset(one.conversation for one in instances if one.upcoming)

    def expect(self, instance: Instance, answer: Answer) -> None:
        """Note that ``instance`` holds a whole answer, but for what follows it."""
        prompt = answer.request.prompt
        whole = (*prompt.tokens, *answer.generated, *prompt.next_tokens)
        if len(whole) < self._seating.n_ctx:
            instance.upcoming = whole[len(instance.tokens) :]

    def step(self, now: float) -> float | None:
        """Read for one conversation.

        Returns 0 when there may be more to do at once, the seconds until there is, or None when
        there is nothing.
        """
        ahead = [one for one in self._seating.instances if one.upcoming and one.answer is None]
        if not ahead:
            return None
        instance = min(ahead, key=lambda one: one.since)
        pause = instance.since + PATIENCE_S - now
        if pause > 0:
            return pause
        self._read(instance)
        return 0.0

    def _read(self, instance: Instance) -> None:
        context, start = self._seating.context, len(instance.tokens)
        tokens = instance.upcoming[: context.batch_tokens]
        for position, token in enumerate(tokens, start=start):
            context.add(token, position=position, sequence=instance.index, wants_logits=False)
        try:
            outcome = context.decode()
        except DecodeError:
            # The follow-up will read it, or say what is wrong.
            context.remove(instance.index, start)
            instance.upcoming = ()
            return
        if outcome is DecodeOutcome.ABORTED:
            context.remove(instance.index, start)
            return
        instance.tokens += tokens
        instance.upcoming = instance.upcoming[len(tokens) :]
