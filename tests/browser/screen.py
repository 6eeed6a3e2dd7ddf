"""A screen that nobody sees, for programs with windows: Xvfb, on a display of its own."""

import os
import subprocess

from browser.engines import executable


class Screen:
    """Use it with `with`; `display` goes into the environment of what shows windows."""

    def __enter__(self):
        reading, writing = os.pipe()
        size = ["-screen", "0", "1280x900x24"]
        self._process = subprocess.Popen(
            [executable("Xvfb", "xvfb"), "-displayfd", str(writing), *size, "-nolisten", "tcp"],
            pass_fds=[writing],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(writing)
        with os.fdopen(reading) as numbers:
            self.display = f":{numbers.readline().strip()}"  # said when it is ready
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(10)
