"""One request at a time, to servers that say what they please: an answer, or a sentence that says why there is none."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doctor.patients import complaints, examined, of, one
from redis_server import free_port
from smartcar_auth.doctor import visit
from smartcar_auth.doctor.visit import Answer, Unreachable, Visitor, host_of, origin_of, read_address, resolve

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"


def said_of(url, **options):
    """The one problem that ends the examination."""
    findings = examined(url, **options)
    assert complaints(findings)[-1] == ("problem", "reachable")
    return of(findings, "reachable")[0][1]


def saying(*pieces, pause=0.0, hold=False):
    """A server's part: read the request, then say these bytes, one after the other."""

    def say(line):
        line.recv(65_536)
        for piece in pieces:
            line.sendall(piece)
            time.sleep(pause)
        if not hold:
            line.close()

    return say


# -- no answer


def test_port_where_nothing_listens_is_named():
    """The usual mistake: the app isn't running, or elsewhere."""
    port = free_port()
    assert said_of(f"http://localhost:{port}") == (
        f"Nothing listens on localhost:{port}: start the app, or correct the port."
    )


def test_name_that_is_unknown_is_named():
    """RFC 2606 keeps .invalid unknown."""
    assert "The name in app.invalid is not known here" in said_of("http://app.invalid/")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        # A broadcast, which the kernel refuses; without a network, a little earlier.
        ("http://255.255.255.255:9/", "(Permission denied|Network is unreachable)"),
        (f"http://{'a' * 64}.example/", "the address can't be used"),
    ],
)
def test_address_that_no_connection_leads_to_is_named(url, reason):
    """With the system's own word, where it has one."""
    assert re.search(rf"can't be reached: {reason}\.$", said_of(url))


@pytest.mark.parametrize(
    "say",
    [
        pytest.param(lambda line: None, id="says nothing"),
        pytest.param(saying(b"HTTP/1.1 200 OK\r\n", hold=True), id="stops within the head"),
        pytest.param(saying(OK, b"Content-Length: 9\r\n\r\n1", hold=True), id="stops within the body"),
        pytest.param(saying(OK, *[b"X: y\r\n"] * 60, pause=0.1), id="never comes to the end of its head"),
        pytest.param(
            saying(OK, b"\r\n", *[b"<p>"] * 200, pause=0.1), id="never comes to the end of its body"
        ),
        pytest.param(saying(*[b"HTTP/1.1 100 Continue\r\n\r\n"] * 200, pause=0.1), id="goes on for ever"),
    ],
)
def test_application_that_hangs_is_left(speak, say):
    """However slowly it speaks, an answer has only its seconds; the examination ends with the first that has none."""
    said = said_of(f"http://localhost:{speak(say)}", seconds=0.3)
    assert "gave no whole answer within 0.3 seconds" in said


