"""The long run: memory over a million launches and many whole flows, then noise against every route.

`python -m benchmarks.soak [--launches N] [--flows N] [--fuzz-seconds N] [--seed N]`, about five minutes. It stops by
itself: each part has a deadline too. Exit status 1 means that the noise found something, not that it was slow.
"""

import argparse
import asyncio
import gc
import logging
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote_from_bytes

from starlette.applications import Starlette
from starlette.routing import Mount

from smartcar_auth import AuthorizationResponse, Smartcar, SmartcarAuthError
from smartcar_auth.hosts.starlette import SmartcarConnect
from smartcar_auth.web import ProcessStore

from .asgi import HOST, Answers, Scope, cookie, get, receive
from .auth_url import APPLICATION_ID
from .starlette_routes import callback_of, launch_query

SECRET = "not-a-secret-in-a-soak-run-but-long-enough"
STEPS = 10
BATCH = 500
SAME_ORIGIN = (b"sec-fetch-site", b"same-origin")
ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
# What must never come back as markup, wherever it was put in.
MARKUP = b"\"><x-soak onload=1>'&"
NASTY = [
    MARKUP,
    b"\r\nSet-Cookie: soaked=1",
    b"\x00\xff\xfe",
    b"%",
    b"%ff%fe",
    b"%00",
    b"%ED%A0%80",
    b"=",
    b"&",
    b";",
    b"+",
    b"//evil.example",
    b"/%5cevil.example",
    b"https://evil.example",
    b"A" * 5000,
    "ü漢".encode(),
]
NAMES = [
    b"state",
    b"code",
    b"error",
    b"error_description",
    b"vin",
    b"attempt",
    b"display",
    b"origin",
    b"module",
    b"return_to",
    b"make",
    b"single_select",
    b"force_prompt",
    b"sealed",
    b"flags",
    b"user",
]
HEADERS = [
    b"cookie",
    b"host",
    b"origin",
    b"sec-fetch-site",
    b"sec-fetch-dest",
    b"sec-purpose",
    b"if-none-match",
]


class Application:
    """The routes under soak, with what the application's functions saw."""

    def __init__(self) -> None:
        self.store = ProcessStore()
        self.granted = 0
        self.errors: Counter[str] = Counter()
        connect = SmartcarConnect(
            Smartcar(application_id=APPLICATION_ID, scope=["read_odometer"]),
            secret_keys=[SECRET],
            store=self.store,
            allowed_origins=["http://localhost:5173"],
        )

        @connect.on_complete
        async def connected(request: Any, response: AuthorizationResponse) -> dict[str, str]:
            self.granted += 1
            return {"message": "Vehicle added"}

        @connect.on_error
        async def failed(request: Any, error: SmartcarAuthError) -> None:
            self.errors[error.code] += 1

        self.asgi = Starlette(routes=[Mount("/smartcar", routes=connect.routes)])

    async def answers(self, scopes: list[Scope]) -> Answers:
        answers = Answers()
        for scope in scopes:
            await self.asgi(scope, receive, answers.send)
        return answers


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description="The long run.")
    parser.add_argument("--launches", type=int, default=1_000_000)
    parser.add_argument("--flows", type=int, default=100_000)
    parser.add_argument("--fuzz-seconds", type=float, default=60)
    parser.add_argument("--part-seconds", type=float, default=400, help="deadline of each part")
    parser.add_argument("--seed", type=int, default=None, help="of the noise; printed when not given")
    given = parser.parse_args(arguments)
    logging.getLogger("smartcar_auth").setLevel(logging.CRITICAL)  # a million refusals are no news here
    seed = random.randrange(2**32) if given.seed is None else given.seed
    application = Application()
    asyncio.run(_launches(application, given.launches, given.part_seconds))
    asyncio.run(_flows(application, given.flows, given.part_seconds))
    return asyncio.run(
        _fuzz(application, min(given.fuzz_seconds, given.part_seconds), random.Random(seed), seed)
    )


