"""nginx with TLS in front, the application under a prefix that nginx cuts off: addresses and cookies come out right."""

import ssl
from urllib.parse import urlsplit

import pytest
import trustme

from deployment.deployed import Browser, Deployment, attempt_id, sent, told, uvicorn, words

SITE = "https://garage.example"
SPOOFED = {
    "x-forwarded-proto": "http",
    "x-forwarded-host": "evil.example",
    "x-forwarded-for": "203.0.113.9",
    "x-forwarded-port": "1",
    "x-forwarded-prefix": "/evil",
    "forwarded": "host=evil.example;proto=http",
    "x-original-url": "/evil",
}
# What the three know of the proxy: it is told by trusted headers, or by the developer, or not at all.
TRUSTING = ("--proxy-headers", "--forwarded-allow-ips", "127.0.0.1", "--root-path", "/trusting")
STATED = ("--no-proxy-headers",)
IGNORANT = ("--no-proxy-headers", "--root-path", "/ignorant")


@pytest.fixture(scope="module")
def authority():
    """Who vouches for the site."""
    return trustme.CA()


@pytest.fixture(scope="module")
def site(authority, tmp_path_factory):
    """The deployment and the TLS port of its nginx, which passes Host on and overwrites X-Forwarded-Proto."""
    deployment = Deployment(tmp_path_factory.mktemp("proxy"))
    folder = deployment.folder
    deployment.start(
        uvicorn(folder, "trusting", *TRUSTING),
        uvicorn(folder, "stated", *STATED, public_url=f"{SITE}/stated"),
        uvicorn(folder, "ignorant", *IGNORANT),
    )
    certificate = authority.issue_cert(urlsplit(SITE).hostname)
    certificate.private_key_and_cert_chain_pem.write_to_path(str(folder / "site.pem"))
    locations = "".join(
        f"location /{worker.name}/ {{ proxy_pass http://127.0.0.1:{worker.port}/; }}\n"
        for worker in deployment.workers
    )
    nginx = deployment.nginx(
        f"server {{ listen 127.0.0.1:{{port}} ssl; server_name garage.example;\n"
        f"ssl_certificate {folder}/site.pem; ssl_certificate_key {folder}/site.pem;\n"
        "proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto $scheme;\n"
        f"proxy_set_header X-Forwarded-For $remote_addr;\n{locations}}}"
    )
    yield deployment, nginx.port
    deployment.end()


@pytest.fixture
def visitor(site, authority):
    """Makes a browser that trusts the site's certificate, for one of the three workers."""
    deployment, port = site
    trust = ssl.create_default_context()
    authority.configure_trust(trust)

    def visitor(name: str, **headers: str) -> Browser:
        return deployment.browser(
            f"https://127.0.0.1:{port}",
            site=SITE,
            prefix=f"/{name}/smartcar",
            trust=trust,
            headers=headers,
        )

    return visitor


@pytest.mark.parametrize("spoofed", [{}, SPOOFED], ids=["honest", "spoofed headers"])
@pytest.mark.parametrize("name", ["trusting", "stated"])
def test_addresses_and_cookies_are_those_of_the_site(site, visitor, name, spoofed):
    """The redirect URI, the cookie and the whole attempt go by the site's https origin, whatever a visitor claims."""
    deployment, _ = site
    browser = visitor(name, **spoofed)
    attempt = attempt_id()
    launched = browser.opens(attempt)
    assert launched.status_code == 303
    assert sent(launched)["redirect_uri"] == f"{SITE}/{name}/smartcar/callback"
    cookie, *attributes = launched.headers["set-cookie"].split("; ")
    assert cookie.startswith(f"__Host-smartcar-{attempt}=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(attributes)
    code = f"code-{name}-{len(spoofed)}"
    answered = browser.answer(sent(launched)["state"], code)
    assert (told(answered.text)["outcome"], told(answered.text)["origin"]) == ("granted", SITE)
    assert browser.status(attempt).json()["outcome"] == "granted"
    cancelled = browser.ask(f"/cancel/{attempt}", method="POST", origin="https://evil.example")
    assert cancelled.status_code == 403
    assert deployment.completed()[code] == 1


def test_app_that_knows_nothing_of_its_proxy_says_so(visitor):
    """Without trusted headers and without public_url the launch is refused in words that say what to set."""
    refused = visitor("ignorant").opens()
    assert refused.status_code == 400
    assert "set-cookie" not in refused.headers
    said = words(refused.text)
    assert "reached over http://garage.example" in said
    assert "let the server trust X-Forwarded-Proto, or set public_url" in said


def test_headers_of_a_stranger_are_not_believed(site):
    """Past nginx, an app that trusts no proxy can't be talked into https or another host by headers."""
    deployment, _ = site
    worker = next(one for one in deployment.workers if one.name == "ignorant")
    claimed = {**SPOOFED, "x-forwarded-proto": "https"}
    browser = deployment.browser(worker.origin, headers=claimed)
    launched = browser.opens()
    assert sent(launched)["redirect_uri"] == f"{worker.origin}/ignorant/smartcar/callback"
    assert launched.headers["set-cookie"].startswith("smartcar-")
