"""OpenID Connect per workspace, on allauth's provider: stricter in what it believes.

Beyond allauth: the issuer must be the one that was set up, the signature is always checked, the token must
carry the nonce of this very attempt and name us as its party, and nothing is fetched except through `lib/http`.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import jwt
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import HttpRequest

from accounts.gateways.openid import ALGORITHMS, OpenIDError, fetch_config, fetch_keys

LEEWAY_SECONDS = 60
_MALFORMED = (KeyError, ValueError, TypeError, AttributeError)


def nonce_of(verifier: str) -> str:
    """Bound to the attempt by its secret PKCE verifier, which only this session knows."""
    return hashlib.sha256(f"nonce:{verifier}".encode()).hexdigest()


class WorkspaceOpenID(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    """Talks to the provider of one workspace."""

    _verifier = ""

    @property
    def openid_config(self) -> dict[str, Any]:
        if not hasattr(self, "_config"):
            try:
                self._config = fetch_config(self.get_provider().app.settings["server_url"])
            except OpenIDError as error:
                raise OAuth2Error(error.code) from error
        return self._config

    def get_access_token_data(
        self, request: HttpRequest, app: Any, client: Any, pkce_code_verifier: str | None = None
    ) -> Any:
        self._verifier = pkce_code_verifier or ""
        try:
            return super().get_access_token_data(request, app, client, pkce_code_verifier=pkce_code_verifier)
        except _MALFORMED as error:
            raise OAuth2Error("malformed answer") from error

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **kwargs: Any) -> Any:
        try:
            claims = self._decode_id_token(app, kwargs["response"]["id_token"])
            if "email" not in claims and "userinfo_endpoint" in self.openid_config:
                info = self._fetch_user_info(token.token)
                if info["sub"] != claims["sub"]:
                    raise OAuth2Error("another subject")
                claims = {**info, **claims}
            return self.get_provider().sociallogin_from_response(request, claims)
        except _MALFORMED as error:
            raise OAuth2Error("malformed answer") from error

    def _decode_id_token(self, app: Any, id_token: str) -> dict[str, Any]:
        """The token's claims (OpenID Connect Core 1.0, section 3.1.3.7). Raises OAuth2Error."""
        try:
            claims: dict[str, Any] = jwt.decode(
                id_token,
                key=self._key(id_token),
                algorithms=list(ALGORITHMS),
                audience=app.client_id,
                issuer=self.openid_config["issuer"],
                leeway=LEEWAY_SECONDS,
                options={"require": ["iss", "sub", "aud", "exp", "iat"]},
            )
        except (jwt.PyJWTError, OpenIDError) as error:
            raise OAuth2Error("invalid id_token") from error
        audience = claims["aud"]
        party = claims.get("azp", app.client_id)
        if party != app.client_id or (
            isinstance(audience, list) and len(audience) > 1 and "azp" not in claims
        ):
            raise OAuth2Error("another party")
        expected = nonce_of(self._verifier)
        if not self._verifier or not hmac.compare_digest(str(claims.get("nonce", "")), expected):
            raise OAuth2Error("another attempt")
        return claims

    def _key(self, id_token: str) -> Any:
        kid = jwt.get_unverified_header(id_token).get("kid")
        keys = fetch_keys(self.openid_config["jwks_uri"])
        fitting = [key for key in keys if key.key_id == kid] if kid else keys
        if len(fitting) != 1:
            raise OAuth2Error("unknown key")
        return fitting[0].key


class WorkspaceProvider(OpenIDConnectProvider):  # type: ignore[misc]
    """The provider as allauth sees it. Nothing of the request's address reaches the provider's."""

    oauth2_adapter_class = WorkspaceOpenID

    def get_pkce_params(self) -> dict[str, str]:
        params: dict[str, str] = super().get_pkce_params()
        return {**params, "nonce": nonce_of(params["code_verifier"])}

    def get_scope_from_request(self, request: HttpRequest) -> list[str]:
        return list(self.get_scope())

    def get_auth_params_from_request(self, request: HttpRequest, action: str) -> dict[str, str]:
        return {}

    def extract_uid(self, data: dict[str, Any]) -> str:
        """A subject is unique within its issuer only: after a change of provider nobody is mistaken."""
        subject = data["sub"]
        if not isinstance(subject, str) or not subject:
            raise ValueError("sub")
        return hashlib.sha256(f"{self.app.settings['server_url']}\0{subject}".encode()).hexdigest()

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        return {}

    def extract_email_addresses(self, data: dict[str, Any]) -> list[Any]:
        # Some providers say "true" in words; nothing else counts as verified.
        verified = data.get("email_verified") is True or data.get("email_verified") == "true"
        addresses: list[Any] = super().extract_email_addresses(data)
        for address in addresses:
            address.verified = verified
        return addresses

    def serialize(self) -> dict[str, Any]:
        return {"id": self.app.provider_id}
