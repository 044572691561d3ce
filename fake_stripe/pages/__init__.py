"""The hosted pages: what a person sees of Stripe."""

from collections.abc import Callable
from html import escape

from fake_stripe.api import Answer, Request
from fake_stripe.errors import ApiError, Declined
from fake_stripe.pages.korean import in_korean
from fake_stripe.session import Session
from fake_stripe.wire import Json, parse_form
from fake_stripe.world import World

Page = Callable[[Session, str, Json | None], tuple[str, bytes]]


def answer(world: World, request: Request) -> Answer | None:
    """The page of this address, or None. A form's effect is one transaction; a refused payment commits too."""
    from fake_stripe.pages import hosted
    from fake_stripe.pages.layout import page

    known: dict[str, Page] = {
        "checkout": hosted.checkout,
        "invoice": hosted.invoice,
        "authenticate": hosted.bank,
        "receipts": hosted.receipt,
    }
    parts = request.path.strip("/").split("/")
    if len(parts) < 2 or parts[0] not in known:
        return None
    form = parse_form(request.body) if request.method == "POST" else None
    try:
        with world.store.transaction():
            try:
                address, body = known[parts[0]](Session(world), parts[1], form)
            except Declined as decline:
                address, body = "", page("Declined", f"<h1>Declined</h1><p>{escape(str(decline))}</p>")
    except ApiError as error:
        return Answer(
            error.status, page("Not found", f"<h1>{escape(str(error))}</h1>"), kind="text/html; charset=utf-8"
        )
    world.wake()
    if address:
        return Answer(303, b"", {"Location": address})
    if _reads_korean(world, request, parts):
        body = in_korean(body)
    return Answer(200, body, kind="text/html; charset=utf-8")


def _reads_korean(world: World, request: Request, parts: list[str]) -> bool:
    """As Stripe does: the checkout's own language, else the browser's."""
    record = world.store.load("checkout.session", parts[1]) if parts[0] == "checkout" else None
    language = (record or {}).get("locale") or request.headers.get("accept-language", "")
    return str(language).startswith("ko")
