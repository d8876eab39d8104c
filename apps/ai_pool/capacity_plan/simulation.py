"""Plays visitors against a pool, step by step, in simulated time.

The steps are planned by the engine's own scheduler (``plan_step``) and take what the measured step
costs say; the line is first come, first served. Nothing is computed by a model but the time.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from heapq import heappop, heappush

from ai_model.engine.scheduler import Reader, StepPlan, Writer, plan_step
from ai_model.engine.step_cost import attended_cells
from apps.ai_pool.capacity_plan.figures import Figures
from apps.ai_pool.capacity_plan.outcome import Outcome
from apps.ai_pool.capacity_plan.parked import Parked
from apps.ai_pool.capacity_plan.spread import Spread
from apps.ai_pool.capacity_plan.visits import Crowd, Visit
from apps.ai_pool.capacity_plan.workload import Workload

REQUEST_S = 0.05
"""What the way of a question and of its first word adds: checking and storing it, handing it on.
Measured with full-size weights on two slow cores (``benchmarks full_stack``): 0.046."""
TOKEN_MS = 1.5
"""What a written token costs besides its step: choosing it and bringing it to the visitor."""
FIRST_RETRY_S, MIN_RETRY_S, MAX_RETRY_S = 5.0, 1.0, 120.0
"""When a refused visitor tries again: before anything is known, and the bounds, as the pool says
it."""
MAX_RETRIES = 20
"""So often in a row; then the question is given up."""
MAX_STEPS = 400_000


@dataclass(slots=True)
class _Seat:
    """One instance."""

    index: int
    conversation: int = -1
    held: int = 0
    unread: int = 0
    left: int = 0
    """Tokens that are still to be written."""
    due: float = 0.0
    free_since: float = 0.0
    visit: Visit | None = None


@dataclass(slots=True)
class _Counts:
    totals: list[float] = field(default_factory=list)
    ttfts: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    num_refused: int = 0
    num_failed: int = 0
    max_running: int = 0
    max_waiting: int = 0
    num_written: int = 0
    num_read: int = 0
    busy_s: float = 0.0


def simulate(figures: Figures, workload: Workload, num_instances: int) -> Outcome:
    """Return what ``workload`` would meet on ``figures`` with ``num_instances``.

    The same arguments give the same outcome. Raises ValueError for less than one instance.
    """
    if num_instances < 1:
        raise ValueError("a pool has at least one instance")
    return _Simulation(figures, workload, num_instances).run()


class _Simulation:
    def __init__(self, figures: Figures, workload: Workload, num_instances: int) -> None:
        self._figures = figures
        self._workload = workload
        self._crowd = Crowd(workload, figures)
        self._cost = figures.step_cost
        self._seats = [_Seat(index) for index in range(num_instances)]
        self._line: deque[Visit] = deque()
        self._parked = Parked(figures.parked_bytes // max(1, figures.kv_bytes_per_token))
        self._events: list[tuple[float, int, int]] = []
        """When who asks, and for which time in a row."""
        self._now = 0.0
        self._counts = _Counts()
        self._is_system_known = False

    def run(self) -> Outcome:
        """Play to the end of the last answer."""
        for visit in self._crowd.visits:
            heappush(self._events, (self._crowd.first_ask_s(visit), visit.number, 0))
        for _ in range(MAX_STEPS):
            self._arrive()
            self._seat_all()
            if not self._advance():
                break
        return self._outcome()

    def _arrive(self) -> None:
        """Let all in who have asked by now; who finds a full line tries again later."""
        counts = self._counts
        while self._events and self._events[0][0] <= self._now:
            at, number, num_tries = heappop(self._events)
            visit = self._crowd.visits[number]
            num_free = sum(seat.visit is None for seat in self._seats)
            if len(self._line) - num_free >= self._figures.queue_size:
                counts.num_refused += 1
                if num_tries < MAX_RETRIES:
                    heappush(self._events, (at + self._retry_s(), number, num_tries + 1))
                else:
                    visit.turns_left -= 1
                    counts.num_failed += 1
                    self._leave(visit)
                continue
            self._crowd.ask(visit)
            visit.asked_at = at
            self._line.append(visit)
            # Those whom a free instance takes at once have not waited.
            counts.max_waiting = max(counts.max_waiting, len(self._line) - num_free)

    def _retry_s(self) -> float:
        """Return when a refused visitor is told to come back: with a quarter of the line served."""
        num_done = len(self._counts.totals)
        if not num_done:
            return FIRST_RETRY_S
        hold_s = self._counts.busy_s / num_done
        served_s = hold_s * max(1, len(self._line) // 4) / len(self._seats)
        return min(MAX_RETRY_S, max(MIN_RETRY_S, served_s))

    def _seat_all(self) -> None:
        while self._line:
            visit = self._line[0]
            free = [seat for seat in self._seats if seat.visit is None]
            if self._now - visit.asked_at > self._figures.timeout_s:
                self._line.popleft()
                self._counts.num_failed += 1
                self._leave(visit)
            elif free:
                self._line.popleft()
                self._seat(visit, free)
            else:
                return

    def _seat(self, visit: Visit, free: list[_Seat]) -> None:
        own = [seat for seat in free if seat.conversation == visit.number]
        seat = own[0] if own else min(free, key=lambda one: (one.held > 0, one.free_since))
        held = seat.held if own else 0
        if not own:
            if seat.held:
                self._parked.put(seat.conversation, seat.held)
            held = self._parked.take(visit.number)
            if self._is_system_known:
                held = max(held, self._workload.system_tokens)
        seat.conversation, seat.visit = visit.number, visit
        if visit.is_cut:
            held = min(held, self._workload.system_tokens)
        # At least the last token is always read.
        seat.held = min(held, visit.prompt - 1)
        seat.unread = visit.prompt - seat.held
        seat.left = visit.answer
        visit.seated_at = self._now
        self._counts.waits.append(self._now - visit.asked_at)
        self._counts.num_read += seat.unread
        running = sum(one.visit is not None for one in self._seats)
        self._counts.max_running = max(self._counts.max_running, running)

    def _advance(self) -> bool:
        """Run a step, or go on to when something happens; False when nothing will."""
        busy = [seat for seat in self._seats if seat.visit is not None]
        writing = [seat for seat in busy if seat.unread == 0]
        due = [seat for seat in writing if seat.due <= self._now]
        reading = sorted(
            (seat for seat in busy if seat.unread), key=lambda one: one.visit.seated_at
        )  # type: ignore[union-attr]
        if due or reading:
            self._step(due, reading, is_answering=bool(writing), num_busy=len(busy))
            return True
        moments = [seat.due for seat in writing] + [at for at, _, _ in self._events[:1]]
        if not moments:
            return False
        self._counts.busy_s += len(busy) * (min(moments) - self._now)
        self._now = min(moments)
        return True

    def _step(
        self, due: list[_Seat], reading: list[_Seat], *, is_answering: bool, num_busy: int
    ) -> None:
        held = sum(seat.held for seat in self._seats)
        plan = plan_step(
            writers=[Writer(seat.index, seat.held) for seat in due],
            readers=[Reader(seat.index, seat.unread, seat.held) for seat in reading],
            is_answering=is_answering,
            cost=self._cost,
            held_cells=held,
            target_itl_ms=self._figures.target_itl_ms,
            chunk_tokens=self._figures.chunk_tokens,
        )
        seconds = self._seconds(plan, held)
        self._now += seconds
        self._counts.busy_s += num_busy * seconds
        for index in plan.decode:
            seat = self._seats[index]
            seat.held += 1
            self._write(seat)
        for share in plan.prefill:
            seat = self._seats[share.instance]
            seat.held += share.num_tokens
            seat.unread -= share.num_tokens
            if seat.unread == 0:
                assert seat.visit is not None
                self._is_system_known = True
                self._counts.ttfts.append(self._now - seat.visit.asked_at + REQUEST_S)
                seat.due = self._now
                self._write(seat)

    def _seconds(self, plan: StepPlan, held: int) -> float:
        counts = [(index, 1) for index in plan.decode]
        counts += [(share.instance, share.num_tokens) for share in plan.prefill]
        cells = sum(attended_cells(self._seats[at].held, count, held) for at, count in counts)
        return (self._cost.ms(plan.num_tokens, cells) + TOKEN_MS * len(plan.decode)) / 1000

    def _write(self, seat: _Seat) -> None:
        """Write one token; the last one gives the instance back."""
        visit = seat.visit
        assert visit is not None
        seat.left -= 1
        self._counts.num_written += 1
        if self._figures.max_tok_s:
            seat.due = max(self._now, seat.due + 1 / self._figures.max_tok_s)
        if seat.left == 0:
            self._counts.totals.append(self._now - visit.asked_at + REQUEST_S)
            visit.prompt += visit.answer
            seat.visit, seat.free_since = None, self._now
            self._leave(visit)

    def _leave(self, visit: Visit) -> None:
        """Let the visitor read and type, and then ask again, if that was not the last time."""
        if visit.turns_left > 0:
            at = self._now + self._crowd.pause_s(visit)
            heappush(self._events, (at, visit.number, 0))

    def _outcome(self) -> Outcome:
        counts, seconds = self._counts, max(self._now, 1e-9)
        num = max(1, len(counts.totals))
        return Outcome(
            num_users=self._workload.num_users,
            num_instances=len(self._seats),
            total=Spread.of(counts.totals),
            ttft=Spread.of(counts.ttfts),
            wait=Spread.of(counts.waits),
            num_refused=counts.num_refused,
            num_failed=counts.num_failed,
            max_running=counts.max_running,
            max_waiting=max(0, counts.max_waiting),
            tok_s=counts.num_written / seconds,
            answer_tokens=counts.num_written / num,
            prompt_tokens=counts.num_read / num,
            utilisation=min(1.0, counts.busy_s / (seconds * len(self._seats))),
            seconds=seconds,
        )
