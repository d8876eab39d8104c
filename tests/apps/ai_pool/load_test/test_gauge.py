"""Who waits and who is answered."""

from __future__ import annotations

from apps.ai_pool.load_test.gauge import Gauge, Phase


def test_it_follows_visitors_and_remembers_the_most() -> None:
    gauge = Gauge()
    for _ in range(3):
        gauge.move(Phase.AWAY, Phase.WAITING)
    gauge.move(Phase.WAITING, Phase.ANSWERED)
    gauge.move(Phase.ANSWERED, Phase.AWAY)
    assert (gauge.num_waiting, gauge.num_running) == (2, 0)
    assert (gauge.max_waiting, gauge.max_running) == (3, 1)
    # Changes within a moment are one point, with the newest values.
    assert [sample[1:] for sample in gauge.samples] == [(2, 0)]
