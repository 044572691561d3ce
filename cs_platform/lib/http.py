"""The one client for outgoing HTTP to addresses that a user typed in.

Names are resolved here and the connection goes only to a public address, checked again on the
connected socket, so that neither a private address nor a name that changes its mind reaches the
inside of the network (server-side request forgery). No redirects, no proxies, no cookies.
`OUTGOING_ALLOWED_HOSTS` names internal receivers ("host:port") that an installation wants to reach.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from threading import Timer
from typing import Any
from urllib.parse import urlsplit

import urllib3
from django.conf import settings
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NewConnectionError

CONNECT_SECONDS, READ_SECONDS, TOTAL_SECONDS = 1.0, 5.0, 10.0
MAX_BYTES = 1_000_000
# IPv6 ranges whose last 32 bits are an IPv4 address (RFC 6052, RFC 3056 has it in bits 16 to 48).
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class OutgoingError(RuntimeError):
    """No usable answer. `code` says why; `sent` is whether the receiver may have got the request."""

    def __init__(self, code: str, *, sent: bool = False) -> None:
        super().__init__(code)
        self.code, self.sent = code, sent


@dataclass(frozen=True)
class Answer:
    """`body` is cut after 1 MB; `seconds` is the time the exchange took."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    seconds: float


def check_url(url: str) -> str:
    """The host with its port of an address that may be called; OutgoingError with a code when it may not."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise OutgoingError("invalid_url") from None
    if parts.scheme not in ("http", "https") or not host or any(c in url for c in "\r\n\t\\ "):
        raise OutgoingError("invalid_url")
    if parts.username is not None or parts.password is not None:
        raise OutgoingError("credentials_in_url")
    place = f"{host}:{port or (443 if parts.scheme == 'https' else 80)}"
    if parts.scheme == "http" and place not in settings.OUTGOING_ALLOWED_HOSTS:
        raise OutgoingError("not_https")
    return place


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """POST once. Raises OutgoingError; every status of an answer is an Answer."""
    return exchange("POST", url, body, headers)


def get(url: str, headers: Mapping[str, str]) -> Answer:
    """GET once, like `post`."""
    return exchange("GET", url, None, headers)


def exchange(method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
    """One request of any method, like `post`."""
    check_url(url)
    with _Deadline():
        return _carry_out(method, url, body, headers)


def _carry_out(method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
    pool, started, response = _Pools(num_pools=1, maxsize=1), time.monotonic(), None
    try:
        response = pool.request(
            method,
            url,
            body=body,
            headers={"User-Agent": "cs-platform", "Accept-Encoding": "identity", **headers},
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
            redirect=False,
            retries=False,
            preload_content=False,
        )
        content = response.read(MAX_BYTES, decode_content=False)
        return Answer(response.status, content, dict(response.headers), time.monotonic() - started)
    except _Forbidden:
        raise OutgoingError("address_not_public") from None
    except NewConnectionError:
        raise OutgoingError("unreachable") from None
    except (HTTPError, OSError, UnicodeError) as error:
        raise OutgoingError(_code_of(error), sent=True) from None
    finally:
        if response is not None:
            response.close()
        pool.clear()


def _code_of(error: Exception) -> str:
    if isinstance(error, urllib3.exceptions.SSLError):
        return "tls_failed"
    timeouts = (urllib3.exceptions.TimeoutError, TimeoutError)
    return "timeout" if isinstance(error, timeouts) else "no_answer"


class _Forbidden(Exception):
    """The name leads to an address of our own network."""


def is_public(text: str) -> bool:
    """Whether an address belongs to the public internet; IPv4 inside IPv6 is looked at as IPv4."""
    address: Address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if address.is_site_local or int(address) < 2**32:  # fec0::/10, and ::a.b.c.d of old
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _connect(host: str, port: int, timeout: Any) -> socket.socket:
    """A socket to a public address of the host. The check is made on what is connected, not on a name."""
    allowed = f"{host}:{port}" in settings.OUTGOING_ALLOWED_HOSTS
    seconds = timeout if isinstance(timeout, (int, float)) else CONNECT_SECONDS
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    usable = [entry for entry in found if allowed or is_public(str(entry[4][0]))]
    if not usable:
        raise _Forbidden
    error: OSError = OSError("no address")
    for family, kind, protocol, _, place in usable:
        sock = socket.socket(family, kind, protocol)
        sock.settimeout(seconds)
        try:
            sock.connect(place)
            if not allowed and not is_public(str(sock.getpeername()[0])):
                raise _Forbidden
            return sock
        except OSError as problem:
            error = problem
            sock.close()
        except _Forbidden:
            sock.close()
            raise
    raise error


class _Deadline:
    """Ends an exchange that trickles on: a reader that waits sees the end of the stream."""

    def __init__(self) -> None:
        self._watched: list[socket.socket] = []
        self._timer = Timer(TOTAL_SECONDS, self._hang_up)
        self._timer.daemon = True

    def __enter__(self) -> _Deadline:
        self._token = _deadline.set(self)
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        _deadline.reset(self._token)
        self._timer.cancel()
        for sock in self._watched:
            sock.close()

    def watch(self, sock: socket.socket) -> None:
        """A copy of the handle, because TLS takes the socket itself away."""
        self._watched.append(sock.dup())

    def _hang_up(self) -> None:
        for sock in self._watched:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


_deadline: ContextVar[_Deadline] = ContextVar("deadline")


class _Guard:
    """Mixed into urllib3's connections: how they connect."""

    host: str
    port: int
    timeout: Any

    def _new_conn(self) -> socket.socket:
        try:
            sock = _connect(self.host, self.port, self.timeout)
        except OSError as error:
            raise NewConnectionError(self, str(error)) from error  # type: ignore[arg-type]
        _deadline.get().watch(sock)
        return sock


class _Plain(_Guard, HTTPConnection):
    pass


class _Secure(_Guard, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


class _Pools(urllib3.PoolManager):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}
