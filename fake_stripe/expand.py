"""`expand[]`: ids become objects, and properties that are left out by default are put in."""

from collections.abc import Callable
from typing import Any

from fake_stripe.errors import invalid
from fake_stripe.session import Session
from fake_stripe.wire import Json

# Which kind of object an id under this name is.
KINDS = {
    "customer": "customer",
    "default_payment_method": "payment_method",
    "default_source": "payment_method",
    "payment_method": "payment_method",
    "latest_invoice": "invoice",
    "invoice": "invoice",
    "subscription": "subscription",
    "payment_intent": "payment_intent",
    "latest_charge": "charge",
    "charge": "charge",
    "product": "product",
    "price": "price",
    "default_price": "price",
    "setup_intent": "setup_intent",
    "pending_setup_intent": "setup_intent",
    "test_clock": "test_helpers.test_clock",
    "coupon": "coupon",
    "discounts": "discount",
    "mandate": "mandate",
}
Inclusion = Callable[[Session, Json], Any]
INCLUDED: dict[tuple[str, str], Inclusion] = {}


def includable(kind: str, name: str) -> Callable[[Inclusion], Inclusion]:
    """Registers a property that appears only when it is asked for."""

    def register(function: Inclusion) -> Inclusion:
        INCLUDED[kind, name] = function
        return function

    return register


def expand(session: Session, rendered: Json, paths: list[str]) -> Json:
    for path in paths:
        if path.count(".") > 4:
            raise invalid(
                f"You cannot expand more than 4 levels of a property: {path}", param="expand", kept=False
            )
        _walk(session, rendered, path.split("."), path)
    return rendered


def _walk(session: Session, here: Any, parts: list[str], path: str) -> None:
    if not parts or here is None:
        return
    if isinstance(here, list):
        for one in here:
            _walk(session, one, parts, path)
        return
    name = parts[0]
    if not isinstance(here, dict):
        raise _refused(path)
    if included := INCLUDED.get((here.get("object", ""), name)):
        if name not in here:
            here[name] = included(session, here)
    elif name not in here:
        raise _refused(path)
    else:
        here[name] = _opened(session, name, here[name], last=len(parts) == 1, path=path)
    _walk(session, here[name], parts[1:], path)


def _opened(session: Session, name: str, value: Any, *, last: bool, path: str) -> Any:
    if isinstance(value, list) and name in KINDS:
        return [_opened(session, name, one, last=last, path=path) for one in value]
    if isinstance(value, str):
        if name not in KINDS:
            raise _refused(path)
        record = session.store.load(KINDS[name], value)
        return session.render(record) if record else value
    if last and value is not None and name not in KINDS and name != "data":
        raise _refused(path)
    return value


def _refused(path: str) -> Exception:
    message = f"This property cannot be expanded ({path}). You may want to try expanding a parent property."
    return invalid(message, param="expand", kept=False)
