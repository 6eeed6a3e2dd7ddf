"""The record of finished attempts in a real Redis: claims, their age, lost answers, and Redis away and back."""

import asyncio
import inspect
import socket
import subprocess
import sys
import threading
import traceback
from contextlib import closing

import pytest
import redis

import smartcar_auth.web
from redis_server import RedisServer, wait_for
from smartcar_auth import ConfigurationError
from smartcar_auth.web import RedisStore, Store
from web.browser import ATTEMPT, Browser, Site


@pytest.fixture(scope="module")
def server():
    """One redis-server for these tests."""
    started = RedisServer()
    yield started
    started.stop()


@pytest.fixture
def keys(server):
    """A client of the test's own, on an empty Redis."""
    with server.client(decode_responses=True) as client:
        client.flushall()
        yield client


def made(kind, url):
    """A store with the client that `kind` names."""
    asynchronous, decoding = "asyncio" in kind, "decoding" in kind
    library = redis.asyncio if asynchronous else redis
    return RedisStore(library.from_url(url, decode_responses=decoding))


class Waiting:
    """The same methods for either kind of store: what is awaitable is awaited, in one loop."""

    def __init__(self, store, runner):
        self._store = store
        self._runner = runner

    def __getattr__(self, name):
        method = getattr(self._store, name)

        async def wait_for_it(awaitable):
            return await awaitable

        def call(*args):
            result = method(*args)
            return self._runner.run(wait_for_it(result)) if inspect.isawaitable(result) else result

        return call


@pytest.fixture(params=["sync", "sync decoding", "asyncio", "asyncio decoding"])
def store(request, server, keys):
    """A store with each kind of client."""
    with asyncio.Runner() as runner:
        store = made(request.param, server.url)
        yield Waiting(store, runner)
        if not store.blocking:
            runner.run(store._client.aclose())
        else:
            store._client.close()


def test_claim_counts_once(store):
    """The first claim wins; a later one learns what the first recorded."""
    assert store.claim("a", "running", 60) is None
    assert store.claim("a", "other", 60) == "running"
    assert store.claim("b", "other", 60) is None


def test_settle_replaces_the_value(store):
    """After settling, everybody sees the outcome, spaces and all."""
    store.claim("a", "running", 60)
    store.settle("a", '["granted",null,"A car"]', 60)
    assert store.find("a") == '["granted",null,"A car"]'
    assert store.claim("a", "again", 60) == '["granted",null,"A car"]'


def test_find_knows_nothing_of_pending_attempts(store):
    """What nobody claimed is not there."""
    assert store.find("a") is None


def test_record_expires_when_its_time_is_over(store, keys):
    """Claim and outcome have the age they were given; once it is over the attempt may be claimed again."""
    store.claim("a", "running", 60)
    assert 0 < keys.ttl("smartcar-auth:a") <= 60
    store.settle("a", "granted", 90)
    assert 60 < keys.ttl("smartcar-auth:a") <= 90
    store.claim("b", "granted", 60)
    keys.pexpire("smartcar-auth:b", 1)
    wait_for("the record expires", lambda: store.find("b") is None)
    assert store.claim("b", "again", 60) is None


def test_claim_takes_one_command_unless_it_is_refused(store, keys):
    """The common way costs one round trip, a refusal two, and neither needs more than Redis 2.6.12."""
    store.find("warm the connection")
    keys.config_resetstat()
    store.claim("a", "running", 60)
    assert commands(keys) == {"set": 1}
    store.claim("a", "running", 60)
    assert commands(keys) == {"set": 2, "get": 1}


def commands(keys):
    """How often Redis carried out which command."""
    counted = {name.removeprefix("cmdstat_"): one["calls"] for name, one in keys.info("commandstats").items()}
    return {
        name: calls for name, calls in counted.items() if name in ("set", "get", "setnx", "eval", "multi")
    }


def test_record_that_expires_between_refusal_and_look_is_claimed_again(server, keys):
    """The value that refused the claim has expired when it is read: the claim is made again, and counts."""
    with Interruption(server.port, b"SET") as between:
        store = RedisStore.from_url(between.url)
        keys.set("smartcar-auth:a", " granted", ex=60)
        between.afterwards = lambda: keys.delete("smartcar-auth:a")
        assert store.claim("a", "running", 60) is None
        assert store.find("a") == "running"
        store._client.close()


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "asyncio"])
def test_claim_whose_answer_is_lost_still_counts(server, keys, asynchronous):
    """The connection breaks after Redis recorded the claim: the client's second try is known as the same claim."""
    with Interruption(server.port, b"SET", cut=True) as between, asyncio.Runner() as runner:
        store = RedisStore.from_url(between.url, asyncio=asynchronous)
        waiting = Waiting(store, runner)
        assert waiting.claim("a", "running", 60) is None
        assert between.cuts == 1
        assert waiting.claim("a", "running", 60) == "running"
        if asynchronous:
            runner.run(store._client.aclose())
        else:
            store._client.close()


class Interruption:
    """A way to Redis on which something happens, once, after Redis has carried out a command.

    Args:
        port: Of Redis.
        command: Whose answer is held while `afterwards` runs.
        cut: Whether the answer is then dropped and the connection closed.
    """

    def __init__(self, port, command, *, cut=False):
        self._port = port
        self._command = command
        self._cut = cut
        self.cuts = 0
        self.afterwards = lambda: None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self):
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._pass, args=(client,), daemon=True).start()

    def _pass(self, client):
        with closing(client), socket.create_connection(("127.0.0.1", self._port)) as upstream:
            while asked := client.recv(65536):
                upstream.sendall(asked)
                answer = upstream.recv(65536)
                if self._command in asked.upper() and b"\r\nNX\r\n" in asked.upper():
                    command, self._command = self._command, b"once only"
                    assert command
                    self.afterwards()
                    if self._cut:
                        self.cuts += 1
                        return
                client.sendall(answer)


