"""The loopback host: which port is held, what ends an attempt, what doesn't, and what the browser is told."""

import asyncio
import base64
import contextlib
import html
import os
import re
import select
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from core.test_interpreters import SOURCES, interpreters
from smartcar_auth import (
    AccessDenied,
    AmbiguousResponse,
    ApplicationConfigurationError,
    Cancelled,
    ConfigurationError,
    ConnectTimeout,
    InvalidResponse,
    InvalidSubscription,
    MissingParameter,
    NoVehicles,
    OemLoginCancelled,
    PortUnavailable,
    ServerError,
    Smartcar,
    StateMismatch,
    UnknownConnectError,
    UserExited,
    VehicleIncompatible,
    hosted_redirect_uri,
)
from smartcar_auth.envelope import read_envelope
from smartcar_auth.hosts.loopback import Attempt, connect, connect_async
from smartcar_auth.words import WORDS
from terminal import Terminal

CODE = "0f4d3b4c-code"
ERRORS = {
    "access_denied": AccessDenied,
    "vehicle_incompatible": VehicleIncompatible,
    "invalid_subscription": InvalidSubscription,
    "no_vehicles": NoVehicles,
    "configuration_error": ApplicationConfigurationError,
    "server_error": ServerError,
    "oem_cancelled_login": OemLoginCancelled,
    "user_manually_returned_to_application": UserExited,
    "something_new": UnknownConnectError,
}


def smartcar(**options):
    return Smartcar(application_id="an-application", **options)


@pytest.fixture
def attempt():
    """An attempt on any free port."""
    with Attempt(smartcar(), ports=[0], timeout_seconds=60) as made:
        yield made


def sent(attempt):
    """The parameters that Connect was given."""
    return {name: values[0] for name, values in parse_qs(urlsplit(attempt.url).query).items()}


def granted(attempt):
    """The query with which Connect grants this attempt."""
    return f"code={CODE}&user_id=u-1&state={sent(attempt)['state']}"


class Browser:
    """One connection to the port, as a browser's or a stranger's."""

    def __init__(self, attempt, address="127.0.0.1"):
        self.attempt = attempt
        self.connection = socket.create_connection((address, attempt.port), timeout=10)

    def asks(self, query="", *, method="GET", path="/callback", host="localhost:{port}", raw=None):
        """Send a request, let the attempt look at it, and read the answer: status, fields, body."""
        fields = f"Host: {host.format(port=self.attempt.port)}\r\n" if host is not None else ""
        request = f"{method} {path}?{query} HTTP/1.1\r\n{fields}Accept: */*\r\n\r\n".encode()
        self.connection.sendall(request if raw is None else raw)
        with contextlib.suppress(Exception):  # how the attempt ended is for the test to ask
            while not select.select([self.connection], [], [], 0)[0]:
                self.attempt.poll(0.01)
        return self.answer()

    def answer(self):
        pieces = []
        with contextlib.suppress(ConnectionError):
            while piece := self.connection.recv(65536):
                pieces.append(piece)
        self.connection.close()
        head, _, body = b"".join(pieces).partition(b"\r\n\r\n")
        if not head:
            return None, {}, ""
        line, *fields = head.decode().split("\r\n")
        return int(line.split()[1]), dict(field.split(": ", 1) for field in fields), body.decode()


def heading(body):
    return html.unescape(re.search("<h1>(.*)</h1>", body)[1])


