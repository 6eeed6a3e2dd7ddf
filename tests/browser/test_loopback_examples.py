"""The desktop and the terminal example, run as they are against the sandbox: keys pressed, screens read."""

import subprocess
import time
from pathlib import Path

import pytest

from browser.desk import Desk
from browser.engines import executable
from browser.flow import connect_as

pytestmark = pytest.mark.browser

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
ON_ANY_PORT = "import sys; sys.path.insert(0, sys.argv[1]); import {0}; {0}.PORTS = [0]; sys.exit({0}.main())"


@pytest.fixture(scope="module")
def desk(playwright, tmp_path_factory):
    made = Desk(playwright, tmp_path_factory.mktemp("desk"))
    yield made
    made.close()


@pytest.fixture
def example(desk, sandbox):
    """Start an example, in a terminal, with any free port in place of its registered ones."""
    running = []

    def started(name):
        script = ON_ANY_PORT.format(name)
        running.append(desk.runs("-c", script, str(EXAMPLES), SMARTCAR_CONNECT_ORIGIN=sandbox.origin))
        return running[-1]

    yield started
    for one in running:
        one.__exit__()
    for window in desk.windows.pages:
        if window.url != "about:blank":
            window.close()


class Window:
    """A window of the desk, as the keyboard and the pointer reach it."""

    def __init__(self, desk, name):
        self.desk = desk
        self.xdotool = executable("xdotool", "xdotool")
        self.id = self.does("search", "--sync", "--onlyvisible", "--name", name).split()[0]
        self.does("windowfocus", "--sync", self.id)

    def does(self, *arguments):
        done = subprocess.run(
            [self.xdotool, *arguments], env=self.desk.environment, capture_output=True, text=True, timeout=30
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def press(self, key):
        self.does("windowfocus", "--sync", self.id)
        self.does("key", key)

    def says(self, title):
        """Wait until its title is this."""
        until = time.monotonic() + 20
        while (found := self.does("getwindowname", self.id).strip()) != title:
            assert time.monotonic() < until, f"The title is {found!r}, not {title!r}."
            time.sleep(0.05)


def test_desktop_example(desk, example):
    """By keyboard alone: given up, denied, allowed; and the window answers while its owner is at Connect."""
    example("desktop_app")
    window = Window(desk, "Garage")
    window.says("Garage: Garage")

    with desk.windows.expect_page():
        window.press("Return")
    window.says("Garage: Waiting for you in the browser")
    window.press("Escape")
    window.says("Garage: Cancelled")

    with desk.windows.expect_page() as opened:
        window.press("Return")
    connect_as(opened.value, brand="TESLA", decision="#deny-button")
    window.says("Garage: No access was given")

    with desk.windows.expect_page() as opened:
        window.press("Return")
    connect_as(opened.value, brand="TESLA")
    window.says("Garage: Connected")


def test_desktop_example_under_the_pointer(desk, example):
    """Its buttons are where they are seen: Connect, then Cancel beside it."""
    example("desktop_app")
    window = Window(desk, "Garage")
    window.does("windowraise", window.id)
    with desk.windows.expect_page():
        window.does("mousemove", "--window", window.id, "100", "215", "click", "1")
    window.says("Garage: Waiting for you in the browser")
    window.does("windowraise", window.id)
    window.does("mousemove", "--window", window.id, "270", "215", "click", "1")
    window.says("Garage: Cancelled")


def test_terminal_example(desk, example):
    """The script opens the browser, exchanges the code and prints the odometer."""
    with desk.windows.expect_page() as opened:
        terminal = example("terminal_app")
    connect_as(opened.value, brand="TESLA")
    terminal.shows(r"TESLA Model \S+: [\d,]+ km")
    assert terminal.ends() == 0


def test_terminal_example_without_access(desk, example):
    """It says so, and its exit status is 1."""
    with desk.windows.expect_page() as opened:
        terminal = example("terminal_app")
    connect_as(opened.value, brand="TESLA", decision="#deny-button")
    terminal.shows("You didn't give access")
    assert terminal.ends() == 1
