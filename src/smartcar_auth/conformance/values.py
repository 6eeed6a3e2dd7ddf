"""What goes to Connect and what comes back, as values, and what a page's HTML holds."""

import re
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from smartcar_auth.doctor.visit import Answer

_RANDOM = re.compile(r"(?=[\w.~+/=%-]*[\dA-Z])[\w.~+/=%-]{12,}")
# Letters alone: those between an id's digits are no words.
_WORD = re.compile(r"(?<![^\W_])[^\W\d_]+(?![^\W_])")


@dataclass(frozen=True, slots=True)
class Launched:
    """An attempt that was begun: the address of Connect, and the answers on the way there."""

    authorize: str
    trail: tuple[Answer, ...]

    @property
    def pairs(self) -> list[tuple[str, str]]:
        return parse_qsl(urlsplit(self.authorize).query, keep_blank_values=True)

    def asked(self, name: str) -> str:
        return next((value for key, value in self.pairs if key == name), "")

    @property
    def state(self) -> str:
        return self.asked("state")

    @property
    def redirect_uri(self) -> str:
        return self.asked("redirect_uri")


@dataclass(frozen=True, slots=True)
class Reply:
    """What Connect answers: the redirect URI and the parameters it adds, to be changed by an attack."""

    redirect_uri: str
    pairs: tuple[tuple[str, str], ...]
    raw: str = ""  # added to the query as it is

    @property
    def code(self) -> str:
        return dict(self.pairs).get("code", "")

    @property
    def state(self) -> str:
        return dict(self.pairs).get("state", "")

    @property
    def url(self) -> str:
        separator = "&" if "?" in self.redirect_uri else "?"
        return f"{self.redirect_uri}{separator}{urlencode(self.pairs, quote_via=quote, safe='')}{self.raw}"

    def changed(self, **values: str | None) -> "Reply":
        """With other values; None takes a parameter out, one that isn't there is added at the end."""
        kept = [(name, values.get(name, value)) for name, value in self.pairs]
        kept += [pair for pair in values.items() if pair[0] not in dict(self.pairs)]
        return replace(self, pairs=tuple((name, value) for name, value in kept if value is not None))

    def plus(self, *pairs: tuple[str, str]) -> "Reply":
        """With more parameters behind its own."""
        return replace(self, pairs=(*self.pairs, *pairs))

    def after(self, *pairs: tuple[str, str]) -> "Reply":
        """With more parameters before its own."""
        return replace(self, pairs=(*pairs, *self.pairs))


@dataclass(frozen=True, slots=True)
class Arrived:
    """What an application made of an answer: the answers of its own up to the page that stays.

    `exchanged` says whether it went to the sandbox's token endpoint meanwhile.
    """

    trail: tuple[Answer, ...]
    exchanged: bool

    @property
    def first(self) -> Answer:
        return self.trail[0]

    @property
    def last(self) -> Answer:
        return self.trail[-1]

    @property
    def crashed(self) -> bool:
        return any(answer.status >= 500 for answer in self.trail)

    @property
    def steps(self) -> list[tuple[int, str]]:
        """Statuses and redirects, without what is random in them."""
        return [(answer.status, _steady(answer.header("location"))) for answer in self.trail]

    @property
    def paths(self) -> list[tuple[int, str]]:
        """The same without queries."""
        return [(status, location.partition("?")[0]) for status, location in self.steps]

    @property
    def words(self) -> frozenset[str]:
        """The words of the page that stays, without what is random in it."""
        return frozenset(_WORD.findall(_RANDOM.sub(" ", read_markup(self.last).text).lower()))

    @property
    def status(self) -> str:
        """For a sentence: what it answered."""
        there = self.last.location
        if there is not None:
            return f"a redirect to {there.geturl().partition('?')[0][:200]}"
        return f"{self.last.status}"


def _steady(location: str) -> str:
    path, mark, query = location.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    return path + mark + "&".join(f"{name}={_RANDOM.sub('*', value)}" for name, value in pairs)


def is_html(answer: Answer) -> bool:
    """Whether browsers would show it as a page."""
    kind = answer.header("content-type").partition(";")[0].strip().lower()
    sniffed = not kind and b"<" in answer.body
    return answer.location is None and (kind in ("text/html", "application/xhtml+xml") or sniffed)


class Markup(HTMLParser):
    """What of a page's HTML matters here: text, elements with their attributes, inline scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.scripts: list[str] = []
        self.said: list[str] = []
        self._in = ""

    @property
    def text(self) -> str:
        """Words, those of inline scripts included: many a callback page says it only there."""
        return " ".join([*self.said, *self.scripts])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in reversed(attrs)}))
        self._in = tag

    def handle_endtag(self, tag: str) -> None:
        self._in = ""

    def handle_data(self, data: str) -> None:
        if self._in == "script":
            self.scripts.append(data)
        elif self._in != "style":
            self.said.append(data)


def read_markup(answer: Answer) -> Markup:
    """Read a page, however broken; what is no HTML is all text."""
    reader = Markup()
    text = answer.body.decode("utf-8", "replace")
    if is_html(answer):
        reader.feed(text)
    else:
        reader.said.append(text)
    return reader
