"""When Python had the result: each data app here says so to the provider."""

import os
import time
from urllib.request import urlopen


def known() -> None:
    """Call it at the first moment at which the application's code has the code."""
    now = time.time()
    with urlopen(os.environ["REPORT"], data=repr(now).encode(), timeout=10):
        pass
