"""What of a page's HTML, however broken or hostile, tells about Connect."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass(slots=True)
class Page:
    """What was found.

    `launch` is the first element's attribute, "" where it lacks one, None without an element. `module` holds
    the attributes of the script element that loads connect.js. `words` are those of one of our own pages.
    """

    launch: str | None = None
    module: dict[str, str] | None = None
    policies: list[str] = field(default_factory=list)
    words: str = ""


def read_page(body: bytes) -> Page:
    """Read HTML, however broken."""
    reader = _Reader()
    # Without close(), which would read what is left open once more for each "<", a minute and more where it's much.
    reader.feed(body.decode("utf-8", "replace"))
    page = reader.page
    page.words = " ".join("".join(reader.said).split()) if reader.is_ours else ""
    return page


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self.said: list[str] = []
        self.is_ours = False
        self._in: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in reversed(attrs)}  # browsers take the first of two
        if tag == "smartcar-connect" and self.page.launch is None:
            self.page.launch = attributes.get("launch", "")
        elif tag == "script" and _is_module(attributes.get("src", "")) and self.page.module is None:
            self.page.module = attributes
        elif tag == "meta" and attributes.get("http-equiv", "").lower() == "content-security-policy":
            self.page.policies.append(attributes.get("content", ""))
        elif tag == "a" and attributes.get("class") == "action":
            self.is_ours = True
        self._in = tag if tag in ("h1", "p") else None
        if self._in:
            self.said.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag == "h1":
            self.said.append(".")
        self._in = None

    def handle_data(self, data: str) -> None:
        if self._in:
            self.said.append(data)


def _is_module(src: str) -> bool:
    name = src.partition("?")[0].rpartition("/")[2]
    return name == "connect.js" or (name.startswith("connect-") and name.endswith(".js"))
