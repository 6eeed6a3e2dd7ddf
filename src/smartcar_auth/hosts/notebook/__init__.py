"""Connect in a notebook: a button in JupyterLab, Notebook 7 and marimo, and the answer in the kernel.

    button = ConnectButton(smartcar)
    button                              # the cell's value; a click opens Connect
    response = await button.result()

How the answer reaches the kernel differs by where it runs: its transport, which the button says in words.

    button.py        the widget, and what its page may tell the kernel
    transports.py    which transport fits where, what is said of it, and an attempt on it
    audience.py      handlers and cells that are told
    button.js, button.css    the page's part; it decides nothing
"""

try:
    import anywidget  # noqa: F401
except ImportError as error:
    raise ImportError(
        'smartcar_auth.hosts.notebook needs anywidget: pip install "smartcar-auth[notebook]"'
    ) from error

from .button import ConnectButton

__all__ = ["ConnectButton"]
