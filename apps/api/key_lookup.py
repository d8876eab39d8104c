"""Looks keys up for the event loop: once for all who show the same one at the same moment.

A program that opens many requests at once shows one key with all of them. Each look-up is the work
of a thread and a connection to the database; what the first one finds holds for those who came
while it was looked for. Nothing is remembered: a key that is revoked opens nothing from then on.
"""

from __future__ import annotations

import asyncio
import weakref

from apps.api.api_keys import digest_of, find_key
from apps.api.key_threads import in_key_thread
from apps.api.models import ApiKey

_Lookups = dict[tuple[str, str], asyncio.Task[ApiKey]]
_running: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Lookups] = (
    weakref.WeakKeyDictionary()
)
"""Those of each event loop that have not ended, by the digest of the key and the address."""


async def look_up(secret: str, *, address: str) -> ApiKey:
    """Return the usable key that ``secret`` is, for somebody at ``address``. Raises BadKey.

    The row may be somebody else's as well: it is for reading.
    """
    loop = asyncio.get_running_loop()
    running = _running.setdefault(loop, {})
    which = (digest_of(secret), address)
    task = running.get(which)
    if task is None:
        task = loop.create_task(in_key_thread(find_key, secret, address=address))
        running[which] = task
        task.add_done_callback(lambda ended: _forget(running, which, ended))
    # Whoever goes away takes nobody's look-up along.
    return await asyncio.shield(task)


def _forget(running: _Lookups, which: tuple[str, str], ended: asyncio.Task[ApiKey]) -> None:
    running.pop(which, None)
    if not ended.cancelled():
        # Looked at, so that nobody calls it lost when all who waited have gone.
        ended.exception()
