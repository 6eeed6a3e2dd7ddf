"""Which transport fits where, what is said of it, and what jupyter-server-proxy passes on."""

import http.client
import socket
import subprocess
import sys
from urllib.parse import urlsplit

import pytest

from browser.engines import until
from smartcar_auth import ConfigurationError, Smartcar, hosted_redirect_uri
from smartcar_auth.hosts.loopback.place import Place
from smartcar_auth.hosts.notebook.transports import begin, choose, needs_link, words_for

LAB = "http://localhost:8888"
HUB = "https://hub.example"
VSCODE = "vscode-webview://1a2b3c"
LOCAL = "http://localhost:8000/callback"
PROXY = "https://hub.example/user/you/proxy/8000/callback"


def smartcar(redirect_uri):
    return Smartcar(application_id="an-application", redirect_uri=redirect_uri)


@pytest.mark.parametrize(
    ("uri", "around", "page", "transport"),
    [
        (LOCAL, "", None, "loopback"),
        (LOCAL, "", LAB, "loopback"),
        (LOCAL, "", "http://127.0.0.1:2718", "loopback"),
        (LOCAL, "", "http://[::1]:8888", "loopback"),
        (LOCAL, "", "http://localhost", "loopback"),
        (LOCAL, "vscode", VSCODE, "loopback"),
        (None, "", LAB, "loopback"),
        (LOCAL, "", HUB, "paste"),
        (LOCAL, "", "https://localhost.evil.example", "paste"),
        (LOCAL, "colab", None, "paste"),
        (LOCAL, "hub", LAB, "paste"),
        (None, "hub", None, "paste"),
        ("https://app.example/callback", "", LAB, "paste"),
        (hosted_redirect_uri(LAB), "", LAB, "hosted"),
        (hosted_redirect_uri(HUB), "hub", HUB, "hosted"),
        ("https://javascript-sdk.smartcar.com.evil.example/v2/redirect", "", LAB, "paste"),
        (PROXY, "hub", HUB, "proxy"),
        ("http://localhost:8888/proxy/8000/callback", "", LAB, "proxy"),
    ],
)
def test_transport_that_fits(uri, around, page, transport):
    """By the redirect URI, then by who could reach this machine."""
    assert choose(smartcar(uri), Place(around, page)) == transport


@pytest.mark.parametrize(
    ("around", "page", "link"),
    [
        ("", LAB, False),
        ("hub", HUB, False),
        ("colab", HUB, True),
        ("vscode", None, True),
        ("vscode", VSCODE, True),
        ("vscode", LAB, False),
    ],  # JupyterLab, started in a terminal of VS Code
)
def test_front_end_that_needs_a_link(around, page, link):
    """Where scripts open no windows."""
    assert needs_link(Place(around, page)) is link


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        (None, "can’t reach"),
        (LOCAL, "can’t reach"),
        ("https://app.example/callback?app=1", "goes to https://app.example/callback."),
        ("scan-application://host", "goes to scan-application://host."),
    ],
)
def test_words_for_a_paste(uri, words):
    """Whether a page of this machine doesn't load, or the answer goes to another one."""
    assert words in words_for("paste", uri, Place("hub"))


@pytest.mark.parametrize("uri", [None, LOCAL, "https://hub.example/proxy/99999/callback"])
def test_redirect_uri_that_leads_through_no_proxy(uri):
    """Said in words, before a port is taken."""
    options = {"ports": None, "waiter": None, "timeout_seconds": 1}
    with pytest.raises(ConfigurationError, match="jupyter-server-proxy looks like"):
        begin("proxy", smartcar(uri), Place("hub"), **options)


@pytest.fixture
def behind_proxy(front):
    """A button whose redirect URI leads through a proxy, and how that asks: with the browser's Host, or its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    made = front(application={"redirect_uri": f"https://hub.example/user/you/proxy/{port}/callback"})
    assert made.button.transport == "proxy"

    def passes_on(path, host):
        line = http.client.HTTPConnection("127.0.0.1", port)
        line.request("GET", path, headers={"Host": host or f"localhost:{port}"})
        return line.getresponse().status

    return made, passes_on


@pytest.mark.parametrize("host", ["hub.example", None])
def test_answer_through_the_proxy(behind_proxy, sandbox, host):
    """Its path is the shorter one; another site's name stays out."""
    front, passes_on = behind_proxy
    answer = urlsplit(sandbox.approve(front.clicks()))
    assert answer.netloc == "hub.example"
    assert passes_on(f"/callback?{answer.query}", "rebound.example") == 421
    assert passes_on(f"{answer.path}?{answer.query}", host) == 404
    assert front.button.status == "waiting"
    assert passes_on(f"/callback?{answer.query}", host) == 200
    until("the attempt ends", lambda: front.button.outcome)
    assert front.button.outcome == "granted"


def test_host_without_anywidget_names_the_extra():
    """An ImportError that says what to install."""
    script = "import sys; sys.modules['anywidget'] = None; import smartcar_auth.hosts.notebook"
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True)
    assert 'pip install "smartcar-auth[notebook]"' in done.stderr
