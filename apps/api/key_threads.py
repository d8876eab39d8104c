"""A few threads in which keys are looked up and counted, whatever number of programs comes.

A thread for each request, as Django gives it, would be 500 threads and as many connections to the
database for 500 programs that come at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from django.db import close_old_connections

NUM_THREADS = 4
Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
_threads = ThreadPoolExecutor(NUM_THREADS, thread_name_prefix="corral-keys")


async def in_key_thread(
    function: Callable[Parameters, Result],
    /,
    *arguments: Parameters.args,
    **named: Parameters.kwargs,
) -> Result:
    """Call a function that may block, with the database if it likes, and return what it does.

    Who waits holds no thread; the line before the threads is as long as there are requests open.
    The function runs in the thread's own context, so that a thread keeps its line to the cache.
    """
    call = partial(_call, function, *arguments, **named)
    return await asyncio.get_running_loop().run_in_executor(_threads, call)


def _call(
    function: Callable[Parameters, Result],
    /,
    *arguments: Parameters.args,
    **named: Parameters.kwargs,
) -> Result:
    close_old_connections()
    try:
        return function(*arguments, **named)
    finally:
        close_old_connections()
