"""Every request is held against the SDK's own typed parameters (`stripe.params.*`), as strictly as Stripe does.

Unknown and removed keys, wrong types and values outside a closed list are refused. The SDK types closed lists as
`Literal[...] | str` so that old clients survive new values; here a value outside the list is an error.
"""

import re
import sys
from collections.abc import Callable
from functools import cache
from typing import Any, ForwardRef, Literal, Union, get_args, get_origin, is_typeddict

import stripe.params
import stripe.params.billing_portal
import stripe.params.checkout
import stripe.params.test_helpers
from typing_extensions import is_typeddict as is_extended_typeddict

from fake_stripe.errors import ApiError, invalid, missing_param
from fake_stripe.wire import Json

# Of the client itself, not of the API.
OPTION_KEYS = {
    "api_key",
    "stripe_account",
    "stripe_version",
    "stripe_context",
    "idempotency_key",
    "headers",
    "max_network_retries",
    "content_type",
}
Check = Callable[[Any, str], Any]
_WHOLE = re.compile(r"-?\d+\Z")
_NUMBER = re.compile(r"-?\d+(\.\d+)?\Z")


def check_params(name: str, given: Json) -> Json:
    """The parameters with numbers and booleans decoded; raises ApiError (400, not kept) at the first mistake.

    `name` is the SDK's class, "InvoicePayParams" or "checkout.SessionCreateParams".
    """
    checked: Json = _struct(_find(name))(given, "")
    return checked


@cache
def _find(name: str) -> Any:
    package, _, single = name.rpartition(".")
    module = sys.modules[f"stripe.params.{package}"] if package else stripe.params
    return getattr(module, single)


@cache
def _struct(definition: Any) -> Check:
    """The check of one TypedDict."""
    space = vars(sys.modules[definition.__module__])
    fields = {
        key: _Value(_resolve(annotation, space))
        for key, annotation in definition.__annotations__.items()
        if key not in OPTION_KEYS
    }
    required = definition.__required_keys__ - OPTION_KEYS

    def check(given: Any, path: str) -> Json:
        for key in given:
            if key not in fields:
                raise unknown(_join(path, key))
        for key in sorted(required - set(given)):
            raise missing_param(_join(path, key))
        return {key: fields[key].check(value, _join(path, key)) for key, value in given.items()}

    return check


def unknown(path: str) -> ApiError:
    message = f"Received unknown parameter: {path}"
    return invalid(message, param=path, code="parameter_unknown", kept=False)


def _join(path: str, key: str) -> str:
    return f"{path}[{key}]" if path else key


def _resolve(annotation: Any, space: Json) -> Any:
    """Strings and forward references become types; NotRequired and Required are peeled off."""
    while True:
        if isinstance(annotation, ForwardRef):
            annotation = annotation.__forward_arg__
        if isinstance(annotation, str):
            # The text is the SDK's source, evaluated in its own module, as typing.get_type_hints would.
            annotation = eval(annotation, space)  # nosec B307
            continue
        if getattr(get_origin(annotation), "__name__", "") in ("NotRequired", "Required") or str(
            get_origin(annotation)
        ).endswith("Required"):
            annotation = get_args(annotation)[0]
            continue
        return _Bound(annotation, space)


class _Bound:
    """An annotation with the module in which its inner names have a meaning."""

    def __init__(self, annotation: Any, space: Json) -> None:
        self.annotation, self.space = annotation, space


def _members(bound: _Bound) -> list[Any]:
    origin = get_origin(bound.annotation)
    if origin is Union or getattr(origin, "__name__", "") == "UnionType":
        return [one for part in get_args(bound.annotation) for one in _members(_resolve(part, bound.space))]
    return [bound.annotation]


class _Value:
    """The check of one parameter that may be of several kinds."""

    def __init__(self, bound: _Bound) -> None:
        self.literals: set[str] = set()
        self.scalars: set[str] = set()
        self.struct: Any = None
        self.item: _Value | None = None
        self.free_mapping = False
        for member in _members(bound):
            self._add(member, bound.space)
        if self.literals - {""}:
            self.scalars.discard("str")

    def _add(self, member: Any, space: Json) -> None:
        origin = get_origin(member)
        if origin is Literal or str(origin).endswith("Literal"):
            self.literals |= {str(one) for one in get_args(member)}
        elif is_typeddict(member) or is_extended_typeddict(member):
            self.struct = member
        elif origin is list:
            self.item = _Value(_resolve(get_args(member)[0], space))
        elif origin is dict or member is dict or getattr(member, "__name__", "").startswith("Untyped"):
            self.free_mapping = True
        else:
            self.scalars.add(getattr(member, "__name__", "str"))

    def check(self, value: Any, path: str) -> Any:
        if isinstance(value, dict):
            if self.struct is not None:
                return _struct(self.struct)(value, path)
            if self.free_mapping:
                return value
            raise invalid(f"Invalid {self._wanted()}", param=path, kept=False)
        if isinstance(value, list):
            if self.item is None:
                raise invalid(f"Invalid {self._wanted()}", param=path, kept=False)
            return [self.item.check(one, f"{path}[{place}]") for place, one in enumerate(value)]
        return self._scalar(value, path)

    def _scalar(self, value: str, path: str) -> Any:
        if value in self.literals:
            return value
        if value == "" and self.free_mapping:
            return {}
        if value == "":
            message = (
                f"You passed an empty string for '{path}'. We assume empty values are an attempt to unset a "
                f"parameter; however '{path}' cannot be unset."
            )
            raise invalid(message, param=path, code="parameter_invalid_empty", kept=False)
        if "bool" in self.scalars and value in ("true", "false"):
            return value == "true"
        if "int" in self.scalars and _WHOLE.match(value):
            return int(value)
        if self.scalars & {"float", "Decimal"} and _NUMBER.match(value):
            return float(value) if "float" in self.scalars else value
        if "str" in self.scalars:
            return value
        raise self._refusal(value, path)

    def _wanted(self) -> str:
        if self.struct is not None or self.free_mapping:
            return "object"
        if self.item is not None:
            return "array"
        return "string"

    def _refusal(self, value: str, path: str) -> ApiError:
        if choices := sorted(self.literals - {""}):
            return invalid(f"Invalid {path}: must be one of {', '.join(choices)}", param=path, kept=False)
        for name, word in (
            ("bool", "boolean"),
            ("int", "integer"),
            ("float", "decimal"),
            ("Decimal", "decimal"),
        ):
            if name in self.scalars:
                code = "parameter_invalid_integer" if name == "int" else None
                return invalid(f"Invalid {word}: {value}", param=path, code=code, kept=False)
        return invalid(f"Invalid {self._wanted()}", param=path, kept=False)
