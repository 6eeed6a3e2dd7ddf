"""Connect on another device: the link and its code, the wait, and the two waiters, against the sandbox and worse."""

import hashlib
import hmac
import http.server
import json
import re
import subprocess
import sys
import threading
import time
from urllib.parse import parse_qs, unquote, urlsplit
from urllib.request import urlopen

import pytest
import segno

from smartcar_auth import (
    Cancelled,
    ConfigurationError,
    ConnectTimeout,
    InvalidResponse,
    MissingParameter,
    Smartcar,
    StateMismatch,
)
from smartcar_auth.hosts.device import Connections, HandOff, Webhook
from smartcar_auth.sandbox import Sandbox

CREDENTIALS = {"client_id": "client_01ABC", "client_secret": "a-secret"}
TOKEN = "management-token"


@pytest.fixture(scope="module")
def sandbox():
    applications = {"an-application": "-", CREDENTIALS["client_id"]: CREDENTIALS["client_secret"]}
    with Sandbox(applications=applications) as started:
        yield started


def smartcar(sandbox=None, **options):
    origin = None if sandbox is None else sandbox.origin
    return Smartcar(application_id="an-application", connect_origin=origin, **options)


def sent(handoff):
    return {name: values[0] for name, values in parse_qs(urlsplit(handoff.url).query).items()}


def connects(sandbox, handoff, **options):
    """The owner opens the link on another device and allows."""
    sandbox.next(outcome="granted", **options)
    with urlopen(handoff.url) as page:
        assert page.status == 200


def waiter(sandbox, **options):
    given = {**CREDENTIALS, "every_seconds": 0.05, **options}
    return Connections(iam_origin=sandbox.origin, api_origin=sandbox.origin, **given)


class TestHandOff:
    def test_address_asks_for_no_code_and_leads_nowhere(self):
        """A fresh id in the place of state and redirect URI, and the options of Connect."""
        client = smartcar(redirect_uri="http://localhost:8000/callback", scope=["read_vin"], mode="simulated")
        handoff, other = HandOff(client, make="TESLA"), HandOff(client)
        parameters = sent(handoff)
        assert parameters["response_type"] == "none"
        assert parameters["external_id"] == handoff.external_id
        assert (parameters["make"], parameters["mode"], parameters["scope"]) == (
            "TESLA",
            "simulated",
            "read_vin",
        )
        assert parameters.keys().isdisjoint({"redirect_uri", "state", "app_origin"})
        assert re.fullmatch("[A-Za-z0-9_-]{43}", handoff.external_id)
        assert handoff.external_id != other.external_id

    def test_external_id_of_the_application_comes_first(self):
        """So that the owner is still known by it."""
        assert re.fullmatch(
            r"user-17\.[A-Za-z0-9_-]{43}", HandOff(smartcar(external_id="user-17")).external_id
        )

    @pytest.mark.parametrize("external_id", ["x" * 57, "ann@example.com", "a b", "ä", "null\n"])
    def test_external_id_that_smartcar_would_drop(self, external_id):
        """It is refused here, in words, instead of being waited for in vain."""
        with pytest.raises(ConfigurationError, match="external_id"):
            HandOff(smartcar(external_id=external_id))

    def test_mistakes_in_the_options(self):
        """As in get_auth_url; the state isn't the caller's."""
        with pytest.raises(ConfigurationError, match="make"):
            HandOff(smartcar(), make="")
        for name in ("state", "app_origin", "mkae"):
            with pytest.raises(TypeError):
                HandOff(smartcar(), **{name: "x"})

    def test_repr_holds_no_id(self):
        """Who knows it could claim the attempt."""
        handoff = HandOff(smartcar(external_id="user-17"))
        assert "user-17" not in repr(handoff)

    def test_waiter_is_any_function(self):
        """It is asked until it knows; the response is a response like any other, told once."""
        told, asked = [], []
        handoff = HandOff(smartcar(on_complete=lambda *outcome: told.append(outcome)))

        def knows(attempt, seconds):
            asked.append((attempt, seconds))
            found = {"external_id": attempt.external_id, "user_id": "u-1", "vehicle_id": "v-1"}
            return found if len(asked) == 3 else None

        response = handoff.wait(knows)
        assert (response.user_id, response.vehicle_id, response.code) == ("u-1", "v-1", None)
        assert response.external_id == handoff.external_id
        assert told == [(None, response)]
        assert [attempt for attempt, _ in asked] == [handoff] * 3
        assert all(0 < seconds <= 0.5 for _, seconds in asked)

    @pytest.mark.parametrize(
        ("found", "kind"),
        [
            ({"external_id": "another", "user_id": "u-1"}, StateMismatch),
            ({"user_id": "u-1"}, StateMismatch),
            ({"external_id": None}, MissingParameter),
            ({"external_id": None, "user_id": ""}, MissingParameter),
        ],
    )
    def test_waiter_that_brings_something_else(self, found, kind):
        """Another attempt's connection, or one without a user, is an error and told as one."""
        told = []
        handoff = HandOff(smartcar(on_complete=lambda error, response: told.append((error, response))))
        if "external_id" in found and found["external_id"] is None:
            found = {**found, "external_id": handoff.external_id}
        with pytest.raises(kind) as raised:
            handoff.wait(lambda *_: found)
        assert told == [(raised.value, None)]

    def test_time_runs_out(self):
        """A timeout, told once; the display was told how long it is."""
        told, ticks = [], []
        handoff = HandOff(smartcar(on_complete=lambda error, _: told.append(error.code)))
        with pytest.raises(ConnectTimeout):
            handoff.wait(lambda _, seconds: time.sleep(seconds), timeout_seconds=0.7, tick=ticks.append)
        assert told == ["timeout"]
        assert ticks
        assert all(0 <= tick <= 0.7 for tick in ticks)

    def test_another_thread_cancels(self):
        """Whoever waits is told."""
        told = []
        handoff = HandOff(smartcar(on_complete=lambda error, _: told.append(error.code)))
        threading.Timer(0.2, handoff.cancel).start()
        with pytest.raises(Cancelled):
            handoff.wait(lambda _, seconds: time.sleep(seconds))
        assert told == ["cancelled"]

    def test_ctrl_c(self):
        """KeyboardInterrupt for the program, Cancelled for on_complete."""
        told = []

        def interrupted(*_):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            HandOff(smartcar(on_complete=lambda error, _: told.append(error.code))).wait(interrupted)
        assert told == ["cancelled"]


