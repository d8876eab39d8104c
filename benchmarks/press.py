"""How soon an instance is free once a visitor presses Stop in a real browser.

As `stop`, with the chat page in Chromium in front. The clock starts before the click is handed to
the browser, so its own work counts as well.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from pathlib import Path

from playwright.async_api import Page, async_playwright

from ai_model.pool.client import PoolClient
from benchmarks.live_site import LiveSite, live_site
from benchmarks.report import Report, percentile

TOK_S = 15
LATEST_S = 2.0
"""Stop is pressed at most so long after the first words."""
TIMEOUT_S = 30.0
LOOK_EVERY_S = 0.002
MAX_TRIES = 3
CHROMIUM = os.environ.get("CORRAL_CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def run(model: Path, *, quick: bool = False) -> Report:
    """Measure milliseconds from the click to the free instance.

    Raises RuntimeError when the server does not start or an answer is not stopped.
    """
    repeats = 5 if quick else 30
    report = Report(name="press", model=model.name)
    with live_site(model, num_instances=2, settings={"CORRAL_MAX_TOK_S": str(TOK_S)}) as site:
        samples = asyncio.run(_press_all(site, repeats))
    report.rows.append(
        {
            "presses": len(samples),
            "p50_ms": percentile(samples, 0.5),
            "p95_ms": percentile(samples, 0.95),
            "max_ms": max(samples),
        }
    )
    return report


async def _press_all(site: LiveSite, repeats: int) -> list[float]:
    pool = PoolClient(site.socket_path)
    moments = random.Random(1)
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            page = await browser.new_page()
            await page.goto(f"http://127.0.0.1:{site.port}/")
            samples: list[float] = []
            for _ in range(MAX_TRIES * repeats):
                # An answer that was complete before the click does not count.
                sample = await _press_once(page, pool, moments)
                if sample is not None:
                    samples.append(sample)
                if len(samples) == repeats:
                    break
            await browser.close()
    finally:
        await pool.close()
    return samples


async def _press_once(page: Page, pool: PoolClient, moments: random.Random) -> float | None:
    await page.get_by_role("button", name="New chat").first.click()
    box = page.get_by_role("textbox", name="Your message")
    await box.fill("Tell me a story")
    await box.press("Enter")
    await page.locator(".turn:last-child .answer__text:not([hidden])").wait_for()
    await asyncio.sleep(moments.random() * LATEST_S)
    started = time.perf_counter()
    async with asyncio.timeout(TIMEOUT_S):
        free = asyncio.create_task(_wait_until_free(pool))
        try:
            await page.get_by_role("button", name="Stop", exact=True).click()
            free_ms = (await free - started) * 1000
        finally:
            free.cancel()
    last = page.locator(".turn:last-child .answer--finished")
    await last.wait_for()
    return free_ms if "Stopped" in await last.inner_text() else None


async def _wait_until_free(pool: PoolClient) -> float:
    while (await pool.status()).num_running:
        await asyncio.sleep(LOOK_EVERY_S)
    return time.perf_counter()