class TestOutcomes:
    def test_granted_answer_ends_the_attempt(self):
        """The response, told once; the person reads it; the port is free again."""
        told = []
        client = smartcar(on_complete=lambda error, response: told.append((error, response)))
        with Attempt(client, ports=[0]) as attempt:
            status, _, body = Browser(attempt).asks(granted(attempt))
            response = attempt.wait()
            assert attempt.poll() is response
        assert (response.code, response.user_id) == (CODE, "u-1")
        assert told == [(None, response)]
        assert (status, heading(body)) == (200, "Your car is connected")
        Attempt(smartcar(), ports=[attempt.port]).close()

    @pytest.mark.parametrize(("wire", "kind"), ERRORS.items(), ids=list(ERRORS))
    def test_error_of_connect_ends_the_attempt(self, wire, kind):
        """Each of Connect's errors is raised as its class, told once, and said in words."""
        told = []
        client = smartcar(on_complete=lambda error, response: told.append((error, response)))
        with Attempt(client, ports=[0]) as attempt:
            query = f"error={wire}&error_description=%3Cscript%3E&state={sent(attempt)['state']}"
            status, _, body = Browser(attempt).asks(query)
            with pytest.raises(kind) as raised:
                attempt.wait()
        assert told == [(raised.value, None)]
        assert (status, heading(body)) == (200, WORDS[kind.code][0])
        assert "<script" not in body

    @pytest.mark.parametrize(
        ("query", "kind"),
        [("user_id=u", MissingParameter), (f"code={CODE}&error=access_denied", AmbiguousResponse)],
    )
    def test_answer_of_connect_that_makes_no_sense_ends_the_attempt(self, attempt, query, kind):
        """With the right state it was Connect: nobody needs to wait for more."""
        status, _, body = Browser(attempt).asks(f"{query}&state={sent(attempt)['state']}")
        assert (status, heading(body)) == (400, WORDS["unreadable"][0])
        with pytest.raises(kind):
            attempt.wait()

    def test_response_without_a_code_is_enough_where_none_was_asked_for(self):
        """With response_type="none" the person's id comes alone."""
        with Attempt(smartcar(response_type="none"), ports=[0]) as attempt:
            Browser(attempt).asks(f"user_id=u-1&state={sent(attempt)['state']}")
            assert attempt.wait().user_id == "u-1"

    @pytest.mark.parametrize(
        ("query", "said"),
        [
            ("code=c", "missing"),
            ("", "missing"),
            ("code=c&state=somebody-elses", "altered"),
            ("error=access_denied&state=somebody-elses", "altered"),
            ("code=c&code=d&state={state}", "unreadable"),
            ("code=c&state={state}&state=x", "unreadable"),
            ("code=%ff&state={state}", "unreadable"),
        ],
    )
    def test_answer_that_proves_nothing_changes_nothing(self, attempt, query, said):
        """It is refused in words, and the rightful answer still counts."""
        status, _, body = Browser(attempt).asks(query.format(state=sent(attempt)["state"]))
        assert (status, heading(body)) == (400, WORDS[said][0])
        assert attempt.poll() is None
        Browser(attempt).asks(granted(attempt))
        assert attempt.wait().code == CODE

    def test_time_runs_out(self):
        """A timeout, told once, whose cause is the last answer that was not believed; and the port is free."""
        told = []
        client = smartcar(on_complete=lambda error, response: told.append((error, response)))
        with Attempt(client, ports=[0], timeout_seconds=0.5) as attempt:
            Browser(attempt).asks("code=c&state=another")
            with pytest.raises(ConnectTimeout) as raised:
                attempt.wait()
            with pytest.raises(ConnectTimeout):
                attempt.poll()
        assert isinstance(raised.value.__cause__, StateMismatch)
        assert told == [(raised.value, None)]
        assert attempt.remaining_seconds == 0
        Attempt(smartcar(), ports=[attempt.port]).close()

    def test_another_thread_cancels(self, attempt):
        """Whoever waits is told."""
        threading.Timer(0.2, attempt.cancel).start()
        with pytest.raises(Cancelled):
            attempt.wait()

    @pytest.mark.parametrize("ports", [[0], []])
    def test_another_thread_brings_the_answer(self, ports):
        """Whoever waits has it, and on_complete is told once; whoever brought it has the same."""
        told = []
        client = smartcar(on_complete=lambda *outcome: told.append(outcome))
        with Attempt(client, ports=ports) as attempt:
            with ThreadPoolExecutor(1) as thread:
                waiting = thread.submit(attempt.wait)
                with pytest.raises(StateMismatch):
                    attempt.receive("code=c&state=another")
                assert attempt.receive(granted(attempt)) is waiting.result(10)
            assert told == [(None, waiting.result())]
            attempt.cancel()
            assert attempt.wait() is waiting.result()  # the first end counts

    def test_another_thread_closes(self, attempt):
        """The port is free when that returns, and whoever waits is told."""
        with ThreadPoolExecutor(1) as thread:
            waiting = thread.submit(attempt.wait)
            attempt.close()
            Attempt(smartcar(), ports=[attempt.port]).close()
            with pytest.raises(Cancelled):
                waiting.result(10)

    def test_answer_after_the_end(self, attempt):
        """Whoever brings it learns of the end that was."""
        attempt.cancel()
        with pytest.raises(Cancelled):
            attempt.receive(granted(attempt))

    def test_attempt_without_a_port(self):
        """Any redirect URI will do; the answer is brought, and the time is over as ever."""
        uri = "https://app.example.com/callback"
        with Attempt(smartcar(redirect_uri=uri), ports=(), timeout_seconds=0.3) as attempt:
            assert (attempt.redirect_uri, attempt.port) == (uri, None)
            assert sent(attempt)["redirect_uri"] == uri
            assert attempt.poll() is None
            with pytest.raises(InvalidResponse):
                attempt.receive("hello")
            with pytest.raises(ConnectTimeout) as raised:
                attempt.wait()
        assert isinstance(raised.value.__cause__, InvalidResponse)

    def test_attempt_for_smartcars_own_page(self):
        """Its state is in the official SDK's envelope, by which that page knows whose answer it is."""
        uri = hosted_redirect_uri("http://localhost:8888")
        with Attempt(smartcar(redirect_uri=uri), ports=()) as attempt:
            assert read_envelope(sent(attempt)["state"]) is None

    def test_attempt_that_is_left_is_cancelled(self):
        """Closing is the end, told once, also when it happens twice."""
        told = []
        attempt = Attempt(smartcar(on_complete=lambda *outcome: told.append(outcome)), ports=[0])
        attempt.close()
        attempt.close()
        assert [type(error) for error, _ in told] == [Cancelled]
        with pytest.raises(Cancelled):
            attempt.poll()

    def test_answer_brought_by_hand(self, attempt):
        """The address copied out of another browser counts like the one that came to the port."""
        with pytest.raises(InvalidResponse):
            attempt.receive("hello")
        with pytest.raises(StateMismatch):
            attempt.receive(f"{attempt.redirect_uri}?code=c&state=another")
        response = attempt.receive(f"{attempt.redirect_uri}?{granted(attempt)}")
        assert attempt.wait() is response

    def test_denial_brought_by_hand_ends_the_attempt(self, attempt):
        """It is Connect's answer, whichever way it came."""
        with pytest.raises(AccessDenied):
            attempt.receive(f"error=access_denied&state={sent(attempt)['state']}")
        with pytest.raises(AccessDenied):
            attempt.wait()


