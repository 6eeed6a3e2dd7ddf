"""Under load: whole attempts over two uvicorn workers and one Redis, while workers are killed and restarted.

`python -m benchmarks.load [--attempts N] [--kills N]`: 50,000 attempts and five kills take some minutes. Exit status 1
means that something was answered wrongly, ran twice or can't be explained, not that it was slow. `python -m
benchmarks.load --cost` measures instead what a launch, a callback and a status cost a worker (docs/scaling.md).

Every attempt is a browser of its own: it launches, takes the state from the way out to Connect, brings it back with a
code, and asks for the status. It sends each step to either worker. Where a connection breaks it repeats that step once,
at the other worker, as a person who reloads would. What is called lost is lost by evidence: the claim that a killed
worker left behind in Redis, and the broken connection to that very process.
"""

import argparse
import asyncio
import hashlib
import logging
import os
import random
import re
import secrets
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import redis.asyncio
from starlette.applications import Starlette
from starlette.routing import Mount

from smartcar_auth import AuthorizationResponse, Smartcar
from smartcar_auth.hosts.starlette import SmartcarConnect
from smartcar_auth.web import RedisStore
from smartcar_auth.web.attempt import digest_of

from .auth_url import APPLICATION_ID
from .over_http import Broken, Connection, Worker, redis_server

SECRET = "not-a-secret-in-a-load-run-but-long-enough"
PREFIX = "smartcar-auth:"
RUNS = "load:runs"  # a hash: how often on_complete began, by what the code hashes to
FLIGHT = 32
STORES = ("process", "redis", "asyncio")  # one per worker; redis-py's plain client; its client for asyncio


def application() -> Starlette:
    """What a worker serves: `on_complete` notes that it began, and answers what only this code's owner can know."""
    logging.getLogger("smartcar_auth").setLevel(logging.CRITICAL)  # refusals are counted, not read
    url, kind = os.environ["LOAD_REDIS"], os.environ["LOAD_STORE"]
    store = None if kind == "process" else RedisStore.from_url(url, asyncio=kind == "asyncio")
    counting = redis.asyncio.from_url(url) if os.environ["LOAD_COUNTS"] else None
    connect = SmartcarConnect(
        Smartcar(application_id=APPLICATION_ID, scope=["read_odometer"]), secret_keys=[SECRET], store=store
    )

    @connect.on_complete
    async def connected(request: Any, response: AuthorizationResponse) -> dict[str, str]:
        mark = mark_of(str(response.code))
        if counting is not None:
            await counting.hincrby(RUNS, mark, 1)
        return {"mark": mark}

    return Starlette(routes=[Mount("/smartcar", routes=connect.routes)])


def _worker(url: str, store: str, *, counts: bool = True) -> Worker:
    environment = {"LOAD_REDIS": url, "LOAD_STORE": store, "LOAD_COUNTS": "yes" if counts else ""}
    return Worker("benchmarks.load:application", environment)