async def _launches(application: Application, count: int, deadline_seconds: float) -> None:
    print(f"{count:,} launches, none of them answered; nothing may be kept for a pending attempt")

    async def launch(size: int) -> None:
        # Without a Host header the server's own address counts, as with HTTP/1.0.
        scopes = [get("/smartcar/launch", launch_query(), [SAME_ORIGIN]) for _ in range(size)]
        answers = await application.answers(scopes)
        _expect(answers, 303)

    await _steps(launch, count, deadline_seconds, application)


async def _flows(application: Application, count: int, deadline_seconds: float) -> None:
    print(f"{count:,} launches with their callbacks; what is kept of finished attempts is bounded")
    before = application.granted

    async def flow(size: int) -> None:
        scopes = [get("/smartcar/launch", launch_query(), [HOST, SAME_ORIGIN]) for _ in range(size)]
        launched = await application.answers(scopes)
        answered = await application.answers([callback_of(start) for start in launched.starts])
        _expect(answered, 200)

    done = await _steps(flow, count, deadline_seconds, application)
    if application.granted - before != done + BATCH:
        raise AssertionError(f"on_complete ran {application.granted - before} times for {done + BATCH} flows")


async def _steps(work: Any, count: int, deadline_seconds: float, application: Application) -> int:
    await work(BATCH)  # what is made once and kept isn't growth
    _report(0, application, 0.0)
    started = time.monotonic()
    done = reported = 0
    while done < count:
        size = min(BATCH, count - done)
        await work(size)
        done += size
        if done * STEPS // count > reported:
            reported = done * STEPS // count
            _report(done, application, time.monotonic() - started)
        if time.monotonic() - started > deadline_seconds:
            print(f"  deadline: stopped after {done:,}")
            break
    return done


def _report(done: int, application: Application, seconds: float) -> None:
    gc.collect()
    rate = f"{done / seconds:8,.0f}/s" if seconds else ""
    print(
        f"  {done:>9,}  RSS {_rss_megabytes():6.1f} MB  {len(gc.get_objects()):>7,} objects  "
        f"{len(application.store):>6,} finished attempts kept  {rate}",
        flush=True,
    )


def _rss_megabytes() -> float:
    try:
        with open("/proc/self/statm") as statm:
            return int(statm.read().split()[1]) * 4096 / 1e6
    except OSError:  # no Linux: the most it ever was
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def _expect(answers: Answers, status: int) -> None:
    found = Counter(start["status"] for start in answers.starts)
    if set(found) != {status}:
        raise AssertionError(f"expected {status} only, found {dict(found)}")


# -- noise


async def _fuzz(application: Application, seconds: float, noise: random.Random, seed: int) -> int:
    print(f"{seconds:g} s of noise against every route, seed {seed}")
    statuses: Counter[int] = Counter()
    found: list[str] = []
    before = application.granted
    ends = time.monotonic() + seconds
    whole = 0
    while time.monotonic() < ends and len(found) < 10:
        # A real flow in the midst, so that noise also meets states and cookies that are nearly right.
        launch = get("/smartcar/launch", launch_query(), [HOST, SAME_ORIGIN])
        start = (await application.answers([launch])).starts[0]
        callback = callback_of(start)
        for _ in range(40):
            scope = _noisy(noise, callback, start)
            found += await _try(application, scope, statuses)
        if (await application.answers([callback])).starts[0]["status"] != 200:
            found.append(f"the rightful answer was refused after noise: {callback['query_string']!r}")
        else:
            whole += 1
    counted = ", ".join(f"{status}: {count:,}" for status, count in sorted(statuses.items()))
    print(f"  {statuses.total():,} requests ({counted}), {whole:,} flows unharmed in their midst")
    print(f"  on_error was told: {dict(application.errors.most_common())}")
    if application.granted - before != whole:
        found.append(f"on_complete ran {application.granted - before} times for {whole} rightful answers")
    for one in found:
        print(f"  FOUND {one}")
    print("  nothing found" if not found else f"  {len(found)} found; run again with --seed {seed}")
    return 1 if found else 0


