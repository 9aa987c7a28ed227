"""A certificate authority of the test's own, and a TLS reverse proxy before a listener of ours."""

from __future__ import annotations

import http.client
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


def authority(folder: Path, *, name: str, days: float = 90) -> tuple[Path, Path]:
    """Make a CA and a certificate of it for a name; return (the CA's file, chain and key's)."""
    now = datetime.now(UTC)
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])

    def certificate(subject: str | None) -> x509.Certificate:
        named = ca_name
        if subject is not None:
            named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
        public = (ca_key if subject is None else key).public_key()
        built = (
            x509.CertificateBuilder()
            .subject_name(named)
            .issuer_name(ca_name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=100))
            .not_valid_after(now + timedelta(days=days if subject else 365))
            .add_extension(x509.BasicConstraints(ca=subject is None, path_length=None), True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), False
            )
        )
        if subject is not None:
            built = built.add_extension(x509.SubjectAlternativeName([x509.DNSName(subject)]), False)
        return built.sign(ca_key, hashes.SHA256())

    trusted, served = folder / "ca.pem", folder / "served.pem"
    trusted.write_bytes(certificate(None).public_bytes(Encoding.PEM))
    served.write_bytes(
        certificate(name).public_bytes(Encoding.PEM)
        + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return trusted, served


@contextmanager
def tls_front(
    served: Path, behind: tuple[str, int], *, host: str | None = None, port: int = 0
) -> Iterator[int]:
    """Hand every request on to a listener, with its Host or another; yield the TLS port."""

    class Proxy(BaseHTTPRequestHandler):
        def _any(self) -> None:
            length = int(self.headers.get("content-length", "0"))
            onward = http.client.HTTPConnection(*behind, timeout=10)
            headers = dict(self.headers.items())
            headers["Host"] = host or headers["Host"]
            onward.request(self.command, self.path, self.rfile.read(length), headers)
            answer = onward.getresponse()
            body = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            onward.close()

        do_GET = do_POST = _any  # noqa: N815 - the names the base class calls

        def log_message(self, format: str, *args: Any) -> None:
            """Keep quiet."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(served)
    server = ThreadingHTTPServer(("127.0.0.1", port), Proxy)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
