"""requests over the one outgoing client: what a library fetches for us obeys the same rules (`lib/http`)."""

from __future__ import annotations

from typing import Any

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from cs_platform.lib import http


class _Through(BaseAdapter):
    """Each request as one exchange of `lib/http`: public addresses only, bounded in time and size."""

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        # What requests adds by itself: we read no compressed answers, and close after one exchange.
        dropped = ("accept-encoding", "connection", "user-agent", "content-length")
        headers = {name: str(value) for name, value in request.headers.items() if name.lower() not in dropped}
        body = request.body.encode() if isinstance(request.body, str) else request.body
        if not isinstance(body, bytes | None):
            raise TypeError("only whole bodies are sent")
        try:
            answer = http.exchange(request.method or "GET", request.url or "", body, headers)
        except http.OutgoingError as error:
            raise requests.ConnectionError(error.code, request=request) from None
        response = requests.Response()
        response.status_code, response.url, response.request = answer.status, request.url or "", request
        response.headers = CaseInsensitiveDict(answer.headers)
        response._content = answer.body
        response.encoding = "utf-8"
        return response

    def close(self) -> None:
        """Nothing is kept open."""


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nobody is followed anywhere."""


def guarded_session() -> requests.Session:
    """A session that reaches public addresses only, follows no redirect and reads no environment."""
    session = _Session()
    session.trust_env = False
    session.adapters.clear()
    session.mount("https://", _Through())
    session.mount("http://", _Through())
    return session
