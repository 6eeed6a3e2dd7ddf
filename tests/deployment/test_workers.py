"""Several workers without a shared store: what one began another finishes, through restarts and new keys."""

from deployment.deployed import KEY, attempt_id, sent, told, uvicorn, words

NEW_KEY = "the-key-that-came-after-it-of-32-bytes"


def test_attempt_goes_round_all_workers(deployment):
    """Behind round robin, launch, callback and status land on different workers and agree."""
    deployment.start(*(uvicorn(deployment.folder, f"w{number}") for number in range(2)))
    servers = " ".join(f"server 127.0.0.1:{worker.port};" for worker in deployment.workers)
    nginx = deployment.nginx(
        f"upstream workers {{ {servers} }}\n"
        "server { listen 127.0.0.1:{port}; location / { proxy_pass http://workers;"
        " proxy_set_header Host $http_host; add_header Served-By $upstream_addr always; } }"
    )
    browser = deployment.browser(f"http://localhost:{nginx.port}")
    for turn in range(3):
        attempt, code = attempt_id(), f"code-{turn}"
        launched = browser.opens(attempt)
        answered = browser.answer(sent(launched)["state"], code)
        status = browser.status(attempt)
        assert told(answered.text)["outcome"] == "granted"
        assert status.json()["outcome"] == "granted"
        served = [one.headers["served-by"] for one in (launched, answered, status)]
        assert served[0] != served[1] != served[2]
    assert deployment.completed() == {"code-0": 1, "code-1": 1, "code-2": 1}
    assert deployment.errors() == []


def test_attempt_survives_restart_and_new_key(deployment):
    """A launch outlives its worker's restart, also with a new key in front; without its own key it is refused in words.

    The refusal is for the person; `on_error` learns that the key may be gone.
    """
    deployment.start(uvicorn(deployment.folder, "w"))
    [worker] = deployment.workers
    browser = deployment.browser(worker.origin)
    attempts = [attempt_id() for _ in range(3)]
    states = [browser.launch(attempt) for attempt in attempts]

    worker.stop()
    worker.start()
    worker.wait()
    assert told(browser.answer(states[0], "code-restarted").text)["outcome"] == "granted"

    worker.stop()
    worker.start(keys=[NEW_KEY, KEY])
    worker.wait()
    assert browser.status(attempts[0]).json()["outcome"] == "granted"
    assert told(browser.answer(states[1], "code-rotated").text)["outcome"] == "granted"
    later = browser.launch()

    worker.stop()
    worker.start(keys=[NEW_KEY])
    worker.wait()
    refused = browser.answer(states[2], "code-dropped")
    assert refused.status_code == 400
    assert "This answer can't be used" in words(refused.text)
    assert "Go back to the app and start again." in words(refused.text)
    assert browser.status(attempts[2]).json() == {"outcome": "unknown"}
    assert told(browser.answer(later, "code-later").text)["outcome"] == "granted"
    assert deployment.completed() == {"code-restarted": 1, "code-rotated": 1, "code-later": 1}
    assert deployment.errors() == ["altered"]