def test_one_of_many_threads_wins_each_claim(server, keys):
    """Of many threads with two stores that claim at once, one wins each attempt."""
    stores = [RedisStore.from_url(server.url) for _ in range(2)]
    barrier = threading.Barrier(8)
    won = []

    def claim(store):
        barrier.wait()
        for number in range(100):
            if store.claim(str(number), "running", 60) is None:
                won.append(number)

    threads = [threading.Thread(target=claim, args=(stores[turn % 2],)) for turn in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == list(range(100))
    for store in stores:
        store._client.close()


async def many_claims(url):
    """How many of 100 tasks win, when all claim the same attempt at once."""
    store = RedisStore.from_url(url, asyncio=True)
    answers = await asyncio.gather(*(store.claim("a", "running", 60) for _ in range(100)))
    await store._client.aclose()
    return answers.count(None)


@pytest.mark.usefixtures("keys")
def test_one_of_many_tasks_wins_the_claim(server):
    """Of many tasks in one event loop, one wins."""
    with asyncio.Runner() as runner:
        assert runner.run(many_claims(server.url)) == 1


def test_prefix_keeps_two_applications_apart(server, keys):
    """Each prefix is a record of its own, and every key begins with it."""
    one = RedisStore(server.client(), prefix="one:")
    other = RedisStore.from_url(server.url, prefix="other:")
    assert one.claim("a", "running", 60) is None
    assert other.claim("a", "running", 60) is None
    assert sorted(keys.scan_iter()) == ["one:a", "other:a"]
    one._client.close()
    other._client.close()


def test_store_says_whether_it_blocks(server):
    """A host in an event loop runs the plain client in a thread and the asyncio client in the loop."""
    assert RedisStore.from_url(server.url).blocking is True
    assert RedisStore.from_url(server.url, asyncio=True).blocking is False


def test_redis_away_raises_and_redis_back_works(server, store):
    """Nothing is believed while Redis is away; the same store works again when it is back."""
    assert store.claim("a", "running", 60) is None
    server.stop()
    try:
        for failing in (
            lambda: store.claim("b", "running", 60),
            lambda: store.settle("a", "granted", 60),
            lambda: store.find("a"),
        ):
            with pytest.raises(redis.ConnectionError):
                failing()
    finally:
        server.start()
    assert store.claim("b", "running", 60) is None
    assert store.find("b") == "running"


def test_from_url_does_not_wait_for_long(server):
    """A Redis that never answers costs seconds, not minutes: connecting and reading end after two."""
    for asynchronous in (False, True):
        options = RedisStore.from_url(
            server.url, asyncio=asynchronous
        )._client.connection_pool.connection_kwargs
        assert (options["socket_connect_timeout"], options["socket_timeout"]) == (2, 2)


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "asyncio"])
@pytest.mark.parametrize(
    "url",
    [
        "http://:sesame@localhost",
        "redis://:sesame/word@localhost",
        "redis://:x@localhost:sesame",
        "redis://:sesame@[localhost",
        "redis://:sesame@localhost/0?socket_timeout=sesame",
        None,
        6379,
    ],
)
def test_unreadable_address_is_refused_without_repeating_it(url, asynchronous):
    """An address can hold a password, so what is wrong with it is said without it."""
    with pytest.raises(ConfigurationError) as caught:
        RedisStore.from_url(url, asyncio=asynchronous)
    assert "redis://" in str(caught.value)
    assert "sesame" not in "".join(traceback.format_exception(caught.value))


def test_password_shows_nowhere_in_the_store(server):
    """Neither repr nor the error of a refused password tells it."""
    store = RedisStore.from_url(server.url.replace("://", "://nobody:sesame@"))
    assert "sesame" not in repr(store)
    with pytest.raises(redis.AuthenticationError) as caught:
        store.find("a")
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize("client", ["redis://localhost", None, object()])
def test_what_is_no_client_is_refused_in_words(client):
    """An address in place of a client is a mistake easily made; the message says what to write."""
    with pytest.raises(ConfigurationError, match="from_url"):
        RedisStore(client)


def test_store_is_what_the_routes_ask_for(server, keys):
    """Whole attempts over two workers with one Redis: a copied cookie finds the attempt finished."""
    store = RedisStore.from_url(server.url)
    first = Site(store=store)
    second = Site(store=RedisStore.from_url(server.url), clock=first.clock)
    browser = Browser(first)
    state = browser.popup()
    copied = dict(browser.jar)
    browser.answer(state)
    browser.site = second
    browser.jar = copied
    assert browser.status()[1]["outcome"] == "granted"
    assert browser.answer(state).status == 400
    assert (len(first.completed), len(second.completed), second.causes) == (1, 0, ["replayed"])
    assert [one.partition(".")[0] for one in keys.scan_iter()] == [f"smartcar-auth:{ATTEMPT}"]
    typed: Store = store
    assert typed is store


def test_redis_is_loaded_only_when_asked_for():
    """`smartcar_auth.web` loads no redis; its `RedisStore` does; other names are still missing."""
    script = (
        "import sys, smartcar_auth.web as web; assert 'redis' not in sys.modules; "
        "web.RedisStore; assert 'redis' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    with pytest.raises(AttributeError, match="'RedisStores'"):
        smartcar_auth.web.RedisStores  # noqa: B018


def test_missing_redis_is_said_in_words():
    """Without redis-py the import names the extra that brings it."""
    script = "import sys; sys.modules['redis'] = None; from smartcar_auth.web import RedisStore"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 1
    assert 'ImportError: RedisStore needs redis-py: pip install "smartcar-auth[redis]"' in done.stderr
