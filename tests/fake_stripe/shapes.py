"""Holds an object against the SDK's own classes: no unknown key, right types, closed lists, nothing required missing.

The SDK types what Stripe always sends as `X` and what may be null or absent as `Optional[X]`; so a key without
Optional has to be there. Closed lists are `Literal[...] | str`: here a value outside of the list is a mistake.
"""

import importlib
import pkgutil
import typing
from decimal import Decimal
from functools import cache
from typing import Any, ForwardRef, Literal, Union, get_args, get_origin

import stripe
from stripe import ListObject, StripeObject

Json = dict[str, Any]
# Keys of the classes that are no data.
NOT_DATA = {"OBJECT_NAME"}


@cache
def classes() -> dict[str, Any]:
    """Every top-level class of the SDK by name, for its forward references."""
    found: dict[str, Any] = {}
    for module in pkgutil.iter_modules(stripe.__path__):
        if module.name.startswith("_") and not module.ispkg:
            loaded = importlib.import_module(f"stripe.{module.name}")
            found |= {name: one for name, one in vars(loaded).items() if isinstance(one, type)}
    return found | {"TestClock": stripe.test_helpers.TestClock}


class Names(dict[str, Any]):
    """Names of the SDK's classes; it imports some under another name (`Card as CardResource`)."""

    def __missing__(self, name: str) -> Any:
        known = classes()
        if name in known or name.removesuffix("Resource") in known:
            return known.get(name) or known[name.removesuffix("Resource")]
        raise KeyError(name)


def problems(value: Any, annotation: Any, path: str) -> list[str]:
    annotation = _resolved(annotation)
    origin = get_origin(annotation)
    if origin is Union or getattr(origin, "__name__", "") == "UnionType":
        return _union(value, get_args(annotation), path)
    if origin is Literal:
        return (
            []
            if value in get_args(annotation)
            else [f"{path}: {value!r} is not one of {get_args(annotation)}"]
        )
    if origin is list:
        return _each(value, get_args(annotation)[0], path)
    if origin is ListObject:
        return _list_object(value, get_args(annotation)[0], path)
    if origin is dict or annotation is dict or "Untyped" in str(annotation):
        return [] if isinstance(value, dict) else [f"{path}: {value!r} is no mapping"]
    if isinstance(annotation, type) and issubclass(annotation, StripeObject):
        return object_problems(value, annotation, path)
    return _scalar(value, annotation, path)


def _resolved(annotation: Any) -> Any:
    if isinstance(annotation, ForwardRef):
        annotation = annotation.__forward_arg__
    if isinstance(annotation, str):
        annotation = eval(annotation, {**vars(typing), "Literal": Literal}, Names())
    if get_origin(annotation) is typing.Annotated:
        return get_args(annotation)[0]
    return annotation


def _scalar(value: Any, annotation: Any, path: str) -> list[str]:
    if annotation is Any or annotation is type(value):
        return []
    if annotation is float and isinstance(value, int) and not isinstance(value, bool):
        return []
    if annotation is Decimal and isinstance(value, str):
        return []
    return [f"{path}: {value!r} is no {getattr(annotation, '__name__', annotation)}"]


def _union(value: Any, members: tuple[Any, ...], path: str) -> list[str]:
    resolved = [_resolved(one) for one in members]
    closed = [one for one in resolved if get_origin(one) is Literal]
    if closed and isinstance(value, str):
        resolved = closed
    tried = [problems(value, one, path) for one in resolved if one is not type(None)]
    if (value is None and type(None) in resolved) or [] in tried:
        return []
    return min(tried, key=len) if value is not None else [f"{path}: null is not allowed"]


def _each(value: Any, item: Any, path: str) -> list[str]:
    if not isinstance(value, list):
        return [f"{path}: {value!r} is no list"]
    return [text for place, one in enumerate(value) for text in problems(one, item, f"{path}[{place}]")]


def _list_object(value: Any, item: Any, path: str) -> list[str]:
    if not isinstance(value, dict) or value.get("object") != "list":
        return [f"{path}: {value!r} is no list object"]
    missing = [f"{path}: a list has {key}" for key in ("data", "has_more", "url") if key not in value]
    return missing + _each(value.get("data", []), item, f"{path}.data")


def object_problems(value: Any, kind: Any, path: str = "") -> list[str]:
    if not isinstance(value, dict):
        return [f"{path}: {value!r} is no object"]
    path = path or kind.__name__
    known = {key: one for key, one in _annotations(kind).items() if key not in NOT_DATA}
    found = [f"{path}: {key} is unknown" for key in value if key not in known]
    for key, annotation in known.items():
        if key in value:
            found += problems(value[key], annotation, f"{path}.{key}")
        elif not _may_be_absent(annotation):
            found.append(f"{path}: {key} is missing")
    return found


def _annotations(kind: Any) -> Json:
    return {
        key: one
        for base in reversed(kind.__mro__)
        for key, one in vars(base).get("__annotations__", {}).items()
        if not key.startswith("_") and issubclass(base, StripeObject)
    }


def _may_be_absent(annotation: Any) -> bool:
    resolved = _resolved(annotation)
    return type(None) in get_args(resolved) or "ClassVar" in str(annotation)
