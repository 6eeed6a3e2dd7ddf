"""The cookies of one browser, kept and sent as browsers do on the way to Connect and back.

A `SameSite=Strict` cookie stays behind when another site sends the person here, which is what Connect does.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import mktime_tz, parsedate_tz
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Cookie:
    """One cookie as it was set; `attributes` have names in lower case."""

    name: str
    value: str
    attributes: dict[str, str]

    @property
    def same_site(self) -> str:
        return self.attributes.get("samesite", "").lower()


def read_cookie(field: str) -> Cookie:
    """A Set-Cookie field, whatever it holds."""
    pair, *rest = field.split(";")
    name, _, value = pair.strip().partition("=")
    attributes = (
        (key.strip().lower(), text.strip()) for key, _, text in (one.partition("=") for one in rest)
    )
    return Cookie(name, value, dict(attributes))


class Jar:
    """The cookies of one browser.

    Args:
        given: Such as "session=...", which it carries from the start.
    """

    def __init__(self, given: Iterable[str] = ()) -> None:
        self._kept: dict[tuple[str, str, str], Cookie] = {}
        for pair in given:
            one = read_cookie(pair)
            self._kept[one.name, "", "/"] = one

    def keep(self, url: str, fields: Iterable[str]) -> None:
        """Do with an answer's Set-Cookie fields what a browser does, refusing included."""
        where = urlsplit(url)
        host = where.hostname or ""
        for field in fields:
            one = read_cookie(field)
            domain = one.attributes.get("domain", "").lstrip(".").lower()
            path = one.attributes.get("path", "")
            if not path.startswith("/"):
                path = where.path.rpartition("/")[0] or "/"
            if _is_refused(one, host, domain):
                continue
            # A cookie that was given by hand belongs to no host; what the application sets replaces it.
            self._kept.pop((one.name, "", "/"), None)
            key = (one.name, domain or host, path)
            if _is_over(one):
                self._kept.pop(key, None)
            else:
                self._kept[key] = one

    def sent(self, url: str, *, cross_site: bool) -> list[str]:
        """What a navigation to this address carries; `cross_site` if another site caused it."""
        where = urlsplit(url)
        host, path = where.hostname or "", where.path or "/"
        found = [
            (len(scope), one)
            for (_, domain, scope), one in self._kept.items()
            if (domain in ("", host) or ("domain" in one.attributes and host.endswith("." + domain)))
            and (path == scope or path.startswith(scope.rstrip("/") + "/"))
            and not (cross_site and one.same_site == "strict")
        ]
        return [f"{one.name}={one.value}" for _, one in sorted(found, key=lambda pair: -pair[0])]


def _is_refused(one: Cookie, host: str, domain: str) -> bool:
    secure = "secure" in one.attributes
    if domain and host != domain and not host.endswith("." + domain):
        return True
    if one.same_site == "none" and not secure:
        return True
    if one.name.startswith("__Secure-"):
        return not secure
    return one.name.startswith("__Host-") and not (
        secure and one.attributes.get("path") == "/" and not one.attributes.get("domain")
    )


def _is_over(one: Cookie) -> bool:
    age = one.attributes.get("max-age")
    if age is not None:
        return age.startswith("-") or age == "0"
    when = parsedate_tz(one.attributes.get("expires", ""))
    return when is not None and mktime_tz(when) <= time.time()
