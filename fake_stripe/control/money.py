"""How payment methods answer, the networks' card updater, and what a person would do on a hosted page."""

from fake_stripe.cards import TEST_CARDS
from fake_stripe.control import Wrong, command
from fake_stripe.errors import Declined
from fake_stripe.objects.discounts import put_on_customer
from fake_stripe.objects.method_making import new_card, new_other, replace_card
from fake_stripe.outcomes import problem_of, simple_plan
from fake_stripe.pages.acting import authenticate, complete_checkout
from fake_stripe.session import Session
from fake_stripe.wire import Json


@command("POST", "outcomes")
def set_outcomes(session: Session, given: Json) -> Json:
    """{"payment_method" | "customer" | "all": …, "plan": {"attempts": [...]} | [...]}; the count of uses begins anew."""
    plan = given["plan"]
    if isinstance(plan, str):
        plan = simple_plan(plan)
    elif isinstance(plan, list):
        plan = {"attempts": plan}
    if problem := problem_of(plan):
        raise Wrong(problem)
    if key := given.get("payment_method"):
        methods = [session.load("payment_method", key)]
    elif key := given.get("customer"):
        methods = session.store.find("payment_method", customer=key)
    elif given.get("all"):
        methods = session.store.find("payment_method")
    else:
        raise Wrong("name a payment_method, a customer, or all")
    for method in methods:
        session.save({**method, "_plan": plan, "_uses": 0})
    return {"changed": len(methods)}


@command("POST", "discount")
def discount(session: Session, given: Json) -> Json:
    """{"customer": …, "coupon": id or null}: what the dashboard can put on a customer and the newest API cannot."""
    put_on_customer(session, session.load("customer", given["customer"]), given.get("coupon"))
    return {"customer": given["customer"]}


@command("POST", "cards/replace")
def replace(session: Session, given: Json) -> Json:
    """{"payment_method": …, "number": "4242…", "plan": …, "at": seconds}: the account updater, now or later."""
    record = session.load("payment_method", given["payment_method"])
    plan = {"attempts": given["plan"]} if isinstance(given.get("plan"), list) else given.get("plan")
    if plan and (problem := problem_of(plan)):
        raise Wrong(problem)
    if at := given.get("at"):
        record |= {"due": at, "_replacement": {"number": given.get("number"), "plan": plan}}
        session.save(record)
        return session.render(record)
    return replace_card(session, record, number=given.get("number", "5555555555554444"), plan=plan)


@command("POST", "authenticate")
def finish_authentication(session: Session, given: Json) -> Json:
    """{"intent": "pi_… or seti_…", "succeed": true}: what the person does on the bank's page."""
    try:
        return authenticate(session, given["intent"], succeed=given.get("succeed", True))
    except Declined as decline:
        return decline.body


@command("POST", "checkout/complete")
def finish_checkout(session: Session, given: Json) -> Json:
    """{"session": "cs_…", "number": "4242…" | "type": "sepa_debit", "plan": …, "authenticate": true}"""
    record = session.load("checkout.session", given["session"])
    if kind := given.get("type"):
        method = new_other(session, kind, given)
    else:
        number = given.get("number", next(iter(TEST_CARDS)))
        method = new_card(session, number)
    if plan := given.get("plan"):
        method["_plan"] = {"attempts": plan} if isinstance(plan, list) else plan
    return complete_checkout(session, record, method, authenticated=given.get("authenticate", True))
