"""Smartcar's own addresses on this machine, over TLS: Connect is the sandbox; the hosted redirect page a stand-in.

The official SDK can't be told where Connect is, so the browser is told what the names mean.
"""

import base64
import hashlib
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from browser.application import Server, WithHeaders
from smartcar_auth.sandbox import Sandbox

CONNECT = "connect.smartcar.com"
HOSTED = "javascript-sdk.smartcar.com"
HOSTED_ORIGIN = f"https://{HOSTED}"

# Smartcar doesn't publish its page; this does what it is known to do (docs/wire.md), and no more.
HOSTED_SCRIPT = """
if (!window.opener) throw new Error("window.opener must be defined");
const query = new URLSearchParams(location.search);
const message = {
  name: "SmartcarAuthMessage",
  isSmartcarHosted: location.origin === "https://javascript-sdk.smartcar.com",
  code: query.get("code"),
  error: query.get("error"),
  errorDescription: query.get("error_description"),
  state: query.get("state"),
  vin: query.get("vin"),
  make: query.get("make"),
  model: query.get("model"),
  year: query.get("year"),
  virtualKeyUrl: query.get("virtual_key_url"),
  userId: query.get("user_id"),
};
if (query.has("external_id")) message.externalId = query.get("external_id");
opener.postMessage(message, query.get("app_origin") ?? location.origin);
close();
"""


class SmartcarCom:
    """Both hosts on one port.

    Args:
        folder: For the certificate.

    `headers` are Connect's, besides the sandbox's own.
    """

    def __init__(self, folder: Path) -> None:
        certificate = trustme.CA().issue_cert(CONNECT, HOSTED)
        chain = folder / "chain.pem"
        certificate.private_key_and_cert_chain_pem.write_to_path(chain)
        key = x509.load_pem_x509_certificate(certificate.cert_chain_pems[0].bytes()).public_key()
        digest = hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
        self.spki = base64.b64encode(digest).decode()
        self.headers: dict[str, str] = {}
        self._sandbox = Sandbox().app
        self.server = Server(self, ssl_certfile=chain)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        host = dict(scope["headers"])[b"host"].decode()
        app = WithHeaders(self._sandbox, self.headers) if host == CONNECT else _hosted(scope["path"])
        await app(scope, receive, send)

    @property
    def chromium_arguments(self) -> list[str]:
        """So that Chromium finds the hosts here, believes their certificate, and finds nothing else."""
        here = [f"MAP {host} 127.0.0.1:{self.server.port}" for host in (CONNECT, HOSTED)]
        rules = [*here, "MAP * ~NOTFOUND", "EXCLUDE localhost", "EXCLUDE 127.0.0.1"]
        return [
            f"--host-resolver-rules={','.join(rules)}",
            f"--ignore-certificate-errors-spki-list={self.spki}",
        ]


def _hosted(path: str) -> Response:
    if path == "/v2/redirect":
        return HTMLResponse(
            "<!doctype html><title>Smartcar Redirect</title><script src=redirect.js></script>"
        )
    if path == "/v2/redirect.js":
        return Response(f"(() => {{{HOSTED_SCRIPT}}})();", media_type="text/javascript")
    return Response(status_code=404)
