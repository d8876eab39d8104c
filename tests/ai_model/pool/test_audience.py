"""Whether anybody reads an answer."""

from __future__ import annotations

from ai_model.pool.audience import Audience


def test_followers_are_readers_until_they_say_otherwise() -> None:
    audience = Audience(10.0)
    assert audience.unwatched_since == 10.0
    audience.join("web")
    assert audience.unwatched_since is None
    audience.count("web", 0, 11.0)
    audience.count("web", 0, 12.0)
    assert audience.unwatched_since == 11.0
    audience.count("web", 3, 13.0)
    assert audience.unwatched_since is None
    audience.leave("web", 14.0)
    assert audience.unwatched_since == 14.0


def test_what_a_client_said_ends_with_its_last_follower() -> None:
    audience = Audience(10.0)
    audience.join("web")
    audience.join("web")
    audience.count("web", 0, 11.0)
    audience.leave("web", 12.0)
    assert (audience.num_followers, audience.unwatched_since) == (1, 11.0)
    audience.leave("web", 13.0)
    audience.join("web")
    assert audience.unwatched_since is None


def test_one_reader_is_enough() -> None:
    audience = Audience(10.0)
    audience.count("two", 0, 10.5)
    audience.join("one")
    audience.join("two")
    assert audience.unwatched_since is None
    audience.leave("one", 12.0)
    assert audience.unwatched_since == 12.0
