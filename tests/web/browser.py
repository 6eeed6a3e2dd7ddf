"""A browser without a network: it asks a `Connect` and keeps its cookies, on a clock that tests move."""

import html
import json
import re
from base64 import urlsafe_b64encode
from urllib.parse import parse_qs, urlencode, urlsplit

from hypothesis import settings

from smartcar_auth import Smartcar
from smartcar_auth.web import Connect, ProcessStore, Request, perform

untimed = settings(deadline=None)  # a property holds or not; how long it takes says nothing

APPLICATION_ID = "8229df9f-91a0-4ff0-a1ae-a1f38ee24d07"
ORIGIN = "http://localhost:8000"
KEY = "k" * 32
OTHER_KEY = "o" * 32


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self, now=1_800_000_000):
        self.now = now

    def __call__(self):
        return self.now


def attempt_id(number=1):
    """An attempt's id as a page makes it."""
    return urlsafe_b64encode(number.to_bytes(16, "big")).rstrip(b"=").decode()


ATTEMPT = attempt_id()


class Native:
    """A framework's own response."""


class Host(Connect):
    """A host of a framework whose responses are `Native`."""

    def is_native(self, result):
        return isinstance(result, Native)


class Site:
    """An application: its `Connect`, its clock, and what its two functions were told.

    `on_complete` and `on_error` replace the functions that note and return; "none" registers none.
    """

    def __init__(
        self,
        *,
        on_complete=None,
        on_error=None,
        clock=None,
        redirect_uri=None,
        response_type="code",
        **options,
    ):
        self.clock = clock or Clock()
        self.completed = []
        self.failed = []
        self.result = None
        self.error_result = None
        options.setdefault("secret_keys", [KEY])
        options.setdefault("store", ProcessStore(clock=self.clock))
        smartcar = Smartcar(
            application_id=APPLICATION_ID, redirect_uri=redirect_uri, response_type=response_type
        )
        self.connect = Host(smartcar, clock=self.clock, **options)
        if on_complete != "none":
            self.connect.on_complete(on_complete or self.complete)
        if on_error != "none":
            self.connect.on_error(on_error or self.fail)

    def complete(self, request, response):
        self.completed.append(response)
        return self.result

    def fail(self, request, error):
        self.failed.append(error)
        return self.error_result

    @property
    def causes(self):
        """Of every error that was told: the cause where there is one, else the code."""
        return [getattr(error, "cause", None) or error.code for error in self.failed]


class Browser:
    """One person's browser: cookies with their age, and the routes as methods."""

    def __init__(self, site, *, origin=ORIGIN, base="/smartcar", native=None):
        self.site = site
        self.origin = origin
        self.base = base
        self.native = native
        self.jar = {}

    def request(self, query=b"", method="GET", **headers):
        """The request that this browser would send."""
        now = self.site.clock()
        carried = [f"{name}={value}" for name, (value, until) in self.jar.items() if until > now]
        fields = {name.replace("_", "-"): value for name, value in headers.items() if value is not None}
        if carried:
            fields.setdefault("cookie", "; ".join(carried))
        query = query if isinstance(query, bytes) else query.encode()
        return Request(method, self.origin, self.base, query, fields, self.native)

    def keep(self, response):
        """Take the cookies of a response, as a browser does."""
        for name, value in response.headers:
            if name == "Set-Cookie":
                pair, *attributes = value.split("; ")
                key, _, text = pair.partition("=")
                age = next(int(one[8:]) for one in attributes if one.startswith("Max-Age="))
                if age:
                    self.jar[key] = (text, self.site.clock() + age)
                else:
                    self.jar.pop(key, None)
        return response

    def launch(self, query="", method="GET", **headers):
        """The launch route, with the query's text or its parameters as a dict."""
        if isinstance(query, dict):
            query = urlencode(query)
        return self.keep(perform(self.site.connect.launch(self.request(query, method, **headers))))

    def popup(self, attempt=ATTEMPT, **more):
        """A launch as the page's module makes it; the state that went to Connect."""
        return state_of(self.launch({"attempt": attempt, "display": "popup", "origin": self.origin, **more}))

    def callback(self, query, method="GET", **headers):
        """The callback route, with the query's text, bytes or parameters."""
        if isinstance(query, dict):
            query = urlencode(query)
        return self.keep(perform(self.site.connect.callback(self.request(query, method, **headers))))

    def answer(self, state, **parameters):
        """Connect's answer for a state: a code unless parameters are given."""
        return self.callback({**(parameters or {"code": "the-code"}), "state": state})

    def status(self, attempt=ATTEMPT, **headers):
        """What the status route says: its HTTP status, and the JSON."""
        response = self.keep(perform(self.site.connect.status(self.request(**headers), attempt)))
        return response.status, json.loads(response.body)

    def cancel(self, attempt=ATTEMPT, query="", **headers):
        """What the cancel route answers, as the page's own origin unless told otherwise."""
        headers.setdefault("origin", self.origin)
        request = self.request(query, "POST", **headers)
        return self.keep(perform(self.site.connect.cancel(request, attempt)))


def header(response, name):
    """A header field of a response, or None."""
    return dict(response.headers).get(name)


def location(response):
    """Where a response redirects to."""
    return header(response, "Location")


def parameters(response):
    """The parameters of the address that a response redirects to."""
    return {name: values[0] for name, values in parse_qs(urlsplit(location(response)).query).items()}


def state_of(response):
    """The state that a launch sent to Connect."""
    assert response.status == 303, response.body
    return parameters(response)["state"]


def cookie_fields(response):
    """All Set-Cookie fields of a response."""
    return [value for name, value in response.headers if name == "Set-Cookie"]


def told(response):
    """What a page tells the window that waits: the data attributes of its root, or {}."""
    root = re.search(r"<html([^>]*)>", response.body.decode()).group(1)
    return {name: html.unescape(value) for name, value in re.findall(r'data-([a-z-]+)="([^"]*)"', root)}


def words(response):
    """The text of a page."""
    return html.unescape(re.sub(r"<[^>]+>", " ", response.body.decode()))
