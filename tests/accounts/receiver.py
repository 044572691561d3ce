"""A small receiver of webhooks on this machine, with its own ledger and a mood."""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Receiver:
    """`answers` are used up one by one, then `default`; `got` are (headers, body) in order."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.default = 200
        self.url = ""

    def is_signed(self, secret: str, at: int = -1) -> bool:
        """As the Standard Webhooks specification tells receivers to check."""
        headers, body = self.got[at]
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        key = base64.b64decode(secret.removeprefix("whsec_"))
        right = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return f"v1,{right}" in headers["webhook-signature"].split()


@contextmanager
def receiver(settings: Any) -> Iterator[Receiver]:
    book = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            book.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(book.answers.pop(0) if book.answers else book.default)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    book.url = f"http://127.0.0.1:{server.server_port}/hook"
    settings.OUTGOING_ALLOWED_HOSTS = [f"127.0.0.1:{server.server_port}"]
    try:
        yield book
    finally:
        server.shutdown()
        server.server_close()
