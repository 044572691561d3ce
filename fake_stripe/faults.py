"""Planned trouble: lost answers, conflicts, limits, server errors, broken bodies, slowness."""

import fnmatch
import random
from dataclasses import dataclass, field

from fake_stripe.errors import ApiError
from fake_stripe.wire import Json

# before = nothing was executed; after = executed and committed, only the answer suffers.
KINDS = (
    "drop_before",
    "drop_after",
    "conflict",
    "rate_limit",
    "error_before",
    "error_after",
    "unavailable",
    "malformed",
    "delay",
)


@dataclass
class Fault:
    """One rule: a kind of trouble for matching requests, for a share of them or the next n."""

    kind: str
    method: str = "POST"
    path: str = "/v1/*"
    share: float = 1.0
    next: int | None = None
    seconds: float = 0.0
    should_retry: bool | None = None
    hits: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault {self.kind!r}; there are {', '.join(KINDS)}")


@dataclass
class FaultPlan:
    rules: list[Fault] = field(default_factory=list)
    dice: random.Random = field(default_factory=lambda: random.Random(0))  # nosec B311

    def draw(self, method: str, path: str) -> Fault | None:
        """The first rule that strikes this request."""
        for rule in self.rules:
            if rule.next == 0 or rule.method not in ("*", method) or not fnmatch.fnmatch(path, rule.path):
                continue
            if rule.share < 1 and self.dice.random() >= rule.share:
                continue
            rule.hits += 1
            if rule.next is not None:
                rule.next -= 1
            return rule
        return None


def plan_from(data: Json) -> FaultPlan:
    rules = [Fault(**rule) for rule in data.get("rules", [])]
    return FaultPlan(rules, random.Random(data.get("seed", 0)))  # nosec B311


def error_of(fault: Fault) -> ApiError | None:
    """The answer of faults that are an answer."""
    headers = {}
    if fault.should_retry is not None:
        headers["Stripe-Should-Retry"] = "true" if fault.should_retry else "false"
    if fault.kind == "conflict":
        return conflict(headers)
    if fault.kind == "rate_limit":
        return rate_limited(headers)
    if fault.kind in ("error_before", "error_after"):
        return server_error(500, headers)
    if fault.kind == "unavailable":
        return server_error(503, headers, kept=False)
    return None


def conflict(headers: dict[str, str] | None = None) -> ApiError:
    message = (
        "There is currently another in-progress request using this Idempotency Key (that probably means you "
        "submitted twice, and the other request is still going through). Please try again later."
    )
    code = "idempotency_key_in_use"
    return ApiError(409, "idempotency_error", message, code=code, kept=False, headers=headers)


def rate_limited(headers: dict[str, str] | None = None) -> ApiError:
    message = "Request rate limit exceeded. Learn more about rate limits in the documentation."
    return ApiError(429, "invalid_request_error", message, code="rate_limit", kept=False, headers=headers)


def server_error(status: int, headers: dict[str, str] | None = None, *, kept: bool = True) -> ApiError:
    message = "An unknown error occurred. Sorry about that, it has been noted."
    return ApiError(status, "api_error", message, kept=kept, headers=headers)
