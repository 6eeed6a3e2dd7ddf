"""Four workers with one Redis: an attempt counts once among all of them, and not at all while Redis is away."""

from collections import Counter

import pytest

from deployment.deployed import Deployment, Raw, at_once, attempt_id, callback, told, uvicorn, words
from redis_server import RedisServer


@pytest.fixture(scope="module")
def server():
    """Their Redis."""
    started = RedisServer()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def workers(server, tmp_path_factory):
    """Two with redis-py's plain client, two with the one for asyncio."""
    deployment = Deployment(tmp_path_factory.mktemp("workers"))
    deployment.start(
        *(
            uvicorn(deployment.folder, f"w{number}", redis=server.url, asyncio=number % 2 == 1)
            for number in range(4)
        )
    )
    yield deployment
    deployment.end()


def test_simultaneous_deliveries_of_one_answer_run_the_function_once(workers):
    """200 deliveries with a copied cookie over all workers: one is granted, the others were used before."""
    ports = [worker.port for worker in workers.workers]
    browser = workers.browser(workers.workers[0].origin)
    path = callback(browser.launch(), "code-200")
    before = len(workers.errors())
    answers = at_once([Raw(ports[turn % 4], path, browser.cookies()) for turn in range(200)])
    assert Counter(status for status, _ in answers) == {200: 1, 400: 199}
    for status, page in answers:
        if status == 200:
            assert told(page)["outcome"] == "granted"
        else:
            assert told(page) == {}
            assert "This answer was used before" in words(page)
    assert workers.completed()["code-200"] == 1
    assert workers.errors()[before:] == ["replayed"] * 199


def test_cancel_and_callback_at_once_never_both_count(workers):
    """Racing over different workers, either the function ran or the attempt reads cancelled, and all agree which."""
    ports = [worker.port for worker in workers.workers]
    browser = workers.browser(workers.workers[0].origin)
    ways = Counter()
    for turn in range(50):
        attempt, code = attempt_id(), f"code-race-{turn}"
        browser.client.cookies.clear()
        path = callback(browser.launch(attempt), code)
        copied = browser.cookies()
        race = [
            Raw(ports[turn % 4], path, copied),
            Raw(ports[(turn + 1) % 4], f"/cancel/{attempt}", copied, method="POST"),
        ]
        if turn % 2:
            answered, cancelled = at_once(race)
        else:
            cancelled, answered = at_once(race[::-1])
        status = browser.status(attempt, at=workers.workers[(turn + 2) % 4].origin).json()
        ran = workers.completed()[code]
        ways[ran] += 1
        assert answered[0] == cancelled[0] == 200
        shown = told(answered[1])
        if ran:
            assert ran == 1
            assert (shown["outcome"], status["outcome"]) == ("granted", "granted")
            assert '"cancelled"' not in cancelled[1]
        else:
            assert (shown["outcome"], shown["code"]) == ("failed", "cancelled")
            assert (status["outcome"], status["code"]) == ("failed", "cancelled")
            assert '"code": "cancelled"' in cancelled[1]
    assert ways.total() == 50


@pytest.mark.parametrize("number", [0, 1], ids=["plain client", "asyncio client"])
def test_redis_away_refuses_in_words_and_redis_back_grants(workers, server, number):
    """While Redis is away nothing runs and nothing is lost: the same address works when it is back."""
    worker = workers.workers[number]
    attempt, code = attempt_id(), f"code-away-{number}"
    browser = workers.browser(worker.origin)
    state = browser.launch(attempt)
    copied = browser.cookies()
    assert browser.status(attempt).json()["outcome"] == "pending"
    server.stop()
    try:
        answered = browser.answer(state, code)
        status = browser.status(attempt)
        cancelled = browser.ask(f"/cancel/{attempt}", method="POST", origin=worker.origin)
        launched = browser.opens()
    finally:
        server.start()
    assert answered.status_code == 503
    assert "Your answer is not lost" in words(answered.text)
    assert (status.status_code, cancelled.status_code) == (503, 503)
    assert launched.status_code == 303
    assert copied in browser.cookies()
    assert workers.completed()[code] == 0
    assert told(browser.answer(state, code).text)["outcome"] == "granted"
    assert browser.status(attempt).json()["outcome"] == "granted"
    assert workers.completed()[code] == 1
