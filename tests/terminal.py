"""A program in a terminal of its own, and the person in front of it."""

import contextlib
import fcntl
import os
import pty
import re
import select
import subprocess
import termios
from time import monotonic


class Terminal:
    """Runs a command with a pseudo-terminal for input and output, in a session of its own, as a shell would.

    Use it with `with`; at the end the program is killed if it still runs.
    """

    def __init__(self, *command, env=None, stdout=None):
        self.screen = ""
        self._mine, theirs = pty.openpty()
        self.process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs if stdout is None else stdout,
            stderr=theirs,
            env=env,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that it is Ctrl-C's, too
        )
        os.close(theirs)

    def shows(self, pattern, seconds=30):
        """Wait until the screen shows it; the match."""
        until = monotonic() + seconds
        while not (found := re.search(pattern, self.screen)):
            ready, _, _ = select.select([self._mine], [], [], max(0.0, until - monotonic()))
            piece = b""
            if ready:
                with contextlib.suppress(
                    OSError
                ):  # Linux says EIO when the last user of the terminal is gone
                    piece = os.read(self._mine, 65536)
            if not piece:
                raise AssertionError(f"The screen never showed {pattern!r}:\n{self.screen}")
            self.screen += piece.decode(errors="replace").replace("\r\n", "\n")
        return found

    def types(self, text):
        """Type or paste; a line end is Enter, \\x03 is Ctrl-C, \\x04 is the end of input."""
        os.write(self._mine, text.encode())

    def ends(self, seconds=30):
        """Read what is still shown, and the exit status."""
        with contextlib.suppress(AssertionError):
            self.shows(r"\Z.", seconds)
        return self.process.wait(seconds)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()
        os.close(self._mine)
