"""A browser at a site behind nginx: TLS outside, plain HTTP inside, and a prefix that nginx cuts off."""

from contextlib import ExitStack

import pytest
import trustme

from browser.engines import chromium
from browser.outcomes import ALLOW, BUTTON, DENY, STATUS, sign_in
from chromium import start_chromium
from deployment.deployed import uvicorn
from smartcar_auth.sandbox import Sandbox

pytestmark = pytest.mark.browser

SITE = "https://garage.example"
TRUSTING = ("--proxy-headers", "--forwarded-allow-ips", "127.0.0.1", "--root-path", "/shop/garage")


@pytest.mark.parametrize(
    ("arguments", "settings"),
    [(TRUSTING, {}), (("--no-proxy-headers",), {"public_url": f"{SITE}/shop/garage"})],
    ids=["trusted headers", "public_url"],
)
def test_attempts_at_a_site_with_tls(deployment, playwright, arguments, settings):
    """Launch and callback are https under the prefix, cookies are the site's alone; page and function are told."""
    folder = deployment.folder
    certificate = trustme.CA().issue_cert("garage.example").private_key_and_cert_chain_pem
    certificate.write_to_path(str(folder / "site.pem"))
    with Sandbox() as sandbox, ExitStack() as running:
        deployment.start(uvicorn(folder, "w", *arguments, connect_origin=sandbox.origin, **settings))
        [worker] = deployment.workers
        nginx = deployment.nginx(
            f"server {{ listen 127.0.0.1:{{port}} ssl; server_name garage.example;\n"
            f"ssl_certificate {folder}/site.pem; ssl_certificate_key {folder}/site.pem;\n"
            "proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto $scheme;\n"
            "proxy_set_header X-Forwarded-For $remote_addr;\n"
            f"location /shop/garage/ {{ proxy_pass http://127.0.0.1:{worker.port}/; }} }}"
        )
        rules = f"--host-resolver-rules=MAP garage.example:443 127.0.0.1:{nginx.port}"
        browser = running.enter_context(start_chromium(playwright, rules, "--ignore-certificate-errors"))
        person = running.enter_context(chromium(browser)())
        page = person()
        page.go(f"{SITE}/shop/garage/")
        popup = page.open(BUTTON)
        sign_in(popup)
        popup.press(DENY)
        page.reads(STATUS, "You did not give access. Nothing was connected.")
        popup = page.open(BUTTON)
        sign_in(popup)
        popup.press(ALLOW)
        popup.gone()
        page.reads(STATUS, "Added to the garage, on time on time on time")
        cookies = browser.contexts[0].cookies()
    assert deployment.errors() == ["access_denied"]
    assert list(deployment.completed().values()) == [1]
    assert len(cookies) == 2
    for cookie in cookies:
        assert cookie["name"].startswith("__Host-smartcar-")
        assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Lax")
        assert (cookie["domain"], cookie["path"]) == ("garage.example", "/")