class TestCode:
    def test_code_of_a_terminal_is_rows_of_one_width(self):
        """In half blocks; black on white where colours are to be had."""
        handoff = HandOff(smartcar())
        plain, coloured = handoff.qr_text(coloured=False), handoff.qr_text()
        assert set(plain) <= set(" ▀▄█\n")
        assert len({len(line) for line in plain.split("\n")}) == 1
        assert re.sub(r"\033\[[0-9;]*m", "", coloured) == plain
        assert all(
            line.startswith("\033[38;5;16;48;5;231m") and line.endswith("\033[0m")
            for line in coloured.split("\n")
        )

    def test_code_of_a_terminal_shows_every_module(self):
        """Two to a character, with a margin of two all around: what a camera sees is what segno drew."""
        handoff = HandOff(smartcar())
        rows = [
            [character in dark for character in line]
            for line in handoff.qr_text(coloured=False).split("\n")
            for dark in ("▀█", "▄█")
        ]
        drawn = [
            [bool(module) for module in row]
            for row in segno.make(handoff.url, error="l", boost_error=False).matrix
        ]
        size = len(drawn)
        assert [row[2:-2] for row in rows[2 : size + 2]] == drawn
        assert not any(map(any, rows[:2] + rows[size + 2 :]))
        assert not any(any(row[:2] + row[-2:]) for row in rows)

    def test_code_of_a_page_obeys_a_strict_policy(self):
        """An element without style, script or anything from outside."""
        svg = HandOff(smartcar()).qr_svg()
        assert svg.startswith("<svg ")
        assert "style" not in svg
        assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")

    def test_code_as_an_image(self):
        """An address that needs nobody to answer it, and a picture by itself."""
        image = HandOff(smartcar()).qr_image()
        kind, _, svg = unquote(image).partition(",")
        assert kind == "data:image/svg+xml;charset=utf-8"
        assert svg.startswith("<svg xmlns='http://www.w3.org/2000/svg'")
        assert "'#fff'" in svg

    def test_notebook_shows_code_and_link(self):
        """By Jupyter's protocol, without importing it."""
        handoff = HandOff(smartcar(), make="A&B")
        bundle = handoff._repr_mimebundle_(include=None, exclude=None)
        assert bundle["text/plain"] == handoff.url
        assert "<svg " in bundle["text/html"]
        assert handoff.url.replace("&", "&amp;") in bundle["text/html"]

    def test_segno_is_missing(self):
        """An ImportError that names the extra."""
        script = """
import sys; sys.modules["segno"] = None
from smartcar_auth import Smartcar
from smartcar_auth.hosts.device import HandOff
try:
    HandOff(Smartcar(application_id="a")).qr_text()
except ImportError as error:
    print(error)
"""
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert 'pip install "smartcar-auth[cli]"' in done.stdout


