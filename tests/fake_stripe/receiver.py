"""A web server that takes webhooks as a shop would: notes them, and answers as told."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import stripe

SECRET = "whsec_test_secret"


@dataclass
class Receiver:
    url: str = ""
    status: list[int] = field(default_factory=list)
    bodies: list[tuple[bytes, str]] = field(default_factory=list)

    def events(self) -> list[stripe.Event]:
        """Verified by the SDK, in the order of arrival."""
        return [stripe.Webhook.construct_event(body, header, SECRET) for body, header in list(self.bodies)]

    def types(self) -> list[str]:
        return [event.type for event in self.events()]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """`receiver.status` holds the answers to give, first to last; afterwards 200."""
    receiver, lock = Receiver(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                status = receiver.status.pop(0) if receiver.status else 200
                receiver.bodies.append((body, self.headers["Stripe-Signature"]))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/webhooks"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
