"""Pages and the button: words for every end, and nothing from outside unescaped."""

import json
from html.parser import HTMLParser
from types import SimpleNamespace
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartcar_auth import ConfigurationError, StateMismatch
from smartcar_auth.errors import CONNECT_ERRORS, Cancelled, ConnectTimeout, UnknownConnectError
from smartcar_auth.web import assets, pages
from smartcar_auth.web.attempt import Outcome
from web.browser import ATTEMPT, ORIGIN, told, untimed, words

HOSTILE = "\"'><script>alert(1)</script><!--\u2028&amp;\x00</title>\ud800"


class Page(HTMLParser):
    """What a browser would find: elements with attributes."""

    def __init__(self, body):
        super().__init__()
        self.elements = []
        self.feed(body.decode() if isinstance(body, bytes) else body)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def outcome_page(outcome, *, page_origin=ORIGIN, stable_asset=False, link="/garage"):
    """An outcome page's body."""
    page = pages.outcome_page(ATTEMPT, outcome, page_origin=page_origin, stable_asset=stable_asset, link=link)
    return page.html()


def response(body):
    """Something with a body."""
    return SimpleNamespace(body=body)


ENDS = sorted(
    {kind.code for kind in (*CONNECT_ERRORS.values(), UnknownConnectError, Cancelled, ConnectTimeout)}
    | {
        "granted",
        "handler_failed",
        "question",
        "configuration",
        "refused",
        "returned",
        "unavailable",
        "unreadable",
        *StateMismatch.CAUSES,
    }
)


@pytest.mark.parametrize("end", ENDS)
def test_every_end_has_words(end):
    """Each way an attempt can end is said to the person."""
    heading, text = pages.WORDS[end]
    assert heading
    assert text or end == "refused"