class TestConnections:
    def test_owner_connects_while_the_program_waits(self, sandbox):
        """The whole way against the sandbox: link, token, question, response."""
        handoff = HandOff(smartcar(sandbox))
        threading.Timer(0.3, connects, [sandbox, handoff], {"user": "1-vehicles@smartcar.com"}).start()
        response = handoff.wait(waiter(sandbox), timeout_seconds=30)
        assert re.fullmatch("[0-9a-f-]{36}", response.user_id)
        assert re.fullmatch("[0-9a-f-]{36}", response.vehicle_id)
        assert response.external_id == handoff.external_id

    def test_several_vehicles(self, sandbox):
        """The user is named; no vehicle is singled out."""
        handoff = HandOff(smartcar(sandbox))
        connects(sandbox, handoff, user="3-vehicles@smartcar.com")
        response = handoff.wait(waiter(sandbox), timeout_seconds=30)
        assert (response.vehicle_id, bool(response.user_id)) == (None, True)

    @pytest.mark.parametrize("mode", ["live", "simulated", "test"])
    def test_every_mode_is_found(self, sandbox, mode):
        """The same way in all three."""
        handoff = HandOff(smartcar(sandbox, mode=mode))
        connects(sandbox, handoff)
        assert handoff.wait(waiter(sandbox), timeout_seconds=30).user_id

    def test_attempts_of_others_are_not_found(self, sandbox):
        """Somebody else's connection doesn't end this wait."""
        mine, other = HandOff(smartcar(sandbox)), HandOff(smartcar(sandbox))
        connects(sandbox, other)
        with pytest.raises(ConnectTimeout):
            mine.wait(waiter(sandbox), timeout_seconds=1)

    def test_credentials_of_the_environment(self, sandbox, monkeypatch):
        """And where Smartcar is."""
        for name, value in {
            "API_CLIENT_ID": CREDENTIALS["client_id"],
            "API_CLIENT_SECRET": CREDENTIALS["client_secret"],
            "IAM_ORIGIN": sandbox.origin,
            "VEHICLE_API_V3_ORIGIN": sandbox.origin,
        }.items():
            monkeypatch.setenv(f"SMARTCAR_{name}", value)
        handoff = HandOff(smartcar(sandbox))
        connects(sandbox, handoff)
        assert handoff.wait(Connections.from_environment(), timeout_seconds=30).user_id

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"client_id": "8229df9f-91a0-4ff0-a1ae-a1f38ee24d07"}, "client_"),
            ({"client_id": ""}, "client_"),
            ({"client_secret": ""}, "secret"),
            ({"every_seconds": 0}, "every_seconds"),
            ({"iam_origin": "http://iam.smartcar.com"}, "iam_origin"),
            ({"api_origin": "https://vehicle.api.smartcar.com/v3"}, "api_origin"),
        ],
    )
    def test_mistakes_are_said_at_once(self, options, words):
        """In words."""
        with pytest.raises(ConfigurationError, match=words):
            Connections(**{**CREDENTIALS, **options})

    def test_environment_without_credentials(self, monkeypatch):
        """It says which are needed."""
        monkeypatch.delenv("SMARTCAR_API_CLIENT_ID", raising=False)
        with pytest.raises(ConfigurationError, match="API credentials"):
            Connections.from_environment()

    def test_wrong_secret_ends_the_wait(self, sandbox):
        """There is no use in asking again; the secret is in no text."""
        told = []
        handoff = HandOff(smartcar(sandbox, on_complete=lambda error, _: told.append(error.code)))
        with pytest.raises(ConfigurationError, match="refuses these API credentials") as raised:
            handoff.wait(waiter(sandbox, client_secret="wrong-secret"), timeout_seconds=30)
        assert told == ["invalid_configuration"]
        assert "wrong-secret" not in str(raised.value)
        assert "a-secret" not in repr(waiter(sandbox))


