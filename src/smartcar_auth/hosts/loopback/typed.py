"""Lines that a person types or pastes while something else goes on: read without a thread and without waiting.

A thread that reads would outlive the attempt and take the next line, which is for the program.
"""

from __future__ import annotations

import os
import select
import sys
from time import monotonic, sleep


class Typed:
    """The lines that arrive on standard input, from now on."""

    def __init__(self) -> None:
        self._descriptor = sys.stdin.fileno()
        self._text = ""
        #: Whether no more can come.
        self.ended = False

    def line(self, seconds: float = 0.0) -> str | None:
        """The next line if it is whole within `seconds`, without its end; else None."""
        until = monotonic() + seconds
        while True:
            piece = "" if self.ended else self._piece(max(0.0, until - monotonic()))
            self._text += piece
            line, end, rest = self._text.partition("\n")
            if end or (self.ended and line):
                self._text = rest
                return line.strip()
            if self.ended or monotonic() >= until:
                return None

    if sys.platform == "win32":

        def _piece(self, seconds: float) -> str:
            if not os.isatty(self._descriptor):
                line = sys.stdin.readline()
                self.ended = not line
                return line
            import msvcrt

            until = monotonic() + seconds
            while not msvcrt.kbhit() and monotonic() < until:
                sleep(0.05)
            typed = ""
            while msvcrt.kbhit():
                character = msvcrt.getwche()
                if character == "\x03":
                    raise KeyboardInterrupt
                if character == "\b":
                    self._text, typed = (self._text, typed[:-1]) if typed else (self._text[:-1], "")
                else:
                    typed += "\n" if character == "\r" else character
            return typed

    else:

        def _piece(self, seconds: float) -> str:
            ready, _, _ = select.select([self._descriptor], [], [], seconds)
            if ready and self._in_background():
                sleep(min(seconds, 0.1))  # what has been typed keeps it ready
                return ""
            if not ready:
                return ""
            piece = os.read(self._descriptor, 65_536)
            self.ended = not piece
            return piece.decode(errors="replace")

        def _in_background(self) -> bool:
            # The line is the shell's then, and who reads it from the background is stopped.
            try:
                return os.tcgetpgrp(self._descriptor) != os.getpgrp()
            except OSError:  # no terminal, so no background
                return False
