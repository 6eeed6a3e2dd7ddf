"""The official demo, run as a person runs it: `smartcar-auth demo`, in a process of its own."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time

import pytest
from playwright.sync_api import expect

from browser.flow import Garage, connect_as

pytestmark = pytest.mark.browser


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Demo:
    """The command with its standard output as a pipe, as when no terminal is there."""

    def __init__(self, *options):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "smartcar_auth.cli", "demo", "--no-browser", *map(str, options)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={name: value for name, value in os.environ.items() if not name.startswith("SMARTCAR_")},
        )
        self.lines = []

    def address(self):
        """The first address printed, from a line of its own."""
        until = time.monotonic() + 20
        for line in self.process.stdout:
            self.lines.append(line)
            found = re.search(r"https?://\S+", line)
            if found:
                assert line.strip() == found[0]
                assert time.monotonic() < until
                return found[0]
        raise AssertionError(f"No address was printed: {self.process.stderr.read()}")

    def interrupt(self):
        """Ctrl-C; the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(8)

    def close(self):
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.communicate()


@pytest.fixture
def demo():
    running = []

    def started(*options):
        running.append(Demo(*options))
        return running[-1]

    yield started
    for one in running:
        one.close()


def test_demo_from_the_first_line_to_the_last(demo, page, context):
    """Its address, the button, the connected car without a reload, an error in words, Ctrl-C, free ports."""
    port, sandbox_port = free_port(), free_port()
    running = demo("--port", port, "--sandbox-port", sandbox_port)
    assert running.address() == f"http://localhost:{port}/"
    said = []
    context.on("console", lambda message: said.append(message.text))
    garage = Garage(page, f"http://localhost:{port}/")
    page.evaluate("window.here = true")
    assert page.get_by_text("Odometer").count() == 0

    connect_as(garage.open(), brand="TESLA", decision="#deny-button")
    expect(garage.status).to_contain_text("did not give access", ignore_case=True)

    popup = garage.open()
    assert popup.url == "about:blank" or popup.url.startswith(f"http://127.0.0.1:{sandbox_port}/")
    with popup.expect_event("close"):
        connect_as(popup, brand="TESLA")
    car = page.get_by_role("article").first
    expect(car.get_by_role("heading")).to_contain_text("Tesla", ignore_case=True)
    expect(car.get_by_text("Odometer")).to_be_visible()
    expect(car.get_by_text("Location")).to_be_visible()
    expect(car.get_by_text(" km")).to_be_visible()
    assert page.evaluate("window.here")
    page.reload()
    expect(page.get_by_role("article").first.get_by_text("Odometer")).to_be_visible()
    assert said == []

    assert running.interrupt() == 0
    for one in (port, sandbox_port):
        socket.create_server(("127.0.0.1", one)).close()


def test_demo_without_script(demo, browser):
    """The same without JavaScript: a link, redirects, and the outcome in words."""
    port = free_port()
    running = demo("--port", port, "--sandbox-port", free_port())
    running.address()
    plain = browser.new_context(java_script_enabled=False)
    page = plain.new_page()
    page.goto(f"http://localhost:{port}/")
    page.get_by_role("link", name="Connect your car").click()
    connect_as(page, brand="TESLA", decision="#deny-button")
    expect(page.get_by_role("status")).to_contain_text("did not give access", ignore_case=True)
    page.get_by_role("link", name="Connect your car").click()
    connect_as(page, brand="TESLA")
    expect(page.get_by_role("article").first.get_by_text("Odometer")).to_be_visible()
    plain.close()
    assert running.interrupt() == 0


def test_demo_whose_usual_ports_are_taken(demo):
    """It takes the next free ones and says so; a port that was asked for is not replaced."""
    with contextlib.ExitStack() as taken:
        with contextlib.suppress(OSError):  # somebody else's, which is as good
            taken.enter_context(socket.create_server(("127.0.0.1", 8000)))
        running = demo()
        address = running.address()
        assert address != "http://localhost:8000/"
        assert running.interrupt() == 0
        assert "Port 8000 is taken" in running.process.stderr.read()

    with socket.create_server(("127.0.0.1", 0)) as held:
        refused = demo("--port", held.getsockname()[1])
        assert refused.process.wait(20) == 1
        assert "is taken" in refused.process.stderr.read()