def test_headers_keep_pages_private_and_strict():
    """No page is kept, framed, sniffed or told to others, and none runs inline code."""
    fields = dict(pages.headers())
    assert fields["Cache-Control"] == "no-store"
    assert fields["Referrer-Policy"] == "no-referrer"
    assert fields["X-Content-Type-Options"] == "nosniff"
    assert fields["X-Frame-Options"] == "DENY"
    policy = fields["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


def test_headers_are_fresh_each_time():
    """One answer's extra fields never reach another's."""
    pages.headers().append(("X", "y"))
    assert ("X", "y") not in pages.headers()


def test_outcome_page_tells_the_window_that_waits():
    """The root element carries the outcome for the module."""
    page = outcome_page(Outcome("failed", "access_denied", {"a": [1]}))
    data = told(response(page))
    assert data == {
        "smartcar-attempt": ATTEMPT,
        "outcome": "failed",
        "code": "access_denied",
        "data": '{"a": [1]}',
        "origin": ORIGIN,
        "sheet": f"assets/{assets.STYLE.name}",
    }
    assert "You chose not to share your car" in words(response(page))


def test_outcome_page_without_a_waiting_page_is_dressed_at_once():
    """Nobody waits: no origin, and the stylesheet loads even with JavaScript."""
    page = outcome_page(Outcome("granted"), page_origin=None)
    assert told(response(page))["origin"] == ""
    assert b"<noscript>" not in page
    assert b"<noscript><link" in outcome_page(Outcome("granted"))


@pytest.mark.parametrize(
    ("stable", "address"), [(True, "connect.js"), (False, f"assets/{assets.SCRIPT.name}")]
)
def test_outcome_page_loads_the_module_from_where_the_page_has_it(stable, address):
    """The same address as on the waiting page, so that it comes from the cache."""
    [script] = Page(outcome_page(Outcome("granted"), stable_asset=stable)).all("script")
    assert script == {"type": "module", "src": address}


def test_outcome_page_says_the_applications_message():
    """A `message` in the data is the application's own word to the person; other data is not shown."""
    assert "Vehicle added" in words(
        response(outcome_page(Outcome("granted", None, {"message": "Vehicle added"})))
    )
    assert "[1]" not in words(response(outcome_page(Outcome("granted", None, {"message": [1]}))))
    assert "loose" not in words(response(outcome_page(Outcome("granted", None, "loose"))))


def test_outcome_page_has_words_for_an_unknown_code():
    """A code without words of its own gets general ones."""
    assert "Your car wasn't connected" in words(response(outcome_page(Outcome("failed", "never_heard_of"))))


@pytest.mark.parametrize(
    "body",
    [
        outcome_page(
            Outcome("granted", None, {"message": HOSTILE}), page_origin=HOSTILE[:-1], link="/" + HOSTILE
        ),
        pages.refusal(Outcome("failed", "x", {"message": HOSTILE}), (ATTEMPT, ORIGIN)).html(),
        pages.Page("missing", "/" + HOSTILE, before=HOSTILE, after=HOSTILE).html(),
    ],
    ids=["outcome", "refusal", "page"],
)
def test_page_escapes_whatever_comes_from_outside(body):
    """No hostile text becomes an element or an attribute, or keeps the page from being sent."""
    page = Page(body)
    assert all(set(script) == {"type", "src"} for script in page.all("script"))
    assert b"<script>" not in body
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    body.decode()


@untimed
@given(
    data=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
)
def test_data_survives_the_page(data):
    """Whatever JSON the application returned, the module reads it back from the page."""
    body = outcome_page(Outcome("granted", None, data))
    [root] = Page(body).all("html")
    assert json.loads(root["data-data"]) == data


def test_refusal_tells_nobody_where_nobody_waits():
    """Without a waiting page there is no script and no outcome on the page."""
    page = pages.refusal(Outcome("failed", "invalid_configuration", {"message": "Why."}), None).html()
    assert told(response(page)) == {}
    assert not Page(page).all("script")
    assert "Why." in words(response(page))


def test_refusal_tells_the_page_that_waits():
    """The module on the page gets the code and the reason."""
    page = pages.refusal(Outcome("failed", "state_mismatch", {"message": "Why."}), (ATTEMPT, ORIGIN)).html()
    assert told(response(page))["code"] == "state_mismatch"
    assert told(response(page))["origin"] == ORIGIN
    assert len(Page(page).all("script")) == 1


def link_of(query):
    """The parameters of the link on a question page."""
    [link] = Page(pages.question(query).html()).all("a")
    path, _, rest = link["href"].partition("?")
    assert path == "launch"
    return parse_qsl(rest, keep_blank_values=True)


def test_question_leads_to_the_launch_with_its_options():
    """The options go on; what only a waiting page may say, another site may not, however it is spelled."""
    query = "make=TESLA&return_to=%2Fgarage%3Fa%3D1%26b&sealed=x.y&attempt=a&%61ttempt=b"
    assert link_of(query + "&display=popup&origin=o&module=m") == [
        ("make", "TESLA"),
        ("return_to", "/garage?a=1&b"),
        ("sealed", "x.y"),
    ]


def test_question_escapes_its_query():
    """A query can't break out of the link."""
    body = pages.question('x="><script>alert(1)</script>&<b>=1').html()
    assert b"<script>" not in body
    assert b"<b>" not in body


def test_query_of_leaves_out_none():
    """Only what was chosen is in the address."""
    assert pages.query_of({"make": None, "single_select": None}) == ""
    assert (
        pages.query_of({"make": "A&B é", "single_select": True}) == "?make=A%26B%20%C3%A9&single_select=true"
    )
    assert pages.query_of({"single_select": False}) == "?single_select=false"


def button(launch="/smartcar/launch", label="Connect your car", *, return_to=None, **attributes):
    """The button's elements."""
    return Page(pages.button(launch, label, return_to=return_to, attempt_seconds=600, attributes=attributes))


def test_button_loads_the_module_with_its_hash():
    """The script's address is named by its content, and its integrity is checked."""
    [script] = button("/shop/smartcar/launch?make=TESLA").all("script")
    assert script == {
        "type": "module",
        "src": f"/shop/smartcar/assets/{assets.SCRIPT.name}",
        "integrity": assets.SCRIPT.integrity,
    }


def test_button_is_a_link_without_javascript():
    """The element's child is a link that does the same by redirects."""
    page = button("/smartcar/launch?make=TESLA", return_to="/garage?a=1&b=é")
    [element] = page.all("smartcar-connect")
    assert element == {
        "launch": "/smartcar/launch?make=TESLA",
        "return-to": "/garage?a=1&b=é",
        "attempt-seconds": "600",
    }
    [link] = page.all("a")
    assert link == {"href": "/smartcar/launch?make=TESLA&return_to=/garage%3Fa%3D1%26b%3D%C3%A9"}
    [plain] = button(return_to="/garage").all("a")
    assert plain == {"href": "/smartcar/launch?return_to=/garage"}


def test_button_writes_attributes_in_html_spelling():
    """class_ is class, and underscores are hyphens; a number is fine too."""
    [element] = button(class_="big", window_options="width=500", data_x=5).all("smartcar-connect")
    assert (element["class"], element["window-options"], element["data-x"]) == ("big", "width=500", "5")


def test_button_escapes_label_and_attributes():
    """A hostile label, address or attribute stays text."""
    page = button("/l/launch?x=" + HOSTILE, HOSTILE, return_to="/" + HOSTILE[:-1], id=HOSTILE)
    assert [name for name, _ in page.elements] == ["script", "smartcar-connect", "a"]
    assert page.all("smartcar-connect")[0]["id"] == HOSTILE


@pytest.mark.parametrize("name", ["x onclick", 'a"', "", "1a", "a>", "a=b", "é"])
def test_button_refuses_an_attribute_that_is_no_name(name):
    """A name can't be escaped, so it must be one."""
    with pytest.raises(ConfigurationError, match="attribute"):
        button(**{name: "x"})


class Translated(str):
    """What Jinja2's i18n gives a template: markup already."""

    def __html__(self):
        return self

    def replace(self, old, new):
        raise AssertionError("Markup's own methods escape their arguments")


def test_button_takes_translated_text_as_markup():
    """A translation isn't escaped twice, and its quotes can't end an attribute."""
    text = pages.button(
        "/launch",
        Translated("Connect &amp; go"),
        return_to=None,
        attempt_seconds=600,
        attributes={"title": Translated("a&amp;b\"' onclick=x")},
    )
    assert ">Connect &amp; go</a>" in text
    assert 'title="a&amp;b&quot;&#x27; onclick=x"' in text
