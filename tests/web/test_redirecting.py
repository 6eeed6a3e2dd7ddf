"""Front-end mode's page: whose page may be told, words for every answer, and no answer in the markup."""

import html
import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartcar_auth import Smartcar
from smartcar_auth.errors import CONNECT_ERRORS
from smartcar_auth.response import KNOWN
from smartcar_auth.web import Request, assets, pages
from smartcar_auth.web.redirecting import Redirecting, callback_script
from web.browser import APPLICATION_ID, KEY, ORIGIN, header, untimed, words

FRIEND = "http://localhost:3000"
STRANGER = "https://evil.example"


def site(redirect_uri=None, **options):
    """An application's front-end mode, with one allowed origin."""
    options.setdefault("allowed_origins", [FRIEND])
    smartcar = Smartcar(application_id=APPLICATION_ID, redirect_uri=redirect_uri)
    return Redirecting(smartcar, secret_keys=[KEY], **options)


SITE = site()


def redirect(query="code=the-code&state=the-state", method="GET", connect=SITE, **headers):
    """What the route answers."""
    raw = query if isinstance(query, bytes) else query.encode()
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return connect.redirect(Request(method, ORIGIN, "/smartcar", raw, fields))


class Scripts(HTMLParser):
    """The scripts of some markup, with their attributes."""

    def __init__(self, markup):
        super().__init__()
        self.found = []
        self.feed(markup if isinstance(markup, str) else markup.decode())

    def handle_starttag(self, tag, attributes):
        if tag == "script":
            self.found.append(dict(attributes))


def script(response):
    """The attributes of a page's only script."""
    (one,) = Scripts(response.body).found
    return one


def test_redirect_without_app_origin_is_for_this_apps_own_page():
    """The script, whose own origin always counts, gets no other one."""
    response = redirect()
    assert response.status == 200
    assert script(response) == {
        "src": f"assets/{assets.REDIRECT.name}",
        "integrity": assets.REDIRECT.integrity,
        "referrerpolicy": "no-referrer",
        "data-smartcar-origins": "",
        "data-smartcar-sheet": f"assets/{assets.STYLE.name}",
    }


@pytest.mark.parametrize("origin", [ORIGIN, FRIEND])
def test_redirect_names_the_allowed_target(origin):
    """The app's own origin and a listed one may be told, percent-encoded or not; and no list is published."""
    for written in (origin, origin.replace(":", "%3A").replace("/", "%2F")):
        response = redirect(f"app_origin={written}&code=the-code&state=the-state")
        assert response.status == 200
        assert script(response)["data-smartcar-origins"] == origin
    assert FRIEND not in redirect(f"app_origin={ORIGIN}&code=c&state=s").body.decode()


@pytest.mark.parametrize(
    "query",
    [
        f"app_origin={STRANGER}",
        "app_origin=",
        "app_origin",
        "app_origin=*",
        "app_origin=null",
        f"app_origin={FRIEND}/",
        f"app_origin={FRIEND}/path",
        f"app_origin={FRIEND}0",
        f"app_origin={FRIEND[:-1]}",
        f"app_origin={FRIEND}.evil.example",
        "app_origin=http://localhost",
        "app_origin=HTTP://LOCALHOST:3000",
        f"app_origin={FRIEND}%20{STRANGER}",
        f"app_origin={FRIEND}&app_origin={STRANGER}",
        f"app_origin={FRIEND}&app_origin={FRIEND}",
        f"app%5Forigin={STRANGER}",
        "app_origin=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
    ],
)
def test_redirect_for_a_stranger_is_refused(query):
    """Neither a part of an allowed origin nor two of them will do: words, and no script that could tell."""
    response = redirect(f"{query}&code=the-code&state=the-state")
    assert response.status == 403
    assert Scripts(response.body).found == []
    assert "This link can't be used" in words(response)
    assert "the-code" not in response.body.decode()
    assert "alert" not in response.body.decode()


def test_redirect_refused_says_what_to_do():
    """The developer reads which origin to allow."""
    assert f"{STRANGER} is not this app's ({ORIGIN})" in words(redirect(f"app_origin={STRANGER}&state=s"))
    assert "one origin alone" in words(redirect(f"app_origin={FRIEND}/path&state=s"))


@pytest.mark.parametrize(
    "options",
    [
        {"public_url": "https://app.example.com"},
        {"redirect_uri": "https://app.example.com/smartcar/callback"},
    ],
    ids=["public_url", "redirect_uri"],
)
def test_own_origin_is_the_one_that_browsers_know(options):
    """Behind a proxy the request's own origin isn't the app's."""
    connect = site(allowed_origins=[], **options)
    assert redirect("app_origin=https://app.example.com&code=c&state=s", connect=connect).status == 200
    assert redirect(f"app_origin={ORIGIN}&code=c&state=s", connect=connect).status == 403


def test_redirect_keeps_the_answer_out_of_the_markup():
    """Nothing that came is repeated, whatever it is: the script reads the address itself."""
    came = "&".join(f"{name}=secret-{name}" for name in KNOWN if name != "error")
    for query in (came, came.replace("code=secret-code&", "error=secret-error&"), came + "&x=secret-x"):
        assert "secret" not in redirect(query).body.decode()