@pytest.mark.parametrize(
    ("say", "words"),
    [
        (saying(b"SSH-2.0-OpenSSH_9.2\r\n"), "something that is no HTTP"),
        (saying(b"HTTP/1.1 999999999999 \r\n\r\n"), "something that is no HTTP"),
        (saying(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n"), "something that is no HTTP"),
        (saying(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n"), "something that is no HTTP"),
        (saying(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"), "something that is no HTTP"),
        (saying(b"\x15\x03\x01\x00\x02\x02\x50"), "something that is no HTTP"),
        (saying(), "hangs up without an answer"),
        (saying(b"\r\n"), "something that is no HTTP"),
    ],
)
def test_port_that_speaks_no_http_is_named(speak, say, words):
    """Another program's port, or one that wants TLS."""
    assert words in said_of(f"http://localhost:{speak(say)}")


def test_tls_where_there_is_none_is_named(speak):
    """https:// on a port that speaks plain HTTP."""
    port = speak(saying(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    assert "is it http:// on this port?" in said_of(f"https://localhost:{port}")


def test_certificate_that_is_not_trusted_is_named(patient, proxy, monkeypatch):
    """A self-made authority, unless SSL_CERT_FILE names it."""
    url = proxy(patient().server.port, host="localhost")
    assert of(examined(url), "reachable") == []
    monkeypatch.delenv("SSL_CERT_FILE")
    said = said_of(url)
    assert "is not trusted here" in said
    assert "SSL_CERT_FILE" in said


def test_certificate_for_another_name_is_named(patient, proxy):
    """The authority is trusted, but vouches for somebody else."""
    url = proxy(patient().server.port, host="localhost").replace("localhost", "127.0.0.1")
    assert "is not trusted here" in said_of(url)


# -- an answer


def test_long_answer_is_read_in_part(speak):
    """Its first half megabyte tells what there is to know."""
    lines = OK + b"\r\n" + b"<p>word" * 2_000_000
    answer = Visitor("localhost").get(f"http://localhost:{speak(saying(lines))}/", {})
    assert len(answer.body) == visit.MOST_BYTES


@pytest.mark.parametrize("piece", [b"<a ", b"<", b"<!--", b"</", b'<a b="', b"<!", b"<?", b"&a", b"<script>"])
def test_page_that_is_hard_to_read_ends(speak, piece):
    """As much as is read of what HTML parsers take long for; the visit comes to its end."""
    port = speak(saying(OK + b"\r\n" + piece * (visit.MOST_BYTES // len(piece))))
    findings = examined(f"http://localhost:{port}/")
    assert one(findings, "page")[0] == "warning"


def test_request_is_a_navigations(serve):
    """The address as it is, with the header fields of a browser; an origin alone is its root."""
    asked = []

    async def listening(scope, receive, send):
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        asked.append((scope["raw_path"], scope["query_string"], headers))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    server = serve(listening)
    visitor = Visitor(f"localhost:{server.port}", ["a=1", "b=2"])
    visitor.get(f"{server.origin}/%2Fx/y;z?q=%20&r", {"Accept": "b"}, ["c=3"])
    visitor.get(server.origin, {})
    (path, query, headers), (root, nothing, _) = asked
    assert (path, query) == (b"/%2Fx/y;z", b"q=%20&r")
    assert (root, nothing) == (b"/", b"")
    assert headers["cookie"] == "a=1; b=2; c=3"
    assert headers["host"] == f"localhost:{server.port}"
    assert headers["user-agent"].startswith("smartcar-auth doctor/")
    assert headers["accept"] == "b"


def test_cookies_are_shown_to_their_host_alone(serve):
    """The application's cookie isn't for others, whatever a page names."""
    asked = []

    async def listening(scope, receive, send):
        asked.append(dict(scope["headers"]).get(b"cookie"))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    server = serve(listening)
    Visitor("localhost:1", ["person=ann"]).get(server.origin, {})
    Visitor(f"localhost:{server.port}", ["person=ann"]).get(server.origin, {})
    assert asked == [None, b"person=ann"]


@pytest.mark.parametrize(
    ("status", "location", "there"),
    [
        (303, "/login", "http://localhost:8000/login"),
        (302, "login?a=b#c", "http://localhost:8000/a/login?a=b"),
        (301, "//APP.example.com:80/x", "http://app.example.com/x"),
        (308, "https://app.example.com:443", "https://app.example.com"),
        (200, "/login", None),
        (303, "", None),
        (303, "javascript:alert(1)", None),
        (303, "http://[", None),
        (303, "/é", None),
        (303, "http://ann:secret@localhost/", None),
    ],
)
def test_redirects_are_read_as_far_as_they_lead_somewhere(status, location, there):
    """What can't be visited is no place."""
    found = Answer("http://localhost:8000/a/b", status, [("Location", location)], b"").location
    assert (found and found.geturl()) == there


@pytest.mark.parametrize(
    ("url", "origin", "host"),
    [
        ("http://LOCALHOST:80/a?b", "http://localhost", "localhost"),
        ("https://app.example.com:8443", "https://app.example.com:8443", "app.example.com"),
        ("https://app.example.com:443/", "https://app.example.com", "app.example.com"),
        ("http://[::1]:8000/", "http://[::1]:8000", "::1"),
    ],
)
def test_origin_is_as_browsers_write_it(url, origin, host):
    """Lower case, without the default port."""
    assert origin_of(url) == origin
    assert host_of(url) == host


def test_host_of_nothing_is_nothing():
    """Words of an application's page needn't hold an address."""
    assert host_of("http://[") == ""


@given(st.text(), st.text())
def test_references_are_read_or_are_none(url, reference):
    """Whatever a page or a header field holds."""
    found = resolve("http://localhost:8000" + url, reference)
    assert found is None or read_address(found.geturl()) == found


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 ", b"HTTP/1.1 200 OK\r\n", OK + b"\r\n"])
def test_whatever_a_server_says_is_an_answer_or_none(speak, head):
    """Nothing but an answer, or a sentence, comes of it."""
    content = [b""]
    url = f"http://localhost:{speak(lambda line: saying(content[0])(line))}/"

    @given(st.binary(max_size=200))
    @settings(deadline=None, max_examples=50)
    def visit_(said):
        content[0] = head + said
        try:
            answer = Visitor("localhost", seconds=5).get(url, {})
        except Unreachable:
            return
        assert answer.location is None or answer.location.netloc

    visit_()
