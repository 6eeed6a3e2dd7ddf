"""The host that docs/hosts/custom.md shows: it passes the table of outcomes, over a real socket."""

import re
import threading
from http.server import ThreadingHTTPServer
from pathlib import Path

import httpx2
import pytest

from hosts.outcomes import ORIGIN, EveryHost, Host, options

PAGE = Path(__file__).parent.parent.parent / "docs" / "hosts" / "custom.md"


@pytest.fixture(scope="module")
def shown():
    """What the page's program defines, and its handler on a port."""
    text = PAGE.read_text(encoding="utf-8")
    program = {"__name__": "docs"}
    exec(re.search(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL).group(1), program)
    with ThreadingHTTPServer(("127.0.0.1", 0), program["Handler"]) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        program["port"] = server.server_port
        yield program
        server.shutdown()
        thread.join(10)


class TestCustom(EveryHost):
    """The shown host passes the table."""

    @pytest.fixture(autouse=True)
    def _browser(self, shown):
        # A browser would send this Host header if the server were where the table has its application.
        headers = {"host": ORIGIN.removeprefix("http://")}
        with httpx2.Client(base_url=f"http://127.0.0.1:{shown['port']}", headers=headers) as client:
            self.client = client
            self.shown = shown
            yield

    def make(self, **more):
        """The shown host, with functions that note and return, in the place of the page's own."""
        host = Host(self.client, None)
        arguments = options(identify=lambda handler: host.person[0], **more)
        connect = self.shown["SmartcarConnect"](arguments.pop("smartcar"), **arguments)
        host.clock = arguments["clock"]

        @connect.on_complete
        def connected(handler, response):
            host.completed.append((handler, response))
            if isinstance(host.result, Exception):
                raise host.result
            return host.result

        @connect.on_error
        def failed(handler, error):
            host.failed.append((handler, error))

        self.shown["connect"] = connect
        return host
