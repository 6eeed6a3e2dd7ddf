"""A person's desk: a screen that nobody sees, a Chromium open on it, and the programs started there.

Chromium is opened as a person's own is: by a command, through `webbrowser`, in windows that no test opens. Playwright
looks in afterwards, to click.
"""

import os
import subprocess
import sys
import time

import chromium
from browser.engines import executable
from browser.screen import Screen
from terminal import Terminal

FLAGS = [
    *chromium.FLAGS,
    "--remote-debugging-port=0",
    # Who owns this name lets it resolve to the visitor's own machine.
    "--host-resolver-rules=MAP rebound.example 127.0.0.1",
]


class Desk:
    """Everything on it is closed with it.

    Args:
        playwright: Looks into the browser.
        folder: For the profile.
    """

    def __init__(self, playwright, folder):
        command_of_debian = executable("chromium", "chromium")
        self.screen = Screen().__enter__()
        profile, command = folder / "profile", folder / "bin" / "chromium"
        command.parent.mkdir()
        flags = " ".join(f"'{flag}'" for flag in [*FLAGS, f"--user-data-dir={profile}"])
        command.write_text(f'#!/bin/sh\nexec {command_of_debian} {flags} "$@" > /dev/null 2>&1\n')
        command.chmod(0o755)
        self.environment = {
            **os.environ,
            "DISPLAY": self.screen.display,
            "PATH": f"{command.parent}:{os.environ['PATH']}",
            "BROWSER": f"{command} %s &",
            "TERM": "xterm",
        }
        self._browser = subprocess.Popen([command, "about:blank"], env=self.environment)
        ready = profile / "DevToolsActivePort"
        until = time.monotonic() + 30
        while not ready.exists() or not ready.read_text():
            assert self._browser.poll() is None, "Chromium did not start."
            assert time.monotonic() < until, "Chromium did not say its port within 30 seconds."
            time.sleep(0.05)
        port = ready.read_text().split()[0]
        self._attached = playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}")
        self.windows = self._attached.contexts[0]
        self.windows.set_default_timeout(20_000)

    def runs(self, *arguments, **variables):
        """A Python program in a terminal of its own."""
        return Terminal(sys.executable, *arguments, env={**self.environment, **variables})

    def close(self):
        self._attached.close()
        self._browser.terminate()
        self._browser.wait(20)
        self.screen.__exit__()
