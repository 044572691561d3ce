"""Errors in the shape that Stripe's clients read."""

from typing import Any

from fake_stripe.wire import Json

DOCS = "https://stripe.com/docs/error-codes/"


class ApiError(Exception):
    """An answer other than 200.

    `kept`: whether the idempotency store keeps this answer. Stripe keeps what an endpoint answered once it
    had begun to execute, 500s included; refused parameters, 409 and 429 are not kept.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        message: str,
        *,
        kept: bool = True,
        headers: dict[str, str] | None = None,
        **details: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kept = kept
        self.headers = headers or {}
        self.error: Json = {"type": kind, "message": message}
        self.error |= {key: value for key, value in details.items() if value is not None}
        if code := details.get("code"):
            self.error["doc_url"] = DOCS + str(code).replace("_", "-")

    @property
    def body(self) -> Json:
        return {"error": self.error}


class Declined(ApiError):
    """A refused payment. Unlike other errors it commits: the failed charge and the invoice's state stay."""


def invalid(
    message: str, *, param: str | None = None, code: str | None = None, kept: bool = True
) -> ApiError:
    return ApiError(400, "invalid_request_error", message, param=param, code=code, kept=kept)


def missing(kind: str, key: str, *, param: str = "id", status: int = 404) -> ApiError:
    message = f"No such {kind}: '{key}'"
    return ApiError(
        status, "invalid_request_error", message, code="resource_missing", param=param, kept=False
    )


def missing_param(name: str) -> ApiError:
    return invalid(f"Missing required param: {name}.", param=name, code="parameter_missing", kept=False)
