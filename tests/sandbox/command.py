"""`smartcar-auth sandbox` as a person starts it: a process of its own, which may be killed."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any


class Command:
    """The running command with `--json`; `started` is its first line."""

    def __init__(self, *options: str, environment: Mapping[str, str] | None = None) -> None:
        command = [sys.executable, "-m", "smartcar_auth.cli", "sandbox", "--port", "0", "--json", *options]
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})}
        )
        self.started = self.line()
        self.origin: str = self.started["listening"]

    def line(self) -> dict[str, Any]:
        """Its next line."""
        assert self._process.stdout is not None
        line: dict[str, Any] = json.loads(self._process.stdout.readline())
        return line

    def kill(self) -> None:
        """As `kill -9` does: no farewell."""
        self._process.kill()
        self._process.wait(10)

    def __enter__(self) -> "Command":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate(timeout=10)