def mark_of(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()[:16]


@dataclass
class Attempt:
    """One attempt, as its browser and this run know it."""

    id: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    code: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    state: str = ""
    pending: str = ""  # the cookie
    outcome: str = ""  # the cookie
    broken: list[tuple[str, Worker, int]] = field(default_factory=list)  # step, worker, its generation
    end: str = "unfinished"

    @property
    def answer(self) -> str:
        """What `on_complete` returns for its code, as JSON."""
        return f'{{"mark": "{mark_of(self.code)}"}}'

    @property
    def key(self) -> str:
        return f"{PREFIX}{self.id}.{digest_of(self.state)}"


class Wrong(Exception):
    """An answer that nobody should get."""


def _cookie_of(attempt: Attempt, headers: dict[str, str]) -> str:
    name, _, value = headers["set-cookie"].partition(";")[0].partition("=")
    if name != f"smartcar-{attempt.id}" or not value:
        raise Wrong(f"the cookie is {name}")
    return f"{name}={value}"


class Browsers:
    """Some connections to both workers, on which one attempt after the other is made."""

    def __init__(self, workers: Sequence[Worker]) -> None:
        self._connections = [Connection(worker) for worker in workers]

    def close(self) -> None:
        for connection in self._connections:
            connection.close()

    async def step(
        self, attempt: Attempt, name: str, path: str, cookies: str
    ) -> tuple[int, dict[str, str], str]:
        """One step at either worker, repeated once at the other if the connection breaks."""
        first, *others = random.sample(self._connections, len(self._connections))
        try:
            return await first.ask(path, cookies)
        except Broken:
            attempt.broken.append((name, first.worker, first.generation))
        other = others[0] if others else first
        try:
            return await other.ask(path, cookies, fresh=True)
        except Broken:
            attempt.broken.append((name, other.worker, other.generation))
            raise

    async def launch(self, attempt: Attempt) -> None:
        path = f"launch?attempt={attempt.id}&display=popup"
        status, headers, _ = await self.step(attempt, "launch", path, "")
        if status != 303:
            raise Wrong(f"launch answered {status}")
        attempt.state = parse_qs(urlsplit(headers["location"]).query)["state"][0]
        attempt.pending = _cookie_of(attempt, headers)

    async def callback(self, attempt: Attempt) -> bool:
        """Whether the page says granted; otherwise it says that the answer was used, after a broken connection."""
        path = f"callback?code={attempt.code}&state={attempt.state}"
        before = len(attempt.broken)
        status, headers, page = await self.step(attempt, "callback", path, attempt.pending)
        told = {name: unescape(value) for name, value in re.findall(r'data-([a-z-]+)="([^"]*)"', page)}
        right = {"outcome": "granted", "smartcar-attempt": attempt.id, "data": attempt.answer}
        if status == 200 and {name: told.get(name) for name in right} == right:
            attempt.outcome = _cookie_of(attempt, headers)
            return True
        if status == 400 and len(attempt.broken) > before and "used before" in page:
            return False
        raise Wrong(f"callback answered {status} {told.get('outcome')} {told.get('code')}")

    async def status(self, attempt: Attempt) -> str:
        cookie = attempt.outcome or attempt.pending
        status, _, body = await self.step(attempt, "status", f"status/{attempt.id}", cookie)
        if status == 200 and attempt.answer in body and '"granted"' in body:
            return "granted"
        if status == 200 and not attempt.outcome and '"outcome": "pending"' in body:
            return "pending"
        raise Wrong(f"status answered {status} {body[:80]}")

    async def whole(self, attempt: Attempt) -> None:
        """Launch, callback, status; how it ended goes into the attempt."""
        try:
            await self.launch(attempt)
            granted = await self.callback(attempt)
            status = await self.status(attempt)
            if status == "granted":
                attempt.end = "answered" if granted else "answered by the status"
            else:
                attempt.end = "lost"
        except Broken:
            attempt.end = "lost"
        except Wrong as wrong:
            attempt.end = f"WRONG: {wrong}"


# -- the run


async def under_load(workers: Sequence[Worker], count: int, kills: int) -> list[Attempt]:
    """All attempts, `FLIGHT` at a time, with the kills spread evenly over them."""
    attempts = [Attempt() for _ in range(count)]
    waiting = iter(attempts)
    begun = 0
    marks = [count * (number + 1) // (kills + 1) for number in range(kills)]
    reached = [asyncio.Event() for _ in marks]
    started = time.monotonic()

    async def browse() -> None:
        nonlocal begun
        browsers = Browsers(workers)
        for attempt in waiting:
            begun += 1
            for event, at in zip(reached, marks, strict=True):
                if begun == at:
                    event.set()
            await browsers.whole(attempt)
        browsers.close()

    async def kill() -> None:
        for number in range(kills):
            await reached[number].wait()
            worker = workers[number % len(workers)]
            worker.kill()
            worker.start()
            await asyncio.to_thread(worker.wait)
            seconds = time.monotonic() - started
            print(f"  {begun:>7,} begun after {seconds:5.1f} s: a worker was killed and is back", flush=True)

    await asyncio.gather(kill(), *(browse() for _ in range(FLIGHT)))
    print(f"  {count:>7,} ended after {time.monotonic() - started:5.1f} s", flush=True)
    return attempts


async def judge(attempts: Sequence[Attempt], url: str) -> list[str]:
    """Count the ends and hold them against what Redis knows; what doesn't fit together."""
    async with redis.asyncio.from_url(url, decode_responses=True) as client:
        runs = {mark: int(count) for mark, count in (await client.hgetall(RUNS)).items()}
        lost = [one for one in attempts if one.end == "lost"]
        left = {one.id: await client.get(one.key) if one.state else None for one in lost}
    ends = Counter("lost" if one.end == "lost" else one.end for one in attempts)
    times = Counter(runs.get(mark_of(one.code), 0) for one in attempts)
    print(f"  ended: {_counted(ends)}")
    print(f"  on_complete ran: {', '.join(f'{n} times for {c:,}' for n, c in sorted(times.items()))}")
    broken = [(attempt, *one) for attempt in attempts for one in attempt.broken]
    print(f"  connections broken during: {_counted(Counter(step for _, step, _, _ in broken))}")
    found = [f"{end} ({count:,} times)" for end, count in ends.items() if end.startswith(("WRONG", "unf"))]
    found += [
        f"a connection to a worker that was not killed broke during {step}"
        for _, step, worker, generation in broken
        # A refused connection is to the generation that is starting: the one before it was killed.
        if not {generation, generation - 1} & worker.killed
    ]
    if strangers := runs.keys() - {mark_of(attempt.code) for attempt in attempts}:
        found.append(f"on_complete ran for {len(strangers)} codes that nobody sent")
    for attempt in attempts:
        ran = runs.get(mark_of(attempt.code), 0)
        if ran > 1 or (attempt.end.startswith("answered") and ran != 1):
            found.append(f"on_complete ran {ran} times for an attempt that ended as: {attempt.end}")
    why: Counter[str] = Counter()
    for attempt in lost:
        claim, ran = left[attempt.id] or "", runs.get(mark_of(attempt.code), 0)
        steps = [step for step, _, _ in attempt.broken]
        if " running" in claim and "callback" in steps:
            function = "while on_complete ran" if ran else "before on_complete began"
            why[f"killed between claim and outcome, {function}"] += 1
        elif len(set(steps)) < len(steps):
            why[f"both tries of {steps[-1]} broken"] += 1
        else:
            found.append(f"an attempt was lost without a reason: broken during {steps}, claim {claim!r}")
    print(f"  lost: {_counted(why)}")
    return found


def _counted(counter: Counter[str]) -> str:
    return ", ".join(f"{name}: {count:,}" for name, count in counter.most_common()) or "none"


async def usage(url: str, workers: Sequence[Worker], count: int) -> None:
    """What the run took from workers and Redis."""
    async with redis.asyncio.from_url(url) as client:
        keys = [key async for key in client.scan_iter(match=f"{PREFIX}*", count=1000)]
        sample = random.sample(keys, min(1000, len(keys)))
        sizes = [await client.memory_usage(key) or 0 for key in sample]
        info = await client.info("all")

    def calls(command: str) -> int:
        return int(info.get(f"cmdstat_{command}", {"calls": 0})["calls"])

    size = sum(sizes) / max(1, len(sizes))
    microseconds = sum(worker.processor_seconds() for worker in workers) / count * 1e6
    processor = (info["used_cpu_user"] + info["used_cpu_sys"]) / count * 1e6
    print(f"  processor time per attempt: workers {microseconds:,.0f} us, Redis {processor:,.0f} us")
    print(
        f"  Redis: {len(keys):,} records, {size:.0f} bytes each by MEMORY USAGE; per attempt "
        f"{info['total_net_input_bytes'] / count:.0f} bytes in and {info['total_net_output_bytes'] / count:.0f} out; "
        f"{calls('set') / count:.2f} SET, {calls('get') / count:.2f} GET"
    )


async def costs(count: int) -> None:
    """Processor time of one worker per request, step by step, with each store."""
    print("store    step       us of processor time  requests/s per core  bytes asked  bytes answered")
    for store in STORES:
        with redis_server() as url:
            worker = _worker(url, store, counts=False)
            worker.wait()
            lanes = [Browsers([worker]) for _ in range(FLIGHT)]
            attempts = [Attempt() for _ in range(count)]
            for name in ("launch", "callback", "status"):
                share = [attempts[lane::FLIGHT] for lane in range(FLIGHT)]
                before, asked, answered = worker.processor_seconds(), worker.asked, worker.answered
                steps: list[Callable[[Attempt], Awaitable[Any]]] = [getattr(one, name) for one in lanes]
                await asyncio.gather(*(_each(step, part) for step, part in zip(steps, share, strict=True)))
                taken = (worker.processor_seconds() - before) / count * 1e6
                ask, told = (worker.asked - asked) / count, (worker.answered - answered) / count
                print(
                    f"{store:8} {name:9} {taken:22.0f} {1e6 / taken:20,.0f} {ask:12,.0f} {told:15,.0f}",
                    flush=True,
                )
            for lane in lanes:
                lane.close()
            worker.stop()


async def _each(step: Callable[[Attempt], Awaitable[Any]], attempts: Sequence[Attempt]) -> None:
    for attempt in attempts:
        await step(attempt)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.load", description="Whole attempts under load."
    )
    parser.add_argument("--attempts", type=int, default=50_000)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--cost", action="store_true", help="measure processor time per request instead")
    parser.add_argument(
        "--store",
        choices=STORES,
        default="asyncio",
        help="'process' shows what is found without a shared one",
    )
    given = parser.parse_args(arguments)
    if given.cost:
        asyncio.run(costs(given.attempts))
        return 0
    print(f"{given.attempts:,} attempts over two workers and one Redis, {given.kills} kills", flush=True)
    with redis_server() as url:
        workers = [_worker(url, given.store) for _ in range(2)]
        try:
            for worker in workers:
                worker.wait()
            attempts = asyncio.run(under_load(workers, given.attempts, given.kills))
            found = asyncio.run(judge(attempts, url))
            asyncio.run(usage(url, workers, given.attempts))
        finally:
            for worker in workers:
                worker.stop()
    for one in found[:20]:
        print(f"  FOUND {one}")
    print("  nothing found" if not found else f"  {len(found):,} found")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
