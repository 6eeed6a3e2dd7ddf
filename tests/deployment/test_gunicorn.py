"""gunicorn with its own limit of 8,190 bytes for a header field: many attempts in one browser stay below it."""

from deployment.deployed import attempt_id, gunicorn, told

MOST_BYTES = 4096  # our own limit for all attempts of one browser, half of gunicorn's


def test_many_attempts_in_one_browser_stay_below_the_limit(deployment):
    """Ten large pending attempts, their outcomes, and the eleventh attempt: every one is answered rightly."""
    deployment.start(gunicorn(deployment.folder, "w"))
    [worker] = deployment.workers
    browser = deployment.browser(worker.origin)
    seen = []

    def launch(turn: int) -> tuple[str, str]:
        attempt = attempt_id()
        state = browser.launch(attempt, return_to=f"/garage/{turn}")
        seen.append(len(browser.cookies()))
        return attempt, state

    launched = [launch(turn) for turn in range(10)]
    for turn, (attempt, state) in enumerate(launched):
        answered = browser.answer(state, f"code-{turn}")
        seen.append(len(browser.cookies()))
        assert told(answered.text)["outcome"] == "granted"
        assert browser.status(attempt).json()["data"]["message"].startswith("Added to the garage")
    attempt, state = launch(10)
    assert len(browser.client.cookies.jar) == 10
    assert told(browser.answer(state, "code-10").text)["outcome"] == "granted"
    assert browser.status(attempt).json()["outcome"] == "granted"
    assert set(deployment.completed().values()) == {1}
    assert len(deployment.completed()) == 11
    assert max(seen) < MOST_BYTES
    assert browser.ask("/launch", cookie="x" * 8190).status_code == 431, "gunicorn's limit is not in force"


def test_longest_attempts_push_out_the_oldest(deployment):
    """Attempts that carry as much as they may: the oldest makes room, the newest works, the header stays short."""
    deployment.start(gunicorn(deployment.folder, "w"))
    browser = deployment.browser(deployment.workers[0].origin)
    seen = []
    for turn in range(11):
        attempt = attempt_id()
        state = browser.launch(attempt, return_to="/" + "g" * 1000)
        seen.append(len(browser.cookies()))
        assert told(browser.answer(state, f"code-{turn}").text)["outcome"] == "granted"
        assert browser.status(attempt).json()["outcome"] == "granted"
        seen.append(len(browser.cookies()))
    assert MOST_BYTES / 2 < max(seen) < MOST_BYTES