def test_redirect_is_served_like_every_page():
    """Kept nowhere, passed on nowhere, framed nowhere, and nothing inline."""
    response = redirect()
    assert response.headers[:-1] == [*pages.headers(), ("Cross-Origin-Opener-Policy", "unsafe-none")]
    assert header(response, "Cache-Control") == "no-store"
    assert header(response, "Referrer-Policy") == "no-referrer"
    markup = response.body.decode()
    assert not re.search(r"<style|style=|\son\w+=|<script[^>]*>[^<]", markup)


def test_redirect_sends_for_its_script_at_once():
    """The field and the element name one file and one integrity, or browsers fetch it twice."""
    response = redirect()
    pattern = '<(.+)>; rel=preload; as=script; integrity="(.+)"'
    address, integrity = re.fullmatch(pattern, header(response, "Link")).groups()
    assert f'src="{address}" integrity="{integrity}"' in response.body.decode()


@pytest.mark.parametrize(
    ("query", "heading", "status"),
    [
        ("code=c&state=s", "You can close this window", 200),
        ("user_id=u&state=s", "You can close this window", 200),
        ("vehicle_id=v&state=s", "You can close this window", 200),
        ("error=something_new&state=s", pages.WORDS["unknown_error"][0], 200),
        ("", "This answer can't be used", 400),
        ("code=c", "This answer can't be used", 400),
        ("state=s", "This answer can't be read", 400),
        ("state=s&code=", "This answer can't be read", 400),
        ("state=s&code=c&code=d", "This answer can't be read", 400),
        ("state=s&code=c&error=access_denied", "This answer can't be read", 400),
        (b"state=s&code=%ff", "This answer can't be read", 400),
        *(
            (f"error={wire}&error_description=D&state=s", pages.WORDS[kind.code][0], 200)
            for wire, kind in CONNECT_ERRORS.items()
        ),
    ],
)
def test_redirect_says_in_words_what_came(query, heading, status):
    """Without script, or with nobody to tell, the person reads how it went; the script is there all the same."""
    response = redirect(query)
    assert response.status == status
    assert f"<h1>{html.escape(heading)}</h1>" in response.body.decode()
    assert script(response)["data-smartcar-origins"] == ""


def test_link_leads_back_to_the_page_that_asked():
    """To the other origin if one was named, else to this site."""
    assert f'href="{FRIEND}"' in redirect(f"app_origin={FRIEND}&code=c&state=s").body.decode()
    assert '<a class="action" href="/">' in redirect().body.decode()


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("HEAD", {}, 200),
        ("GET", {"sec_purpose": "prefetch;prerender"}, 503),
        ("GET", {"purpose": "prefetch"}, 503),
        ("GET", {"sec_fetch_dest": "iframe"}, 403),
        ("GET", {"sec_fetch_dest": "empty"}, 403),
    ],
)
def test_redirect_answers_people_only(method, headers, status):
    """Previews, prefetches and frames get neither page nor script."""
    response = redirect(method=method, **headers)
    assert response.status == status
    assert b"<" not in response.body
    assert header(response, "Cache-Control") == "no-store"


@given(st.binary(max_size=60), st.sampled_from([b"", b"app_origin=", b"state=s&error=", b"code=%"]))
@untimed
def test_any_query_gets_a_page(tail, start):
    """Whatever the query is, there are words, and a script only for allowed origins."""
    response = redirect(start + tail)
    assert response.status in (200, 400, 403)
    assert b"<h1>" in response.body
    for one in Scripts(response.body).found:
        assert one["data-smartcar-origins"] in ("", ORIGIN, FRIEND)


def test_callback_script_for_an_applications_own_page():
    """Under the routes' path, with its integrity, and with the allowed origins in a stable order."""
    markup = callback_script("/smartcar/", {FRIEND, "https://app.example.com"})
    assert Scripts(markup).found == [
        {
            "defer": None,
            "src": f"/smartcar/assets/{assets.REDIRECT.name}",
            "integrity": assets.REDIRECT.integrity,
            "referrerpolicy": "no-referrer",
            "data-smartcar-origins": f"{FRIEND} https://app.example.com",
        }
    ]
    assert markup.endswith("></script>")


def test_callback_script_escapes_what_it_is_given():
    """A base and a sentence from the application stay inside their attributes."""
    hostile = "\"'><script>alert(1)</script>"
    (one,) = Scripts(callback_script(f"/{hostile}/", [], text=hostile)).found
    assert one["src"] == f"/{hostile}/assets/{assets.REDIRECT.name}"
    assert one["data-smartcar-text"] == hostile


def test_script_knows_every_parameter():
    """A parameter that the reader refuses twice is refused twice by the script, and goes from the address bar."""
    source = assets.REDIRECT.content.decode()
    tables = re.findall(r"(?:ALWAYS|SOMETIMES) = \{(.*?)\};", source, re.DOTALL)
    assert len(tables) == 2
    assert set(re.findall(r': "(\w+)"', "".join(tables))) == set(KNOWN)


def test_script_speaks_the_readers_language():
    """Field for field, what the script posts is what `read_message` reads."""
    from smartcar_auth.message import FIELDS, NAME

    source = assets.REDIRECT.content.decode()
    assert f"name: {json.dumps(NAME)}" in source
    assert set(re.findall(r'(\w+): "(\w+)"[,}\s]', source)) >= set(FIELDS)