class Api:
    """A server that answers as a test says: a list of (status, body, fields), the last one for ever.

    Args:
        token: What /oauth2/token answers; the others are for /v3/connections.
    """

    def __init__(self, answers, token=None):
        self.asked = []
        good = (200, {"access_token": "t", "token_type": "Bearer", "expires_in": 3600}, {})
        queues = {"/oauth2/token": [token or good], "/v3/connections": list(answers)}
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                path = urlsplit(self.path).path
                self.rfile.read(int(self.headers.get("content-length") or 0))
                api.asked.append((self.command, self.path, self.headers.get("authorization")))
                queue = queues.get(path, [(404, {}, {})])
                status, body, fields = queue.pop(0) if len(queue) > 1 else queue[0]
                content = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **fields}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_GET  # noqa: N815

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.origin = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()

    @property
    def paths(self):
        return [urlsplit(path).path for _, path, _ in self.asked]


def connection(handoff, user="u-1", vehicle="v-1"):
    return {
        "attributes": {"user": {"id": user, "externalId": handoff.external_id}},
        "relationships": {"vehicle": {"data": {"id": vehicle}}},
    }


class TestApiInTrouble:
    @pytest.mark.parametrize(
        "trouble",
        [
            (500, {}, {}),
            (429, {}, {"Retry-After": "0"}),
            (408, {}, {}),
            (200, b"<html>", {}),
            (200, b"\xff", {}),
            (200, b"[" * 100_000, {}),
            (200, [], {}),
            (200, {"data": {}}, {}),
            (200, {}, {}),
            (200, b"", {"Content-Length": "10"}),
            (401, {}, {}),
        ],
        ids=str,
    )
    def test_api_that_is_away_is_asked_again(self, trouble):
        """Until it knows; a token that was good and isn't any more is renewed."""
        handoff = HandOff(smartcar())
        nothing, found = (200, {"data": []}, {}), (200, {"data": [connection(handoff)]}, {})
        with Api([nothing, trouble, found]) as api:
            response = handoff.wait(waiter(api), timeout_seconds=30)
            assert response.user_id == "u-1"
            assert api.paths.count("/v3/connections") == 3
            assert api.paths.count("/oauth2/token") == (2 if trouble[0] == 401 else 1)

    def test_token_expires(self):
        """A minute before, another is asked for."""
        handoff = HandOff(smartcar())
        token = (200, {"access_token": "t", "expires_in": 60}, {})
        answers = [(200, {"data": []}, {}), (200, {"data": [connection(handoff)]}, {})]
        with Api(answers, token) as api:
            handoff.wait(waiter(api), timeout_seconds=30)
            assert api.paths == ["/oauth2/token", "/v3/connections"] * 2

    def test_api_that_stays_away(self):
        """The timeout's cause says what was the matter."""
        handoff = HandOff(smartcar())
        with Api([(503, {}, {})]) as api, pytest.raises(ConnectTimeout) as raised:
            handoff.wait(waiter(api), timeout_seconds=0.6)
        assert "503" in str(raised.value.__cause__)

    def test_nobody_answers(self):
        """Nor does a refused connection end the wait."""
        with Api([]) as api:
            pass
        with pytest.raises(ConnectTimeout) as raised:
            HandOff(smartcar()).wait(waiter(api), timeout_seconds=0.3)
        assert isinstance(raised.value.__cause__, OSError)

    @pytest.mark.parametrize("status", [400, 403, 404])
    def test_api_refuses_the_question(self, status):
        """The application's mistake, said at once."""
        with Api([(status, {}, {})]) as api, pytest.raises(ConfigurationError, match=str(status)):
            HandOff(smartcar()).wait(waiter(api), timeout_seconds=30)

    def test_new_token_is_refused_at_once(self):
        """So another won't do."""
        with Api([(401, {}, {})]) as api, pytest.raises(ConfigurationError, match="401"):
            HandOff(smartcar()).wait(waiter(api), timeout_seconds=30)

    @pytest.mark.parametrize(
        "token", [(500, {}, {}), (200, {}, {}), (200, {"access_token": 1}, {}), (200, [], {})]
    )
    def test_token_endpoint_is_in_trouble(self, token):
        """It is asked again, and nothing else is."""
        with Api([], token) as api, pytest.raises(ConnectTimeout):
            HandOff(smartcar()).wait(waiter(api), timeout_seconds=0.5)
        assert set(api.paths) == {"/oauth2/token"}
        assert len(api.paths) > 1

    def test_redirect_is_not_followed(self):
        """It would take the token to wherever it leads."""
        with Api([]) as other, Api([(302, {}, {"Location": f"{other.origin}/v3/connections"})]) as api:
            with pytest.raises(ConnectTimeout):
                HandOff(smartcar()).wait(waiter(api), timeout_seconds=0.3)
            assert other.asked == []

    def test_long_way_to_the_next_question(self):
        """What the API asks for counts: one question in this time."""
        with Api([(429, {}, {"Retry-After": "30"})]) as api, pytest.raises(ConnectTimeout):
            HandOff(smartcar()).wait(waiter(api), timeout_seconds=1)
        assert api.paths.count("/v3/connections") == 1

    def test_server_that_ignores_the_filter(self):
        """Only a connection with this very id counts, and what is written badly doesn't."""
        handoff, other = HandOff(smartcar()), HandOff(smartcar())
        bad = [None, 1, [], {}, {"attributes": 1}, {"attributes": {"user": None}}]
        bad += [{"attributes": {"user": {"externalId": handoff.external_id, "id": None}}}]
        with Api([(200, {"data": [*bad, connection(other, "u-2"), connection(handoff)]}, {})]) as api:
            assert handoff.wait(waiter(api), timeout_seconds=30).user_id == "u-1"
        with (
            Api([(200, {"data": [*bad, connection(other, "u-2")]}, {})]) as api,
            pytest.raises(ConnectTimeout),
        ):
            handoff.wait(waiter(api), timeout_seconds=0.3)

    @pytest.mark.parametrize(
        ("mode", "asked"), [("live", "live"), ("simulated", "simulated"), ("test", "simulated")]
    )
    def test_question_names_the_attempt_and_its_mode(self, mode, asked):
        """Smartcar may leave simulated vehicles out, unless asked for them."""
        handoff = HandOff(smartcar(mode=mode))
        with Api([(200, {"data": [connection(handoff)]}, {})]) as api:
            handoff.wait(waiter(api), timeout_seconds=30)
        query = parse_qs(urlsplit(api.asked[-1][1]).query)
        assert query["filter[user.externalId]"] == [handoff.external_id]
        assert query["filter[vehicle.mode]"] == [asked]

    def test_credentials_travel_in_the_body_only(self):
        """No address, which a proxy would log, holds a secret or the token."""
        handoff = HandOff(smartcar())
        with Api([(200, {"data": [connection(handoff)]}, {})]) as api:
            handoff.wait(waiter(api), timeout_seconds=30)
        assert [(method, bearer) for method, _, bearer in api.asked] == [("POST", None), ("GET", "Bearer t")]
        assert all("secret" not in path and "client_" not in path for _, path, _ in api.asked)


