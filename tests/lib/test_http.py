"""Outgoing HTTP: nothing inside the network can be reached, whatever the address looks like."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from cs_platform.lib import http
from cs_platform.lib.http import MAX_BYTES, OutgoingError, check_url, get, is_public, post

# Ways to write an address that is not of the public internet.
INSIDE = [
    *("127.0.0.1", "127.1", "127.0.0.2", "127.255.255.254", "0.0.0.0", "0", "0.0.0.1", "localhost"),
    *("2130706433", "0x7f000001", "017700000001", "0x7f.1", "0177.0.0.1", "127.0.1", "0x7f.0.0.1"),
    *("10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.255.255"),
    *("169.254.169.254", "2852039166", "0xa9fea9fe", "169.254.0.1", "100.64.0.1", "192.0.0.1", "192.0.2.1"),
    *("198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255"),
    *("[::1]", "[::]", "[fc00::1]", "[fd12:3456::1]", "[fe80::1]", "[fec0::1]", "[ff02::1]", "[2001:db8::1]"),
    *("[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[::ffff:a9fe:a9fe]", "[::127.0.0.1]", "[::ffff:0:1]"),
    *("[64:ff9b::7f00:1]", "[64:ff9b::a00:1]", "[2002:7f00:1::]", "[2002:a00:1::]", "[2002:a9fe:a9fe::]"),
    *("[2001:0:4136:e378:8000:63bf:80ff:fffe]", "[100::1]", "[fdff:ffff::1]", "[::ffff:192.168.1.1]"),
    *("172.20.10.1", "10.1", "127.0.0.1.", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:127.0.0.1]", "192.168.257"),
]


@contextmanager
def serving(answer: Callable[[BaseHTTPRequestHandler], None], settings: Any) -> Iterator[str]:
    """A receiver on this machine that the installation has allowed."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answer(self)

        do_GET = do_POST

        def log_message(self, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    settings.OUTGOING_ALLOWED_HOSTS = [f"127.0.0.1:{server.server_port}"]
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every place that a socket tried to reach."""
    places: list[Any] = []
    monkeypatch.setattr(socket.socket, "connect", lambda self, place: places.append(place))
    return places


def test_sixty_ways_inside_lead_nowhere(connected: list[Any]) -> None:
    assert len(INSIDE) >= 60
    for host in INSIDE:
        with pytest.raises(OutgoingError):
            post(f"https://{host}/hook", b"{}", {})
    assert connected == []


def test_a_public_address_is_public() -> None:
    assert all(is_public(text) for text in ("8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"))


def test_a_name_that_changes_its_mind_is_caught_on_the_socket(
    connected: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the resolver said, what counts is where the socket ended up."""
    entry = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 443))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: [entry])
    monkeypatch.setattr(socket.socket, "getpeername", lambda self: ("10.0.0.7", 443))
    with pytest.raises(OutgoingError, match="address_not_public"):
        post("https://rebound.example/", b"", {})


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("ftp://example.com/", "invalid_url"),
        ("https:///x", "invalid_url"),
        ("https://example.com:99999/", "invalid_url"),
        ("https://exa mple.com/", "invalid_url"),
        ("https://user:word@example.com/", "credentials_in_url"),
        ("http://example.com/", "not_https"),
    ],
)
def test_an_address_that_may_not_be_called_says_why(url: str, code: str) -> None:
    with pytest.raises(OutgoingError, match=code):
        check_url(url)


def test_redirects_are_not_followed(settings: Any) -> None:
    def moved(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", "http://169.254.169.254/")
        handler.end_headers()

    with serving(moved, settings) as url:
        assert post(url, b"{}", {}).status == 302


def test_a_large_answer_is_cut(settings: Any) -> None:
    def large(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            for _ in range(30):
                handler.wfile.write(b"x" * 100_000)
        except OSError:
            return

    with serving(large, settings) as url:
        assert len(get(url, {}).body) == MAX_BYTES


def test_an_answer_that_trickles_on_is_ended(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            for _ in range(100):
                handler.wfile.write(b"x")
                handler.wfile.flush()
                time.sleep(0.1)
        except OSError:
            return

    monkeypatch.setattr(http, "TOTAL_SECONDS", 0.5)
    with serving(slow, settings) as url:
        assert len(get(url, {}).body) < 50


def test_nobody_there(settings: Any) -> None:
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.1:9"]
    with pytest.raises(OutgoingError, match="unreachable") as caught:
        post("http://127.0.0.1:9/", b"", {})
    assert not caught.value.sent