class TestStrays:
    @pytest.mark.parametrize(
        ("request_", "status"),
        [
            ({"path": "/favicon.ico"}, 404),
            ({"path": "/"}, 404),
            ({"path": "/callback/"}, 404),
            ({"path": "/%63allback"}, 404),
            ({"path": "//localhost/callback"}, 404),
            ({"path": "http://localhost/callback"}, 404),
            ({"method": "HEAD"}, 405),
            ({"method": "POST"}, 405),
            ({"method": "OPTIONS"}, 405),
            ({"method": "get"}, 405),
            ({"host": None}, 400),
            ({"host": "localhost:{port}\r\nHost: localhost:{port}"}, 400),
            ({"raw": b"\r\n\r\n"}, 400),
            ({"raw": b"GET /callback\r\n\r\n"}, 400),
            ({"raw": b"GET /callback HTTP/2\r\nHost: localhost\r\n\r\n"}, 400),
            ({"raw": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"}, 400),
            ({"raw": b"A" * 40_000}, 431),
        ],
        ids=str,
    )
    def test_stray_request_is_answered_and_ends_nothing(self, attempt, request_, status):
        """Even with the right state in it."""
        assert Browser(attempt).asks(granted(attempt), **request_)[0] == status
        assert attempt.poll() is None
        Browser(attempt).asks(granted(attempt))
        assert attempt.wait().code == CODE

    @pytest.mark.parametrize(
        "host",
        [
            "evil.example:{port}",
            "localhost.evil.example:{port}",
            "evil.example",
            "localhost",
            "localhost:1",
            "localhost.:{port}",
            "127.0.0.2:{port}",
            "localhost:{port}@evil.example",
            "",
        ],
    )
    def test_name_rebound_to_this_machine_reaches_nothing(self, attempt, host):
        """A page at evil.example whose name now resolves to 127.0.0.1 is not let in, right state or not."""
        assert Browser(attempt).asks(granted(attempt), host=host)[0] == 421
        assert attempt.poll() is None

    @pytest.mark.parametrize(
        "host", ["localhost:{port}", "LOCALHOST:{port}", "127.0.0.1:{port}", "[::1]:{port}"]
    )
    def test_names_that_nobody_else_owns_reach_it(self, attempt, host):
        """These resolve here whatever a name server says."""
        assert Browser(attempt).asks(granted(attempt), host=host)[0] == 200
        assert attempt.wait().code == CODE

    def test_silent_connections_hold_up_nobody(self, attempt):
        """Browsers open spare connections; a hundred of them, and some that send a little, are no matter."""
        silent = [socket.create_connection(("127.0.0.1", attempt.port)) for _ in range(20)]
        for number in range(80):
            attempt.poll()
            silent.append(socket.create_connection(("127.0.0.1", attempt.port)))
            silent[-1].sendall(b"GET /callback?"[: number % 14])
        assert silent[0].recv(1) == b""  # let go, for it was the one that had been silent the longest
        assert Browser(attempt).asks(granted(attempt))[0] == 200
        assert attempt.wait().code == CODE
        for one in silent:
            one.close()

    def test_request_arrives_in_pieces(self, attempt):
        """A head is read to its end, however it is cut."""
        browser = Browser(attempt)
        for (
            byte
        ) in f"GET /callback?{granted(attempt)} HTTP/1.1\r\nHost: localhost:{attempt.port}\r\n\r".encode():
            browser.connection.sendall(bytes([byte]))
            assert attempt.poll() is None
        assert browser.asks(raw=b"\n")[0] == 200
        assert attempt.wait().code == CODE

    def test_connection_that_breaks_changes_nothing(self, attempt):
        """Closed or reset in the middle of a request."""
        for how in (b"", b"\x01\x00\x00\x00\x00\x00\x00\x00"):
            browser = Browser(attempt)
            browser.connection.sendall(b"GET /callback?")
            assert attempt.poll(0.1) is None
            if how:
                browser.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, how)
            browser.connection.close()
            assert attempt.poll(0.1) is None
        Browser(attempt).asks(granted(attempt))
        assert attempt.wait().code == CODE

    def test_crowd_does_not_keep_poll_from_returning(self, attempt):
        """A window's timer gets its turn whoever knocks: of sixty requests that are there it sees to half."""
        crowd = [
            socket.create_connection((one, attempt.port)) for one in ("127.0.0.1", "::1") for _ in range(30)
        ]
        for one in crowd:
            one.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert attempt.poll(1) is None
        assert len(select.select(crowd, [], [], 0)[0]) == 32
        for one in crowd:
            one.close()


class TestPage:
    def test_page_is_whole_in_one_answer(self, attempt):
        """No script, no inline style, nothing more to ask for; the stylesheet is that of the other pages."""
        _, fields, body = Browser(attempt).asks(granted(attempt))
        assert "<script" not in body
        assert "style=" not in body
        assert "<style" not in body
        links = dict(re.findall('<link rel="([a-z]+)" href="([^"]*)"', body))
        assert links["icon"] == "data:,"
        kind, _, content = links["stylesheet"].partition(";base64,")
        assert kind == "data:text/css"
        sheet = SOURCES / "smartcar_auth" / "web" / "static" / "page.css"
        assert base64.b64decode(content) == sheet.read_bytes()
        assert '<html lang="en">' in body
        assert "<main" in body
        assert fields["Cache-Control"] == "no-store"
        assert fields["Referrer-Policy"] == "no-referrer"
        assert fields["X-Content-Type-Options"] == "nosniff"
        policy = fields["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "script-src" not in policy

    def test_page_repeats_nothing_of_the_request(self, attempt):
        """Neither the code nor what an attacker wrote."""
        for query in ("code=%3Cb%3Exyz%3C/b%3E&state=xyz", granted(attempt)):
            _, _, body = Browser(attempt).asks(query)
            assert "xyz" not in body
            assert CODE not in body

    def test_words_need_no_escaping(self):
        """The page writes them as they are."""
        assert all(text == html.escape(text, quote=False) for words in WORDS.values() for text in words)


class TestPort:
    @pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
    def test_both_addresses_are_answered(self, attempt, address):
        """Whichever of the two "localhost" means to a browser."""
        assert Browser(attempt, address).asks(granted(attempt))[0] == 200
        assert attempt.wait().code == CODE

    @pytest.mark.parametrize(("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
    def test_both_addresses_are_held_from_the_beginning(self, attempt, family, address):
        """Nobody else gets either between the choice of the port and the answer."""
        with socket.socket(family) as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with pytest.raises(OSError, match="Address already in use"):
                other.bind((address, attempt.port))

    def test_no_other_interface_is_answered(self, attempt):
        """The machine's own address on a network finds nothing."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as route:
            route.connect(("192.0.2.1", 9))  # sends nothing; says which address would be used
            own = route.getsockname()[0]
        assert not own.startswith("127.")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((own, attempt.port), timeout=10)

    @pytest.mark.parametrize(
        ("family", "address"),
        [
            (socket.AF_INET, "127.0.0.1"),
            (socket.AF_INET6, "::1"),
            (socket.AF_INET, "0.0.0.0"),
            (socket.AF_INET6, "::"),
        ],
    )
    def test_port_held_by_another_in_either_family_is_taken(self, attempt, family, address):
        """The next candidate is tried, and nothing of the first is kept; with none left it is said in words."""
        attempt.close()
        with socket.socket(family) as other:
            other.bind((address, attempt.port))
            other.listen()
            with Attempt(smartcar(), ports=[attempt.port, 0]) as second:
                assert second.port != attempt.port
            with pytest.raises(PortUnavailable, match=rf"{attempt.port} \(Address already in use\)"):
                Attempt(smartcar(), ports=[attempt.port])
        Attempt(smartcar(), ports=[attempt.port]).close()

    def test_port_is_free_for_the_next_attempt_at_once(self):
        """Connections of the last one, which the system remembers for a minute, are no hindrance."""
        port = 0
        for _ in range(3):
            with Attempt(smartcar(), ports=[port]) as attempt:
                port = attempt.port
                Browser(attempt).asks(granted(attempt))
                assert attempt.wait().code == CODE

    def test_two_attempts_at_once_have_a_port_each(self, attempt):
        """They share their candidates, and neither takes the other's answer."""
        ports = [attempt.port, 0]
        with Attempt(smartcar(), ports=ports) as other:
            assert Browser(other).asks(granted(attempt))[0] == 400
            assert Browser(attempt).asks(granted(other))[0] == 400
            Browser(other).asks(granted(other))
            Browser(attempt).asks(granted(attempt))
            assert other.wait().state != attempt.wait().state

    def test_only_one_family_on_this_machine(self):
        """Without IPv6 the port is held on 127.0.0.1 alone, and the flow works."""
        script = """
        import socket
        from hosts.test_loopback import *
        try:
            socket.socket(socket.AF_INET6).bind(("::1", 0))
            raise SystemExit("there is IPv6 here after all")
        except OSError:
            pass
        with Attempt(smartcar(), ports=[0]) as attempt:
            Browser(attempt).asks(granted(attempt))
            print(attempt.wait().code)
        """
        done = run_python(script, network("net.ipv6.conf.all.disable_ipv6=1"))
        assert (done.stdout, done.stderr) == (f"{CODE}\n", "")

    def test_any_free_port_is_free_on_both_addresses(self):
        """The system chooses it by one of them; where the other is taken, it is asked again."""
        script = """
        from hosts.test_loopback import *
        taken = [socket.create_server(("::1", port), family=socket.AF_INET6) for port in (40000, 40001)]
        for _ in range(20):
            with Attempt(smartcar(), ports=[0]) as attempt:
                assert attempt.port in range(40002, 40008)
        """
        done = run_python(script, network("net.ipv4.ip_local_port_range=40000 40007"))
        assert done.stderr == ""

    def test_redirect_uri_says_the_port(self, attempt):
        """Byte for byte as registered, without a list of ports."""
        attempt.close()
        uri = f"http://localhost:{attempt.port}/a/b?c=d"
        with Attempt(smartcar(redirect_uri=uri)) as made:
            assert (made.redirect_uri, made.port) == (uri, attempt.port)
            assert sent(made)["redirect_uri"] == uri
            assert Browser(made).asks("c=d&" + granted(made), path="/a/b")[0] == 200

    @pytest.mark.parametrize("rest", ["", "/", "?a=b", "/deep/er", "/%C3%A9?x=/y"])
    @pytest.mark.parametrize("host", ["localhost", "LocalHost", "127.0.0.1", "[::1]"])
    def test_ports_replace_the_redirect_uris_own(self, host, rest):
        """Only the port changes."""
        with Attempt(smartcar(redirect_uri=f"http://{host}:1{rest}"), ports=[0]) as made:
            assert made.redirect_uri == f"http://{host}:{made.port}{rest}"
            assert sent(made)["redirect_uri"] == made.redirect_uri
            path = urlsplit(made.redirect_uri).path or "/"
            assert Browser(made).asks(granted(made), path=path)[0] == 200

    def test_port_80_is_not_written(self):
        """http's own port stands neither in the redirect URI nor in the Host field."""
        with Attempt(smartcar(redirect_uri="http://localhost/callback")) as made:
            assert (made.redirect_uri, made.port) == ("http://localhost/callback", 80)
            assert Browser(made).asks(granted(made), host="localhost")[0] == 200

    @pytest.mark.parametrize(
        ("uri", "path"),
        [
            ("https://hub.example/user/you/proxy/PORT/callback", "/callback"),
            (
                "https://hub.example/user/you/proxy/absolute/PORT/callback",
                "/user/you/proxy/absolute/PORT/callback",
            ),
            ("http://localhost:8888/proxy/PORT/a/b", "/a/b"),
            ("https://hub.example/proxy/PORT/callback?app=1", "/callback"),
            ("https://hub.example/hub/user-redirect/proxy/PORT/callback", "/callback"),
        ],
    )
    def test_redirect_uri_through_jupyter_server_proxy(self, uri, path):
        """It names the port. One of the proxy's routes takes its own part of the path away, the other leaves it."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        uri, path = uri.replace("PORT", str(port)), path.replace("PORT", str(port))
        with Attempt(smartcar(redirect_uri=uri)) as made:
            assert (made.port, made.proxied, made.redirect_uri) == (port, True, uri)
            assert sent(made)["redirect_uri"] == uri
            assert Browser(made).asks(granted(made), path=f"{path}/more")[0] == 404
            assert Browser(made).asks(granted(made), path=path)[0] == 200
            assert made.wait().code

    @pytest.mark.parametrize(
        "uri",
        [
            "https://hub.example/proxy/0/callback",
            "https://hub.example/proxy/99999/callback",
            "https://hub.example/proxy/8000",
            "https://hub.example/?next=/proxy/8000/callback",
        ],
    )
    def test_redirect_uri_that_leads_through_no_proxy(self, uri):
        """It leads to another machine, then."""
        with pytest.raises(ConfigurationError, match="http://localhost:PORT"):
            Attempt(smartcar(redirect_uri=uri))

    def test_ports_that_are_named_leave_out_the_proxy(self):
        """A list of ports says what is held; with an empty one the answer is brought."""
        uri = "http://localhost:8888/proxy/8000/callback"
        with Attempt(smartcar(redirect_uri=uri), ports=[0]) as made:
            assert made.redirect_uri == f"http://localhost:{made.port}/proxy/8000/callback"
        with Attempt(smartcar(redirect_uri=uri), ports=[]) as made:
            assert (made.port, made.proxied) == (None, False)

    @pytest.mark.parametrize(
        ("options", "more", "words"),
        [
            ({}, {}, "No port is known"),
            ({"redirect_uri": "https://app.example.com/callback"}, {}, "http://localhost:PORT"),
            ({"redirect_uri": "scan-application://host"}, {}, "http://localhost:PORT"),
            ({}, {"ports": 8000}, "list of port numbers"),
            ({}, {"ports": [65536]}, "list of port numbers"),
            ({}, {"ports": [-1]}, "list of port numbers"),
            ({}, {"ports": ["8000"]}, "list of port numbers"),
            ({}, {"ports": [True]}, "list of port numbers"),
            ({}, {"ports": [0], "timeout_seconds": 0}, "timeout_seconds"),
            ({}, {"ports": [0], "timeout_seconds": float("nan")}, "timeout_seconds"),
            ({}, {"ports": [0], "make": ""}, "make"),
        ],
    )
    def test_mistakes_are_said_before_a_port_is_held(self, options, more, words):
        """In words that name the remedy."""
        with pytest.raises(ConfigurationError, match=words):
            Attempt(smartcar(**options), **more)

    @pytest.mark.parametrize("name", ["state", "app_origin", "mkae"])
    def test_unknown_option_is_refused(self, name):
        """The state, too, is not the caller's to choose."""
        with pytest.raises(TypeError):
            Attempt(smartcar(), ports=[0], **{name: "x"})

    def test_options_reach_connect(self):
        """Those of get_auth_url."""
        options = {"make": "TESLA", "single_select_vin": "0" * 17, "flags": {"country": "DE"}, "user": "u"}
        with Attempt(smartcar(), ports=[0], force_prompt=True, **options) as made:
            assert sent(made) | {"make": "TESLA", "flags": "country:DE", "approval_prompt": "force"} == sent(
                made
            )


def network(setting):
    """What runs a command in a network of its own, with this setting of the kernel's."""
    prepare = f'ip link set lo up && sysctl -qw "{setting}" && exec "$@"'
    return ["unshare", "--map-root-user", "--net", "sh", "-c", prepare, "sh"]


def run_python(script, command=(), **options):
    """A script in a Python of its own, with the tests importable."""
    path = os.pathsep.join([str(SOURCES), str(Path(__file__).parent.parent)])
    return subprocess.run(
        [*command, sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": path, **options},
    )


PROGRAM = """
import os
import sys
from smartcar_auth import Smartcar
from smartcar_auth.hosts.loopback import connect
told = lambda error, response: print("told", "granted" if error is None else error.code)
client = Smartcar(application_id="an-application", redirect_uri=os.environ.get("URI"), on_complete=told)
options = {OPTIONS}
try:
    print("code", connect(client, **{"ports": [0], **options}).code)
finally:
    print("over")
"""


def program(**options):
    """The arguments of a Python that connects."""
    return [sys.executable, "-c", PROGRAM.replace("{OPTIONS}", repr(options))]


def environment(**variables):
    """This one's, without a screen or a browser, and with these variables."""
    gone = ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY", "SSH_CONNECTION")
    kept = {name: value for name, value in os.environ.items() if name not in gone}
    return {**kept, "PYTHONPATH": str(SOURCES), "TERM": "xterm", "USER": "ann", **variables}


def shown(terminal):
    """The address on the screen, on a line of its own: Connect's, the redirect URI, the state."""
    url = terminal.shows(r"\n(https://connect\.smartcar\.com/\S+)\n")[1]
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    return url, query["redirect_uri"], query["state"]


class TestTerminal:
    def test_address_is_pasted_without_a_port(self):
        """The prompt is all there is; when nothing more can be pasted, that is the end."""
        with Terminal(
            *program(ports=[]),
            env=environment(),
        ) as terminal:
            state = terminal.shows(r"&state=(\S+)\n")[1]
            terminal.shows("paste here the address")
            terminal.types(f"http://localhost/?code={CODE}&state={state}\n")
            terminal.shows(f"code {CODE}")
            assert terminal.ends() == 0
        with Terminal(*program(ports=[]), env=environment()) as terminal:
            terminal.shows("paste here the address")
            terminal.types("\x04")
            terminal.shows("told cancelled")
            assert terminal.ends() == 1

    def test_nobody_may_paste_without_a_port(self):
        """It is said at once, or the wait would be for nothing."""
        with pytest.raises(ConfigurationError, match="has to be pasted"):
            connect(smartcar(), ports=[], paste=False)
        with pytest.raises(ConfigurationError, match="has to be pasted"):
            connect(smartcar(), ports=[], say=None)

    def test_address_is_pasted_where_no_browser_is(self):
        """It says the address and the ways, takes what is pasted, and says what it can't use."""
        with Terminal(*program(), env=environment()) as terminal:
            _, redirect_uri, state = shown(terminal)
            port = urlsplit(redirect_uri).port
            terminal.shows("No browser opens here")
            terminal.shows(f"ssh -L {port}:localhost:{port} user@this-machine")
            terminal.shows("--network=host")
            terminal.shows("WSL")
            terminal.shows("paste here the address")
            terminal.types("hello\n")
            terminal.shows("isn't the address at which this attempt ends")
            terminal.types(f"\n  {redirect_uri}?code={CODE}&state={state}  \n")
            terminal.shows(f"code {CODE}")
            assert terminal.ends() == 0

    def test_denial_that_is_pasted(self):
        """It ends the attempt like one that came to the port."""
        with Terminal(*program(), env=environment()) as terminal:
            _, redirect_uri, state = shown(terminal)
            terminal.types(f"{redirect_uri}?error=access_denied&state={state}\n")
            terminal.shows("told access_denied")
            terminal.shows("AccessDenied")
            assert terminal.ends() == 1

    def test_answer_that_makes_no_sense_is_pasted(self):
        """It ends the attempt, too."""
        with Terminal(*program(), env=environment()) as terminal:
            _, redirect_uri, state = shown(terminal)
            terminal.types(f"{redirect_uri}?state={state}\n")
            terminal.shows("told missing_parameter")
            assert terminal.ends() == 1

    def test_browser_answers_while_the_prompt_waits(self):
        """Both roads are open: half a line has been typed, and the answer comes to the port."""
        with Terminal(*program(), env=environment()) as terminal:
            _, redirect_uri, state = shown(terminal)
            terminal.types("half a li")
            port = urlsplit(redirect_uri).port
            with socket.create_connection(("::1", port)) as browser:
                browser.sendall(
                    f"GET /callback?code={CODE}&state={state} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n".encode()
                )
                terminal.shows(f"code {CODE}")
            assert terminal.ends() == 0

    @pytest.mark.parametrize("how", ["key", "signal"])
    def test_ctrl_c(self, how):
        """KeyboardInterrupt for the program, Cancelled for on_complete, and the port is free."""
        with Terminal(*program(), env=environment()) as terminal:
            _, redirect_uri, _ = shown(terminal)
            terminal.shows("paste here")
            if how == "key":
                terminal.types("\x03")
            else:
                terminal.process.send_signal(signal.SIGINT)
            terminal.shows("told cancelled")
            terminal.shows("over")
            terminal.shows("KeyboardInterrupt")
            assert terminal.ends() in (-signal.SIGINT, 130)
        Attempt(smartcar(), ports=[urlsplit(redirect_uri).port]).close()

    def test_end_of_input_leaves_the_other_road(self):
        """Ctrl-D closes the prompt, not the port."""
        with Terminal(*program(timeout_seconds=2), env=environment()) as terminal:
            shown(terminal)
            terminal.types("\x04")
            terminal.shows("told timeout")
            assert terminal.ends() == 1

    def test_terminal_of_a_program_that_reads_it_itself(self):
        """With paste=False nothing is read, and nothing is said of it."""
        script = PROGRAM.replace("{OPTIONS}", "{'paste': False, 'timeout_seconds': 1}") + "\nprint(input())"
        script = script.replace("finally:", "except TimeoutError:")
        with Terminal(sys.executable, "-c", script, env=environment()) as terminal:
            shown(terminal)
            terminal.types("for the program\n")
            terminal.shows("over\nfor the program")
            assert terminal.ends() == 0
            assert "paste" not in terminal.screen

    def test_job_in_the_background_does_not_touch_the_terminal(self):
        """Who reads it from there is stopped; the line is the shell's."""
        shell = 'set -m; "$0" "$@" & sleep 1; read line; echo "shell read $line"; wait'
        options = {"timeout_seconds": 3}
        with Terminal("bash", "-c", shell, *program(**options), env=environment()) as terminal:
            shown(terminal)
            terminal.types("for the shell\n")
            terminal.shows("shell read for the shell")
            terminal.shows("told timeout")

    def test_program_without_a_terminal(self):
        """It says the address, offers no prompt, and waits."""
        options = {"timeout_seconds": 0.5, "browser": None}
        done = subprocess.run(
            program(**options), env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        assert re.search(r"\n(https://connect\.smartcar\.com/\S+)\n", done.stderr)
        assert "ssh -L" in done.stderr
        assert "paste here" not in done.stderr
        assert done.stdout == "told timeout\nover\n"
        assert "ConnectTimeout" in done.stderr

    def test_nobody_to_tell_and_no_browser(self):
        """With say=None the error says it at once."""
        done = subprocess.run(
            program(say=None), env=environment(), capture_output=True, text=True, timeout=60
        )
        assert done.stdout == "told browser_unavailable\nover\n"
        assert "BrowserUnavailable" in done.stderr
        assert "https://" not in done.stderr

    @pytest.mark.parametrize(
        ("port", "way"),
        [("22", "ann@192.0.2.1"), ("2222", "-p 2222 ann@192.0.2.1"), ("", "user@this-machine")],
    )
    def test_way_over_ssh_names_this_machine(self, port, way):
        """As far as sshd told it."""
        env = environment(SSH_CONNECTION=f"192.0.2.7 50000 192.0.2.1 {port}")
        with Terminal(*program(browser=None), env=env) as terminal:
            terminal.shows(rf"ssh -L (\d+):localhost:\1 {re.escape(way)}\n")


def executable(folder, name, *lines):
    """A shell script on the way to be found."""
    path = folder / name
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)
    return path


class TestBrowser:
    """What is run is a real program; that it is a browser is for tests/browser/test_loopback.py."""

    def run(self, folder, *, until, options=None, **variables):
        """Connect with a command in reach, until something is on the screen; the address it was given, and the screen.

        Without `until`, until the command was given an address.
        """
        env = environment(**{name: value.format(folder) for name, value in variables.items()})
        opened = folder / "opened"
        with Terminal(*program(**(options or {})), env=env) as terminal:
            shown(terminal)
            if until:
                terminal.shows(until)
            deadline = time.monotonic() + 20
            while not until and not opened.exists():
                assert time.monotonic() < deadline, terminal.screen
                time.sleep(0.01)
            terminal.types("\x03")
            terminal.shows("told cancelled")
            terminal.ends()
            return opened.read_text() if opened.exists() else "", terminal.screen

    def test_browser_of_the_environment_opens_connect(self, tmp_path):
        """BROWSER is given the very address that is said; that its command ends at once is no failure."""
        executable(tmp_path, "browser", f'echo "$@" > {tmp_path}/new', f"mv {tmp_path}/new {tmp_path}/opened")
        opened, said = self.run(tmp_path, until=None, BROWSER="{}/browser %s &")
        assert f"\n{opened}" in said
        assert "No browser opens" not in said

    def test_browser_that_does_not_return_blocks_nothing(self, tmp_path):
        """Without "&" the library waits for the browser to be closed; Ctrl-C ends the attempt meanwhile."""
        executable(
            tmp_path,
            "browser",
            f"echo $$ > {tmp_path}/new",
            f"mv {tmp_path}/new {tmp_path}/opened",
            "exec sleep 100",
        )
        process, _ = self.run(tmp_path, until=None, BROWSER="{}/browser %s")
        with contextlib.suppress(ProcessLookupError):  # the key was for it, too
            os.kill(int(process), signal.SIGTERM)

    @pytest.mark.parametrize("command", ["{}/browser %s", "{}/missing %s", "{}/missing %s &"])
    def test_browser_that_fails(self, tmp_path, command):
        """It is said, with the ways from elsewhere."""
        executable(tmp_path, "browser", "exit 3")
        self.run(tmp_path, until="No browser opens here(.|\n)*ssh -L", BROWSER=command)

    @pytest.mark.parametrize(
        ("around", "line"),
        [
            ({"JUPYTERHUB_SERVICE_PREFIX": "/user/ann/"}, r"https://THE-HUB/user/ann/proxy/\d+/callback"),
            ({"TERM_PROGRAM": "vscode"}, r"the editor forwards port \d+"),
        ],
    )
    def test_ways_begin_with_the_one_that_fits(self, tmp_path, around, line):
        """On a JupyterHub and in VS Code the program knows how a browser gets here."""
        self.run(tmp_path, until=line, options={"browser": None}, **around)

    def test_answer_through_a_proxy_is_said_so(self, tmp_path):
        """SSH would be no help."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        uri = f"https://hub.example/user/ann/proxy/{port}/callback"
        with Terminal(*program(browser=None, ports=None), env=environment(URI=uri)) as terminal:
            terminal.shows(f"The answer comes to {uri}, which is passed on to port {port} here")
            assert "ssh" not in terminal.screen
            terminal.types("\x03")
            terminal.ends()

    def test_browser_that_shows_nothing(self, tmp_path):
        """Its success proves nothing: the address was said from the beginning, and after a while so are the ways."""
        executable(tmp_path, "browser", "exit 0")
        _, said = self.run(tmp_path, until="ssh -L", options={"timeout_seconds": 8}, BROWSER="{}/browser %s")
        assert re.search(r"If it doesn't, open this address:\n\n(https://\S+)\n", said)
        assert "No browser opens" not in said

    def test_browser_of_another_kind(self):
        """A misspelt one is no silent default; the port is free again."""
        with Attempt(smartcar(), ports=[0]) as attempt:
            port = attempt.port
        with pytest.raises(ConfigurationError, match='"system" or as "app"'):
            connect(smartcar(), ports=[port], browser="chromium")
        Attempt(smartcar(), ports=[port]).close()

    def test_browser_of_text_is_left_alone(self, tmp_path):
        """It would take over the terminal, and Connect needs scripts."""
        executable(tmp_path, "w3m", f'echo "$@" > {tmp_path}/opened')
        opened, _ = self.run(tmp_path, until="No browser opens here", PATH="{}:/usr/bin:/bin")
        assert opened == ""

    def test_window_like_an_apps(self, tmp_path):
        """A browser of Chromium's family is asked for one; its own messages stay out of ours."""
        lines = [
            "echo noise",
            "echo noise >&2",
            f'echo "$@" > {tmp_path}/new',
            f"mv {tmp_path}/new {tmp_path}/opened",
        ]
        executable(tmp_path, "chromium", *lines)
        opened, said = self.run(tmp_path, until=None, options={"browser": "app"}, PATH="{}:/usr/bin:/bin")
        assert opened.startswith("--app=https://connect.smartcar.com/")
        assert "noise" not in said

    def test_window_like_an_apps_where_it_fails(self, tmp_path):
        """The person's browser opens instead."""
        for name in ("google-chrome", "chromium"):
            executable(tmp_path, name, "exit 1")
        executable(tmp_path, "browser", f'echo "$@" > {tmp_path}/new', f"mv {tmp_path}/new {tmp_path}/opened")
        where = {"PATH": "{}:/usr/bin:/bin", "BROWSER": "{}/browser %s"}
        opened, _ = self.run(tmp_path, until=None, options={"browser": "app"}, **where)
        assert opened.startswith("https://connect.smartcar.com/")

    def test_no_browser_is_asked_for(self, tmp_path):
        """With browser=None the address and the ways are said at once, and none opens."""
        executable(tmp_path, "browser", f'echo "$@" > {tmp_path}/opened')
        opened, said = self.run(tmp_path, until="ssh -L", options={"browser": None}, BROWSER="{}/browser %s")
        assert opened == ""
        assert said.startswith("Open this address:\n\nhttps://")

    def test_browser_that_the_program_registered(self):
        """`webbrowser` decides: what was registered there is used."""
        script = """
        import webbrowser
        from smartcar_auth import Smartcar
        from smartcar_auth.hosts.loopback import Attempt, accompany
        class Registered(webbrowser.BaseBrowser):
            def open(self, url, new=0, autoraise=True):
                print("opened", url == attempt.url)
                attempt.cancel()
                return True
        webbrowser.register("registered", None, Registered(), preferred=True)
        with Attempt(Smartcar(application_id="an-application"), ports=[0]) as attempt:
            accompany(attempt, say=None)
        """
        done = run_python(script)
        assert done.stdout == "opened True\n"
        assert "Cancelled" in done.stderr

    def test_browser_whose_command_has_ended_already(self):
        """It has handed the address to one that was running; `webbrowser` reads that as a failure, this does not."""
        script = """
        import webbrowser
        from smartcar_auth import ConnectTimeout, Smartcar
        from smartcar_auth.hosts.loopback import connect
        class Ended(webbrowser.BackgroundBrowser):
            def open(self, url, new=0, autoraise=True):
                return False
        webbrowser.register("ended", None, Ended("true"), preferred=True)
        try:
            connect(Smartcar(application_id="an-application"), ports=[0], timeout_seconds=1, say=None)
        except ConnectTimeout as error:
            print(error.code)
        """
        assert run_python(script).stdout == "timeout\n"


class TestEventLoop:
    """The asyncio twin."""

    def answering(self, query, when=None):
        """A `say` that hears the address and answers it from a thread, as a browser would; after `when`, if given."""
        heard = []

        def say(text):
            heard.append((text, threading.current_thread() is threading.main_thread()))
            url = re.search(r"https://\S+", text)
            if url:
                sent = {name: values[0] for name, values in parse_qs(urlsplit(url[0]).query).items()}
                port = urlsplit(sent["redirect_uri"]).port

                def answer():
                    assert when is None or when.wait(10)
                    with socket.create_connection(("127.0.0.1", port)) as browser:
                        target = f"/callback?{query}&state={sent['state']}"
                        browser.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n".encode())
                        browser.recv(65536)

                threading.Thread(target=answer).start()

        return say, heard

    def test_loop_goes_on_while_the_person_is_at_connect(self):
        """The response comes back, on_complete is awaited, and what is said is said in the loop's thread."""
        ticked = threading.Event()
        say, heard = self.answering(f"code={CODE}", ticked)
        told = []

        async def on_complete(error, response):
            await asyncio.sleep(0)
            told.append((error, response, threading.current_thread() is threading.main_thread()))

        async def tick():
            for _ in range(10):
                await asyncio.sleep(0.001)
            ticked.set()

        async def main():
            client = smartcar(on_complete=on_complete)
            waiting = connect_async(client, ports=[0], browser=None, say=say)
            return (await asyncio.gather(waiting, tick()))[0]

        response = asyncio.run(main())
        assert response.code == CODE
        assert told == [(None, response, True)]
        assert {where for _, where in heard} == {True}

    def test_error_is_raised_in_the_task(self):
        """And told; a plain function will do."""
        say, _ = self.answering("error=access_denied")
        told = []
        client = smartcar(on_complete=lambda error, response: told.append((error, response)))
        with pytest.raises(AccessDenied) as raised:
            asyncio.run(connect_async(client, ports=[0], browser=None, say=say))
        assert told == [(raised.value, None)]

    def test_cancelled_task_frees_the_port(self):
        """It is told as Cancelled; no thread stays behind."""
        told = []
        client = smartcar(on_complete=lambda error, response: told.append(error.code))

        async def main():
            attempt = Attempt(smartcar(), ports=[0])
            attempt.close()
            task = asyncio.create_task(connect_async(client, ports=[attempt.port], browser=None, say=None))
            await asyncio.sleep(0.2)
            with pytest.raises(PortUnavailable):
                Attempt(smartcar(), ports=[attempt.port])
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            Attempt(smartcar(), ports=[attempt.port]).close()

        before = set(threading.enumerate())
        asyncio.run(main())
        assert told == ["cancelled"]
        assert set(threading.enumerate()) <= before

    def test_time_limit_of_the_loop(self):
        """asyncio.timeout ends it like any other wait."""

        async def main():
            async with asyncio.timeout(0.3):
                await connect_async(smartcar(), ports=[0], browser=None, say=None)

        with pytest.raises(TimeoutError):
            asyncio.run(main())

    def test_ctrl_c_in_an_event_loop(self):
        """KeyboardInterrupt, Cancelled and a free port, within a moment."""
        script = PROGRAM.replace("connect(client", "asyncio.run(connect_async(client").replace(
            ").code)", ")).code)"
        )
        script = script.replace("import connect", "import connect_async; import asyncio").replace(
            "{OPTIONS}", "{}"
        )
        with Terminal(sys.executable, "-c", script, env=environment()) as terminal:
            _, redirect_uri, _ = shown(terminal)
            terminal.types("\x03")
            terminal.shows("told cancelled")
            terminal.shows("KeyboardInterrupt")
            terminal.ends()
        Attempt(smartcar(), ports=[urlsplit(redirect_uri).port]).close()


class TestStart:
    def test_import_is_light(self):
        """What takes long to import isn't: the browser is on its way before that."""
        heavy = {
            "asyncio",
            "typing",
            "dataclasses",
            "urllib.parse",
            "http.server",
            "email",
            "ssl",
            "json",
            "webbrowser",
        }
        script = "import smartcar_auth.hosts.loopback, sys; print('\\n'.join(sys.modules))"
        loaded = run_python(script).stdout.split()
        assert "smartcar_auth.hosts.loopback" in loaded
        assert heavy & set(loaded) == set()
        assert not [name for name in loaded if name.startswith("smartcar_auth.web")]

    @pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
    def test_every_python_we_support(self, version):
        """The whole flow with nothing but the standard library in reach, and no warning."""
        this = f"{sys.version_info.major}.{sys.version_info.minor}"
        found = [sys.executable] if version == this else interpreters(version)
        usable = [
            one for one in found if subprocess.run([one, "-c", "pass"], capture_output=True).returncode == 0
        ]
        if not usable:
            pytest.skip(f"no Python {version} on this machine")
        script = f"""
import re, socket, sys, threading
sys.path.insert(0, {str(SOURCES)!r})
from smartcar_auth import Smartcar
from smartcar_auth.hosts.loopback import connect
def say(text):
    found = re.search(r"localhost%3A(\\d+).*&state=(\\S+)", text)
    if found:
        def answer():
            with socket.create_connection(("127.0.0.1", int(found[1]))) as browser:
                head = f"GET /callback?code=c&state={{found[2]}} HTTP/1.1\\r\\nHost: localhost:{{found[1]}}"
                browser.sendall(head.encode() + b"\\r\\n\\r\\n")
                print(browser.recv(15))
        threading.Thread(target=answer).start()
print(connect(Smartcar(application_id="a"), ports=[0], browser=None, say=say).code)
"""
        done = subprocess.run(
            [usable[0], "-I", "-S", "-X", "dev", "-W", "error", "-c", script],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.stderr == ""
        assert sorted(done.stdout.split("\n")) == ["", "b'HTTP/1.1 200 OK'", "c"]