async def _try(application: Application, scope: Scope, statuses: Counter[int]) -> list[str]:
    what = f"{scope['method']} {scope['path']!r} {scope['query_string'][:300]!r} {scope['headers'][-3:]!r}"
    answers = Answers()
    try:
        await application.asgi(scope, receive, answers.send)
    except Exception as error:
        return [f"{type(error).__name__}: {error} for {what}"]
    [start] = answers.starts
    statuses[start["status"]] += 1
    body = b"".join(m.get("body", b"") for m in answers.messages if m["type"] == "http.response.body")
    found = []
    if start["status"] >= 500 and start["status"] != 503:  # 503 is for prefetches
        found.append(f"{start['status']} for {what}")
    if any(character in value for _, value in start["headers"] for character in b"\r\n\0"):
        found.append(f"a header with a line end for {what}")
    if b"<x-soak" in body:
        found.append(f"markup unescaped for {what}")
    if any(
        name == b"location" and b"evil.example" in value.partition(b"?")[0]
        for name, value in start["headers"]
    ):
        found.append(f"a redirect elsewhere for {what}")
    return found


def _noisy(noise: random.Random, callback: Scope, start: dict[str, Any]) -> Scope:
    """A request that nobody meant: pure noise, or the callback with a broken state or cookie."""
    ours = cookie(start)
    before, _, state = callback["query_string"].partition(b"&state=")
    state, _, after = state.partition(b"&")
    kind = noise.randrange(6)
    headers = [HOST]
    if kind == 0:
        path, query = "/smartcar/callback", _noisy_query(noise)
    elif kind == 1:
        path, query = "/smartcar/callback", before + b"&state=" + _broken(noise, state) + b"&" + after
        headers.append(ours)
    elif kind == 2:
        path, query = "/smartcar/callback", callback["query_string"]
        name, _, value = ours[1].partition(b"=")
        headers.append((b"cookie", name + b"=" + _broken(noise, value)))
    elif kind == 3:
        path, query = "/smartcar/launch", _noisy_query(noise)
    elif kind == 4:
        path, query = "/smartcar/status/" + _noisy_text(noise), _noisy_query(noise)
        headers.append(ours)
    else:
        path, query = "/smartcar/launch", launch_query() + b"&" + _noisy_query(noise)
        headers.append(ours)
    if noise.random() < 0.3:
        headers.append((noise.choice(HEADERS), _piece(noise).replace(b"\r\n", b"")))
    scope = get(path, query, headers)
    if path.startswith("/smartcar/status") and noise.random() < 0.3:
        scope |= {"method": "POST", "path": path.replace("status", "cancel", 1)}
    elif noise.random() < 0.05:
        scope["method"] = noise.choice(["HEAD", "POST", "PUT", "OPTIONS"])
    return scope


def _piece(noise: random.Random) -> bytes:
    if noise.random() < 0.5:
        return noise.choice(NASTY)
    return noise.randbytes(noise.randrange(40))


def _noisy_query(noise: random.Random) -> bytes:
    fields = []
    for _ in range(noise.randrange(6)):
        name = noise.choice(NAMES) if noise.random() < 0.8 else _piece(noise)
        value = _piece(noise)
        if noise.random() < 0.5:
            value = quote_from_bytes(value).encode()
        fields.append(name + b"=" + value)
    return b"&".join(fields)


def _noisy_text(noise: random.Random) -> str:
    return _piece(noise).decode("utf-8", "replace").replace("/", "")


def _broken(noise: random.Random, sealed: bytes) -> bytes:
    """The same seal with one character more, less or other: whatever it is, it is not ours."""
    at = noise.randrange(len(sealed))
    other = noise.choice([character for character in ALPHABET if character != sealed[at]])
    kind = noise.randrange(4)
    if kind == 0:
        return sealed[:at]
    rest = {1: sealed[at:], 2: sealed[at + 1 :], 3: sealed[at + 1 :]}[kind]
    return sealed[:at] + (b"" if kind == 3 else bytes([other])) + rest


if __name__ == "__main__":
    sys.exit(main())
