"""On whose behalf a request is made, which decides its share of the pool while others wait."""

from __future__ import annotations

from enum import StrEnum


class Priority(StrEnum):
    """Classes of requests. They share the pool by weight; see ``WEIGHTS``."""

    STAFF = "staff"
    """A member of the site's staff."""
    VISITOR = "visitor"
    API = "api"
    """A program with a key."""
    WARM_UP = "warm_up"
    """The pool's own work, for which nobody waits. Served only when nothing else can be."""


WEIGHTS = {Priority.STAFF: 2, Priority.VISITOR: 2, Priority.API: 1}
"""Parts of the work (estimated tokens) that each class gets while all of them wait.

What a class does not use goes to the others, so a pool without visitors is all the staff's. While
visitors wait, staff get at most half: an assistant that staff use for themselves must not go dark
for the public. Programs get at most a third: they have patience and do not tire. With all three
waiting the parts are 2/5, 2/5 and 1/5.
"""
