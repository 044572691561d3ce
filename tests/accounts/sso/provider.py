"""A small real OpenID provider on this machine: discovery, keys, code for token, with PKCE checked."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Provider:
    """`person` are the claims of whoever signs in there; `bend` may spoil the claims of the next tokens."""

    client_id, client_secret, kid = "our-client", "s3cret-of-the-client", "k1"

    def __init__(self) -> None:
        self.issuer = ""
        self.person: dict[str, Any] = {}
        self.bend: Callable[[dict[str, Any]], None] = lambda claims: None
        self.sign_with: Any = KEY
        self.algorithm = "RS256"
        self.config: dict[str, Any] = {}
        self.redirects: dict[str, str] = {}
        self.asked: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}

    def authorize(self, url: str) -> str:
        """What the browser does there: signs in as `person`, and comes back to this address."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert asked["response_type"] == "code" and asked["code_challenge_method"] == "S256"
        assert asked["client_id"] == self.client_id
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        return f"{asked['redirect_uri']}?code={code}&state={asked['state']}"

    def token(self, form: dict[str, str]) -> dict[str, Any] | None:
        """Each code once, with the secret of the client and the verifier of the attempt."""
        asked = self._codes.pop(form.get("code", ""), None)
        if asked is None or form.get("client_secret") != self.client_secret:
            return None
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != asked["code_challenge"]:
            return None
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": self.client_id,
            "sub": "subject-1",
            "iat": now,
            "exp": now + 300,
            "nonce": asked.get("nonce", ""),
            **self.person,
        }
        self.bend(claims)
        signed = jwt.encode(claims, self.sign_with, algorithm=self.algorithm, headers={"kid": self.kid})
        return {"access_token": "at", "token_type": "Bearer", "id_token": signed}

    def document(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            **self.config,
        }

    def keys(self) -> dict[str, Any]:
        key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key()))
        return {"keys": [{**key, "kid": self.kid, "use": "sig", "alg": "RS256"}]}


@contextmanager
def openid_provider(settings: Any) -> Iterator[Provider]:
    book = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            book.asked.append(self.path)
            if self.path in book.redirects:
                self.send_response(302)
                self.send_header("Location", book.redirects[self.path])
                self.end_headers()
                return
            answers = {"/.well-known/openid-configuration": book.document, "/keys": book.keys}
            self._say(answers[self.path]() if self.path in answers else None)

        def do_POST(self) -> None:
            book.asked.append(self.path)
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._say(book.token({name: values[0] for name, values in parse_qs(body).items()}))

        def _say(self, data: Any) -> None:
            text = json.dumps(data if data is not None else {"error": "invalid_request"}).encode()
            self.send_response(200 if data is not None else 400)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    book.issuer = f"http://127.0.0.1:{server.server_port}"
    settings.OUTGOING_ALLOWED_HOSTS = [f"127.0.0.1:{server.server_port}"]
    try:
        yield book
    finally:
        server.shutdown()
        server.server_close()