def delivery(handoff, **more):
    event = {
        "eventId": "e-1",
        "eventType": "VEHICLE_STATE",
        "data": {"user": {"id": "u-1", "externalId": handoff.external_id}, "vehicle": {"id": "v-1"}, **more},
    }
    return json.dumps(event).encode()


def signed(body, token=TOKEN):
    return hmac.new(token.encode(), body, hashlib.sha256).hexdigest()


class TestWebhook:
    def test_delivery_ends_the_wait(self):
        """It comes to the route in another thread; the response names the user."""
        handoff, webhook = HandOff(smartcar()), Webhook(TOKEN)
        body = delivery(handoff)
        threading.Timer(0.2, lambda: webhook.receive(body, signed(body))).start()
        response = handoff.wait(webhook, timeout_seconds=30)
        assert (response.user_id, response.vehicle_id) == ("u-1", None)

    def test_delivery_before_the_wait(self):
        """It is kept for whoever waits for it, and for nobody else."""
        handoff, other, webhook = HandOff(smartcar()), HandOff(smartcar()), Webhook(TOKEN)
        assert webhook.receive(delivery(handoff), signed(delivery(handoff))) == {}
        with pytest.raises(ConnectTimeout):
            other.wait(webhook, timeout_seconds=0.2)
        assert handoff.wait(webhook).user_id == "u-1"

    def test_official_sdk_signs_alike(self):
        """Its verify_payload and hash_challenge are what Smartcar's guides use."""
        import smartcar as official

        webhook, body = Webhook(TOKEN), delivery(HandOff(smartcar()))
        assert official.verify_payload(TOKEN, signed(body), body.decode())
        challenge = json.dumps({"eventType": "VERIFY", "data": {"challenge": "3a5c8f72-e6d9"}}).encode()
        assert webhook.receive(challenge, None) == {
            "challenge": official.hash_challenge(TOKEN, "3a5c8f72-e6d9")
        }
        older = json.dumps(
            {"version": "2.0", "eventName": "verify", "payload": {"challenge": "abc"}}
        ).encode()
        assert webhook.receive(older, None) == {"challenge": official.hash_challenge(TOKEN, "abc")}

    @pytest.mark.parametrize(
        "how", ["none", "empty", "other key", "other body", "not ASCII", "of a challenge"]
    )
    def test_delivery_that_is_not_signed(self, how):
        """Refused, and the wait goes on. Nor can the answer to a challenge be used as a signature."""
        handoff, webhook = HandOff(smartcar()), Webhook(TOKEN)
        body = delivery(handoff)
        signature = {
            "none": None,
            "empty": "",
            "other key": signed(body, "another"),
            "other body": signed(body + b" "),
            "not ASCII": "é" * 64,
            "of a challenge": "",
        }[how]
        if how == "of a challenge":
            asked = json.dumps({"eventType": "VERIFY", "data": {"challenge": body.decode()}}).encode()
            with pytest.raises(InvalidResponse, match="more than a challenge"):
                webhook.receive(asked, None)
        with pytest.raises(InvalidResponse, match="not signed"):
            webhook.receive(body, signature)
        with pytest.raises(ConnectTimeout):
            handoff.wait(webhook, timeout_seconds=0.2)

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"\xff",
            b"[]",
            b"1",
            b"{",
            b"[" * 100_000,
            b'{"eventType": "VERIFY"}',
            b'{"eventType": "VERIFY", "data": {"challenge": 1}}',
        ],
    )
    def test_body_that_makes_no_sense(self, body):
        """Our own error and nothing else, signed or not."""
        with pytest.raises(InvalidResponse):
            Webhook(TOKEN).receive(body, signed(body))

    @pytest.mark.parametrize(
        "data",
        [
            {},
            {"user": 1},
            {"user": {"id": "u"}},
            {"user": {"externalId": "e"}},
            {"user": {"id": 1, "externalId": "e"}},
            None,
        ],
    )
    def test_delivery_about_nobody_we_know(self, data):
        """Owners who connected another way have no external id: acknowledged, and kept from nobody."""
        body = json.dumps({"eventType": "VEHICLE_ERROR", "data": data}).encode()
        assert Webhook(TOKEN).receive(body, signed(body)) == {}

    def test_memory_is_bounded(self):
        """A thousand deliveries that nobody waits for, and the oldest goes."""
        webhook = Webhook(TOKEN)
        handoffs = [HandOff(smartcar()) for _ in range(1001)]
        for handoff in handoffs:
            webhook.receive(delivery(handoff), signed(delivery(handoff)))
        assert webhook(handoffs[0], 0) is None
        assert webhook(handoffs[1], 0) is not None

    def test_empty_token(self):
        """It would make everybody's signature right."""
        with pytest.raises(ConfigurationError, match="management_token"):
            Webhook("")
