"""The hosted pages: checkout in setup mode, an invoice, the bank's authentication, the account updater's absence."""

from fake_stripe.api import Answer, Request
from fake_stripe.world import World


def answer(world: World, request: Request) -> Answer | None:
    return None
