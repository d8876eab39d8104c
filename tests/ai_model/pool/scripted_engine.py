"""A fake engine that tells everybody the same story, fails single answers, and sleeps."""

from __future__ import annotations

from ai_model.engine.events import FinishReason
from ai_model.engine.snapshot import EngineState
from tests.ai_model.pool.fake_engine import FakeEngine

SCRIPT = ("Once ", "upon ", "a ", "time ", "a ", "pool ", "was ", "full.")
STORY = "".join(SCRIPT)


class ScriptedEngine(FakeEngine):
    """An engine that can also fail a single answer, and sleep."""

    def fail_one(self, request_id: str) -> None:
        """Give up one answer."""
        self._finish(self._running[request_id], FinishReason.FAILED, "no room in the cache")

    def fall_asleep(self) -> None:
        """Give the model back."""
        self._enter(EngineState.SLEEPING)

    def wake(self) -> None:
        """Load it again."""
        if self.state is EngineState.SLEEPING:
            self._enter(EngineState.READY)
