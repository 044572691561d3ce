"""What an OpenID provider says of itself (OpenID Connect Discovery 1.0) and which keys it signs with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import jwt
import requests

from cs_platform.lib.guarded_session import guarded_session

WELL_KNOWN = "/.well-known/openid-configuration"
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
# Signatures by a private key only: with a shared secret or none, anybody could sign.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")


class OpenIDError(RuntimeError):
    """The provider cannot be used; `code` says why, `detail` what it said or which field it is."""

    permanent = False

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code, self.detail = code, detail


@dataclass(frozen=True)
class Description:
    """The fields of the discovery document, with the origin the browser will be sent to."""

    config: dict[str, Any]
    authorize_origin: str
    keys: int


def describe(issuer: str) -> Description:
    """Fetch and check the discovery document and the keys. Raises OpenIDError."""
    config = fetch_config(issuer)
    return Description(
        config, origin_of(config["authorization_endpoint"]), len(fetch_keys(config["jwks_uri"]))
    )


def fetch_config(issuer: str) -> dict[str, Any]:
    """The discovery document; its issuer must be the one asked for (Discovery 1.0, section 4.3)."""
    config = _json(issuer.rstrip("/") + WELL_KNOWN)
    if str(config.get("issuer", "")).rstrip("/") != issuer.rstrip("/"):
        raise OpenIDError("other_issuer", str(config.get("issuer", ""))[:200])
    for name in _ENDPOINTS:
        if not isinstance(config.get(name), str) or not config[name]:
            raise OpenIDError("field_missing", name)
    if not origin_of(config["authorization_endpoint"]):
        raise OpenIDError("field_missing", "authorization_endpoint")
    return config


def fetch_keys(url: str) -> list[jwt.PyJWK]:
    """The keys that may have signed; those of other uses or kinds are left out."""
    found = []
    for data in _json(url).get("keys") or []:
        if not isinstance(data, dict) or data.get("use", "sig") != "sig" or data.get("kty") == "oct":
            continue
        try:
            found.append(jwt.PyJWK(data))
        except jwt.PyJWTError:
            continue
    if not found:
        raise OpenIDError("no_keys")
    return found


def origin_of(url: str) -> str:
    """ "https://host:port" of an address; empty for anything that could break out of a policy header."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host or any(c in host for c in " ;,'\"*\r\n"):
        return ""
    return f"{parts.scheme}://{host}{port}"


def _json(url: str) -> dict[str, Any]:
    try:
        with guarded_session() as session:
            answer = session.get(url, headers={"Accept": "application/json"})
    except requests.ConnectionError as error:
        raise OpenIDError(str(error.args[0]) if error.args else "no_answer") from None
    except requests.RequestException:
        raise OpenIDError("invalid_url") from None
    if answer.status_code != 200:
        raise OpenIDError("status", str(answer.status_code))
    try:
        data = answer.json()
    except ValueError:
        raise OpenIDError("not_json") from None
    if not isinstance(data, dict):
        raise OpenIDError("not_json")
    return data
