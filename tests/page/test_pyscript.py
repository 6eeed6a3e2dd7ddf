"""The same in PyScript, both with MicroPython and with Pyodide, as its users write it."""

import pytest

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("python", ["mpy", "py"])
def test_pyscript_page_connects(open_page, site, connect, python):
    """An async handler of `@when` opens the window, awaits the response and writes to the page."""
