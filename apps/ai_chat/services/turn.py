"""One visitor's questions are stored one behind the other, so that they can be counted.

Two that come at once would otherwise each see the other one not there yet.
"""

from __future__ import annotations

import hashlib

from django.db import connection

from apps.ai_chat.visitor import Visitor


def wait_turn(visitor: Visitor) -> None:
    """Wait until no other question of ``visitor`` is being stored, to the end of the transaction.

    Call it first: whoever holds rows and then waits can wait for somebody who waits for them.
    SQLite lets only one transaction write in any case.
    """
    if connection.vendor != "postgresql":
        return
    digest = hashlib.blake2b(visitor.key.encode(), digest_size=8).digest()
    number = int.from_bytes(digest, "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])
