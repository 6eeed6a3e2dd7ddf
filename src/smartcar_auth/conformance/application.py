"""The application under test, and a browser reduced to what a server sees of it: requests and a jar.

The way out is read from the application's own redirect to Connect, or from the address of Connect in its
page. The way back is Connect's answer from the sandbox, changed as an attack needs it. `believes` is the
only judge of whether an answer counted.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from smartcar_auth.doctor.visit import (
    NAVIGATION,
    SECONDS,
    Answer,
    Visitor,
    origin_of,
    read_address,
    resolve,
)

from .check import Failed, NotApplicable
from .jar import Jar
from .values import Arrived, Launched, Reply
from .ways import authorize_in, authorize_of, is_authorize, links_of

if TYPE_CHECKING:
    from smartcar_auth.sandbox import Sandbox

_REDIRECTS = 10
_MOST_LINKS = 8
_TOKEN_PATHS = ("/oauth/token", "/oauth/token/", "/")


class NoLaunch(Exception):
    """No way to Connect was found; the message is a sentence that says what was tried."""


class Application:
    """An application that somebody made, as its visitors' browsers meet it.

    Args:
        url: Of the page with the button or link to Connect.
        sandbox: The running sandbox that it takes for Connect. None, or another one than it uses, leaves
            checks out.
        launch: Path or address that leads to Connect. None looks for it in the page.
        cookies: Such as "session=...", of somebody who is logged in.
        other_cookies: Those of somebody else, for attacks from another browser.
        seconds: How long one answer may take, or in a browser a page to say what happened.
        browser: A Chromium of Playwright's synchronous API, for the checks that need one.
        click: Selector of what opens Connect in the page; None looks for it.

    Raises:
        ValueError: An argument can't be right.
    """

    def __init__(
        self,
        url: str,
        sandbox: "Sandbox | None" = None,
        *,
        launch: str | None = None,
        cookies: Iterable[str] = (),
        other_cookies: Iterable[str] = (),
        seconds: float = SECONDS,
        browser: Any = None,
        click: str | None = None,
    ) -> None:
        self.address = read_address(url)
        self.url = self.address.geturl()
        self.origin = origin_of(self.url)
        self.sandbox = sandbox
        self.seconds = seconds
        self.chromium = browser
        self.click = click
        self.shown: str | None = None  # what a person can read after a grant, once that was looked at
        self.cookies = tuple(cookies)
        self.other_cookies = tuple(other_cookies)
        self.visitor = Visitor(self.address.netloc, (), seconds, agent="conformance")
        Visitor("", [*self.cookies, *self.other_cookies])  # complains of what is no cookie
        self.launch_address = None if launch is None else self._resolved(launch)
        self.link: str | None = (
            None  # the path that was found to lead to Connect; "" where the page itself holds it
        )

    def _resolved(self, launch: str) -> str:
        found = resolve(self.url, launch)
        if found is None or origin_of(found.geturl()) != self.origin:
            raise ValueError("The launch address must be a path of the application, such as /connect.")
        return found.geturl()

    def browser(self) -> "Browser":
        """A browser that was never here, of the person whom `cookies` name."""
        return Browser(self, self.cookies)

    def other_browser(self) -> "Browser":
        """A browser of somebody else."""
        return Browser(self, self.other_cookies)

    # -- Connect

    def is_pointed_here(self, authorize: str) -> bool:
        """Whether the application takes the sandbox for Connect."""
        if self.sandbox is None:
            return False
        there, here = urlsplit(authorize), urlsplit(self.sandbox.origin)
        local = {"localhost", "127.0.0.1", "[::1]", "::1"}
        same_host = there.hostname == here.hostname or {there.hostname, here.hostname} <= local
        return same_host and there.port == here.port

    def reply(self, launched: Launched, outcome: str = "granted", **options: Any) -> Reply:
        """Connect's answer to a launch: of the sandbox, or made up where the application asks elsewhere.

        Raises:
            NotApplicable: There is nowhere to answer to.
            Failed: The sandbox refuses what was asked.
        """
        back = launched.redirect_uri
        if not back:
            raise NotApplicable("The launch sends no redirect_uri, so where Connect answers isn't known.")
        if self.sandbox is not None and self.is_pointed_here(launched.authorize):
            try:
                address = self.sandbox.approve(launched.authorize, outcome=outcome, **options)
            except ValueError as error:
                raise Failed(f"Connect would refuse what the launch asks: {error}") from None
            query = address[len(back) + 1 :]
            return Reply(back, tuple(parse_qsl(query, keep_blank_values=True)))
        pairs = [("code", str(uuid.uuid4()))] if outcome == "granted" else [("error", outcome)]
        if outcome != "granted":
            pairs.append(("error_description", "The answer to a check"))
        pairs += list(options.get("parameters", {}).items())
        return Reply(back, tuple([*pairs, ("state", launched.state)] if launched.state else pairs))

    def latest_exchange(self) -> int:
        """The number of the latest request to the token endpoint; 0 without one."""
        if self.sandbox is None:
            return 0
        return max(
            (
                one.number
                for one in self.sandbox.requests
                if one.method == "POST" and one.path in _TOKEN_PATHS
            ),
            default=0,
        )

    # -- what it makes of answers

    @cached_property
    def _grants(self) -> tuple[Arrived, Arrived]:
        """Two, for what differs between them says nothing."""
        return self.browser().go("granted"), self.browser().go("granted")

    @cached_property
    def _denials(self) -> tuple[Arrived, Arrived]:
        return self.browser().go("access_denied"), self.browser().go("access_denied")

    @property
    def granted(self) -> Arrived:
        """What it makes of an ordinary grant."""
        return self._grants[0]

    @property
    def denied(self) -> Arrived:
        """What it makes of a denial."""
        return self._denials[0]

    @cached_property
    def refused(self) -> Arrived:
        """What it makes of an answer that proves nothing."""
        browser = self.browser()
        return browser.come_back(self.reply(browser.launch()).changed(state=None))

    @property
    def works(self) -> bool:
        """Whether an ordinary grant ends well."""
        return not self.granted.crashed and self.granted.last.status < 400

    @property
    def exchanges(self) -> bool:
        """Whether it exchanges the code at the sandbox while it answers."""
        return all(one.exchanged for one in self._grants)

    def looks_granted(self, arrived: Arrived) -> bool | None:
        """Whether it shows what it shows after a grant; None where a denial looks the same."""
        if self._resembles is None:
            return None
        return self._resembles(arrived)

    @cached_property
    def _resembles(self) -> Callable[[Arrived], bool] | None:
        """What tells a grant by its looks: statuses and redirects, else the words; None if nothing does."""
        yes, no = self._grants, self._denials
        only_yes = (yes[0].words & yes[1].words) - no[0].words - no[1].words
        only_no = (no[0].words & no[1].words) - yes[0].words - yes[1].words
        for looks in (
            lambda one: one.steps == yes[0].steps,
            lambda one: one.paths == yes[0].paths,
            lambda one: one.paths == yes[0].paths and only_yes <= one.words and not only_no & one.words,
        ):
            if all(map(looks, yes)) and not any(map(looks, no)):
                return looks
        return None

    def believes(self, arrived: Arrived) -> bool:
        """Whether it took an answer for a grant.

        Where the application exchanges codes at the sandbox, that it went there says so; elsewhere, that it
        shows what it shows after a grant and doesn't after a denial.

        Raises:
            NotApplicable: That can't be told.
        """
        if not self.works:
            raise NotApplicable("An ordinary grant fails (see granted), so this can't be told.")
        if self.exchanges:
            return arrived.exchanged
        looks = self.looks_granted(arrived)
        if looks is None:
            raise NotApplicable(
                "The app answers a grant and a denial alike and exchanges no code at the sandbox, so whether it "
                "believes an answer can't be seen."
            )
        return looks


class Browser:
    """One person's browser: its cookies, and what it asks for.

    Args:
        app: The application that it visits.
        cookies: What it carries from the start.
    """

    def __init__(self, app: Application, cookies: Iterable[str]) -> None:
        self.app = app
        self.jar = Jar(cookies)
        self.page: Answer | None = None
        self.latest: tuple[Answer, ...] = ()  # of the latest launch, whether or not it led to Connect

    def ask(
        self, url: str, *, method: str = "GET", site: str = "same-origin", **headers: str | None
    ) -> Answer:
        """One navigation, its cookies sent and kept; `site` is who caused it, as Sec-Fetch-Site says it.

        Raises:
            Unreachable: No answer came.
        """
        fields = {**NAVIGATION, "Sec-Fetch-Site": site}
        fields |= {
            name.replace("_", "-").title(): value for name, value in headers.items() if value is not None
        }
        cookies = self.jar.sent(url, cross_site=site == "cross-site")
        answer = self.app.visitor.ask(method, url, fields, cookies)
        self.jar.keep(url, answer.all("set-cookie"))
        return answer

    def follow(self, url: str, *, site: str = "same-origin", **headers: Any) -> Iterator[Answer]:
        """One navigation and its redirects, while they stay here."""
        for _ in range(_REDIRECTS):
            answer = self.ask(url, site=site, **headers)
            yield answer
            there = answer.location
            if there is None or origin_of(there.geturl()) != self.app.origin or is_authorize(there):
                return
            url = there.geturl()
            headers.pop("method", None)

    def visit(self) -> Answer:
        """Open the page with the button."""
        trail = list(self.follow(self.app.url, site="none"))
        self.page = trail[-1]
        return self.page

    # -- the way out

    def launch(self, query: Iterable[tuple[str, str]] = (), **headers: Any) -> Launched:
        """Go to Connect as the application's button does.

        Args:
            query: More parameters for the launch address.
            headers: Other header fields for the launch.

        Raises:
            NoLaunch: The application doesn't lead there.
            Unreachable: No answer came.
        """
        url = self.way() or self.app.url
        more = urlencode(list(query), quote_via=quote, safe="")
        asked = url + ("&" if "?" in url else "?") * bool(more) + more
        trail = list(self.follow(asked, **headers))
        self.latest = tuple(trail)
        found = authorize_of(trail)
        if found is None:
            there = trail[-1].location
            what = f"redirects to {there.netloc}{there.path}" if there else f"answers {trail[-1].status}"
            raise NoLaunch(f"{url.partition('?')[0]} {what} rather than lead to Connect.")
        return Launched(found, self.latest)

    def way(self) -> str | None:
        """The address that leads to Connect for this browser; None where the page itself holds Connect's.

        Raises:
            NoLaunch: None was found.
            Unreachable: No answer came.
        """
        app = self.app
        if app.launch_address is not None:
            return app.launch_address
        if app.link is None:
            app.link = self._find_link()
        if app.link == "":
            return None
        page = self.page or self.visit()  # the link may be one for this person
        return next(
            (link for link in links_of(page) if urlsplit(link).path == app.link), app.origin + app.link
        )

    def _find_link(self) -> str:
        page = self.visit()
        if authorize_in(page) is not None:
            return ""
        tried = list(dict.fromkeys(links_of(page)))[:_MOST_LINKS]
        for link in tried:
            if authorize_of(list(self.follow(link))) is not None:
                return urlsplit(link).path
        where = page.url.partition("?")[0]
        what = f"None of its links leads to Connect ({', '.join(urlsplit(one).path for one in tried)})."
        if page.location is not None:
            where, what = (
                self.app.url,
                f"It redirects to {page.location.netloc}; give the address that it leads to.",
            )
        elif page.status != 200:
            what = f"It answers {page.status}. If a login is needed: --cookie NAME=VALUE."
        elif not tried:
            what = "It has no link that may lead to Connect; a script's or a form's button isn't seen."
        raise NoLaunch(f"{where} was opened. {what} Say which address leads there: --launch /connect.")

    def attempt(self, query: Iterable[tuple[str, str]] = (), **headers: Any) -> Launched | None:
        """Launch in an unusual way: None where the application refuses."""
        try:
            return self.launch(query, **headers)
        except NoLaunch:
            return None

    # -- the way back

    def come_back(self, reply: Reply | str, **headers: Any) -> Arrived:
        """Open the callback with an answer, as Connect's redirect does."""
        before = self.app.latest_exchange()
        url = reply if isinstance(reply, str) else reply.url
        trail = tuple(self.follow(url, site="cross-site", **headers))
        return Arrived(trail, self.app.latest_exchange() > before)

    def go(self, outcome: str = "granted", **options: Any) -> Arrived:
        """Launch, end at Connect with this outcome, and come back."""
        return self.come_back(self.app.reply(self.launch(), outcome, **options))
