"""TLS for the sandbox under Smartcar's own names, by an authority that is made at start and ends with it.

The authority's key never leaves memory. Its certificate is a file, for programs that are to believe it;
browsers can be told the hash of the server's key instead, and so needn't believe the authority at all.
"""

import base64
import hashlib
import ssl
from pathlib import Path
from tempfile import TemporaryDirectory

from .hostnames import HOSTNAMES

try:
    import trustme
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
except ImportError as error:
    raise ImportError(
        'The sandbox needs trustme to speak TLS: pip install "smartcar-auth[tls]"', name=error.name
    ) from None


class Certificates:
    """The authority and the server's certificate.

    Attributes:
        ca_file: the authority's certificate, for SSL_CERT_FILE, REQUESTS_CA_BUNDLE or NODE_EXTRA_CA_CERTS.
        spki: the hash of the server's key, as Chromium wants it: base64 of SHA-256.
        context: what the server speaks TLS with.
    """

    def __init__(self, host: str) -> None:
        authority = trustme.CA(organization_name="smartcar-auth sandbox")
        names = dict.fromkeys((*HOSTNAMES, "localhost", "127.0.0.1", "::1", host))
        certificate = authority.issue_cert(*names)
        self._folder = TemporaryDirectory(prefix="smartcar-sandbox-")
        self.ca_file = Path(self._folder.name, "ca.pem")
        authority.cert_pem.write_to_path(self.ca_file)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(self.context)
        key = x509.load_pem_x509_certificate(certificate.cert_chain_pems[0].bytes()).public_key()
        public = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.spki = base64.b64encode(hashlib.sha256(public).digest()).decode()

    def client_context(self) -> ssl.SSLContext:
        """What a client in this process speaks TLS with, if it believes this authority and no other."""
        return ssl.create_default_context(cafile=str(self.ca_file))

    def chromium_arguments(self, host: str, port: int) -> list[str]:
        """So that Chromium finds Smartcar's hosts here and believes this key, and finds nothing else but localhost."""
        here = [f"MAP {name} {host}:{port}" for name in HOSTNAMES]
        rules = ",".join([*here, "MAP * ~NOTFOUND", "EXCLUDE localhost", "EXCLUDE 127.0.0.1"])
        return [f"--host-resolver-rules={rules}", f"--ignore-certificate-errors-spki-list={self.spki}"]

    def remove(self) -> None:
        """Remove the authority's file."""
        self._folder.cleanup()
