"""How much later than the engine has it a lone visitor sees the first word."""

from __future__ import annotations

import asyncio
import time

from benchmarks.chat_line import new_cookie, open_line
from benchmarks.live_site import LiveSite
from benchmarks.report import Row, percentile
from benchmarks.socket_client import ask, until_welcome
from benchmarks.sse_client import complete
from benchmarks.words import words

QUESTION_WORDS = 12
PAUSE_S = 0.1
"""Between two answers: the last one is being stored."""
WARM_UPS = 3
MAX_TOKENS = 4


def measure_added(site: LiveSite, system_prompt: str, repeats: int) -> Row:
    """Return the milliseconds added to the engine's own first token, by socket and by SSE.

    The engine's are those from the start of reading to the first token, as the answer reports them
    (whole milliseconds); all else counts as added.
    """
    by_socket = asyncio.run(_by_socket(site, repeats))
    by_events = _by_events(site, system_prompt, repeats)
    row: Row = {}
    for name, samples in (("ws", by_socket), ("sse", by_events)):
        row[f"added_{name}_p50_ms"] = percentile(samples, 0.5)
        row[f"added_{name}_p95_ms"] = percentile(samples, 0.95)
    row["first_words"] = repeats
    return row


async def _by_socket(site: LiveSite, repeats: int) -> list[float]:
    cookie = await asyncio.to_thread(new_cookie, site.port)
    samples = []
    async with open_line(site.port, cookie) as line:
        await until_welcome(line)
        for number in range(WARM_UPS + repeats):
            heard = await ask(line, words(QUESTION_WORDS, number))
            samples.append((heard.first_at - heard.sent_at) * 1000 - heard.timing["prompt_ms"])
            await asyncio.sleep(PAUSE_S)
    return samples[WARM_UPS:]


def _by_events(site: LiveSite, system_prompt: str, repeats: int) -> list[float]:
    key, samples = site.make_key(), []
    for number in range(WARM_UPS + repeats):
        question = words(QUESTION_WORDS, 100_000 + number)
        heard = complete(
            site.url,
            (("system", system_prompt), ("user", question)),
            max_tokens=MAX_TOKENS,
            user=str(number),
            key=key,
            temperature=0.2,
        )
        samples.append(heard.ttft_s * 1000 - heard.timings["prompt_ms"])
        time.sleep(PAUSE_S)
    return samples[WARM_UPS:]
