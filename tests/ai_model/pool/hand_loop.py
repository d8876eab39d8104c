"""An event loop that lives on a fake clock and runs only as far as a test lets it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Any

from tests.ai_model.pool.builders import Clock

MAX_ROUNDS = 2000


class HandLoop(asyncio.SelectorEventLoop):
    """Deterministic: its time is ``clock``, and what others give to threads is done at once.

    ``failures`` collects what callbacks and tasks raised and nobody took.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.failures: list[dict[str, Any]] = []
        self._hand_clock = clock
        self.set_exception_handler(lambda _, context: self.failures.append(context))

    def time(self) -> float:
        """Return the fake time."""
        return self._hand_clock()

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Call ``func`` here and now: threads would make every run another one."""
        future: asyncio.Future[Any] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future

    def settle(self) -> None:
        """Run until nothing is left to do at this moment."""
        for _ in range(MAX_ROUNDS):
            self.call_soon(self.stop)
            self.run_forever()
            if not self._ready and not self._due():  # type: ignore[attr-defined]
                return
        raise AssertionError("the loop does not come to rest")

    def call(self, act: Callable[[], Any]) -> Any:
        """Call ``act`` on the loop, settle, and return what it returned or raise what it raised."""
        return self.finish(self.begin(act))

    def begin(self, act: Callable[[], Any]) -> asyncio.Task[Any]:
        """Like call(), for what takes a while: returns the task."""

        async def run() -> Any:
            result: Awaitable[Any] | Any = act()
            return await result if isawaitable(result) else result

        task = self.create_task(run())
        self.settle()
        return task

    def finish(self, task: asyncio.Task[Any]) -> Any:
        """Return the result of a task that must be done by now."""
        assert task.done(), "it should not have to wait"
        return task.result()

    def advance(self, seconds: float) -> None:
        """Let time pass in one step, as for a process that was not scheduled."""
        self._hand_clock.advance(seconds)
        self.settle()

    @property
    def num_timers(self) -> int:
        """Calls that wait for their time."""
        return sum(not handle.cancelled() for handle in self._scheduled)  # type: ignore[attr-defined]

    def _due(self) -> bool:
        return any(
            not handle.cancelled() and handle.when() <= self.time()
            for handle in self._scheduled  # type: ignore[attr-defined]
        )
