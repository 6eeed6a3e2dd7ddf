"""A thousand times: no listener, timer, channel, window or proxy is left, and the heap doesn't grow with them."""

import pytest

from page.conftest import PYTHONS

pytestmark = pytest.mark.browser

OPENED = """
async def cycles(count):
    for _ in range(count):
        await smartcar.open_dialog()
    told.append("over")
asyncio.create_task(cycles({}))
"""
MOUNTED = """
for _ in range({}):
    one = Smartcar(application_id="an-application", on_complete=on_complete)
    one.add_click_handler(selector=".connect", id="link")
    one.unmount()
"""


class Held:
    """What a page and its Python hold, after both have collected their garbage."""

    def __init__(self, lab):
        self.lab = lab
        self.session = lab.page.context.new_cdp_session(lab.page)

    def now(self):
        self.lab.run("one = attempt = None\ntold.clear()\nimport gc\ngc.collect()")
        if self.lab.python == "pyodide":
            # Without JavaScript's collector: what was let go is free at once.
            objects = (
                "len([1 for one in gc.get_objects() if type(one).__name__ == 'Attempt'"
                " or getattr(one, '__name__', '') == 'clicked'])"
            )
            return {**self.lab.window.run("held"), "objects": self.lab.value(objects)}
        for _ in range(2):  # the first one finds what only a collected object held
            self.session.send("HeapProfiler.collectGarbage")
            self.lab.page.wait_for_timeout(50)  # for the finalizers
            self.lab.run("gc.collect()")
        found = self.lab.window.run("held")
        found["proxies"] = self.lab.window.run("proxy_js_map.size")
        found["objects"] = self.lab.window.run("proxy_js_ref.filter((one) => one !== undefined).length")
        return found

    @property
    def bytes(self):
        """Of the Python's own heap."""
        if self.lab.python == "micropython":
            return self.lab.value("gc.mem_alloc()")
        return self.lab.window.run("interpreter._module.HEAP8.length")


@pytest.fixture(scope="module", params=PYTHONS)
def counted(request, open_lab):
    """A page of their own, in which nothing was held before."""
    return open_lab(request.param)


@pytest.fixture
def lab(counted):
    counted.smartcar()
    yield counted
    counted.reset()


def as_before(after, before):
    """Nothing more of anything."""
    if "proxies" in before:
        # MicroPython's collector takes whatever looks like an address on the stack for one.
        for name in ("proxies", "objects"):
            assert after.pop(name) <= before.pop(name) + 10
    else:
        assert before["objects"] == 0
    assert after == before


def test_real_windows_leave_nothing(lab):
    """Twenty windows, opened, answered and closed by the browser."""
    held = Held(lab)
    lab.smartcar(connect_origin=lab.site.origin)

    def cycles(count):
        for number in range(count):
            lab.run("attempt = smartcar.open_dialog()")
            lab.until(f"len(told) == {number + 1}")
        assert len(lab.page.context.pages) == 1
        return held.now()

    before = cycles(1)
    as_before(cycles(20), before)


@pytest.mark.parametrize("cycle", [OPENED, MOUNTED], ids=["opened and completed", "created and unmounted"])
def test_thousand_cycles_leave_nothing(lab, cycle):
    """Told each time, and as before afterwards; ten come first, for what is made once and stays."""
    held = Held(lab)
    lab.window.run("void answering()")

    def cycles(count):
        lab.run(cycle.format(count))
        if cycle is OPENED:
            lab.until("'over' in told")
            assert lab.value("len(told)") == count + 1
        return held.now(), held.bytes

    before, bytes_before = cycles(10)
    after, bytes_after = cycles(1000)
    print(lab.python, after, f"heap {bytes_before} -> {bytes_after} bytes")
    as_before(after, before)
    assert bytes_after - bytes_before < 32_000  # what is kept of an attempt would be ten times as much
