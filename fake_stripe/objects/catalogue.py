"""Products and prices."""

from decimal import Decimal

from fake_stripe.errors import missing_param
from fake_stripe.lists import list_of
from fake_stripe.objects.customers import merge_metadata
from fake_stripe.params import given
from fake_stripe.routes import route
from fake_stripe.session import Session, public, shape
from fake_stripe.wire import Json

PRODUCT: Json = {
    "active": True,
    "default_price": None,
    "description": None,
    "images": [],
    "livemode": False,
    "marketing_features": [],
    "metadata": {},
    "package_dimensions": None,
    "shippable": None,
    "statement_descriptor": None,
    "tax_code": None,
    "type": "service",
    "unit_label": None,
    "url": None,
}
PRICE: Json = {
    "active": True,
    "billing_scheme": "per_unit",
    "custom_unit_amount": None,
    "livemode": False,
    "lookup_key": None,
    "metadata": {},
    "nickname": None,
    "recurring": None,
    "tax_behavior": "unspecified",
    "tiers_mode": None,
    "transform_quantity": None,
    "type": "one_time",
}
RECURRING: Json = {"interval_count": 1, "meter": None, "trial_period_days": None, "usage_type": "licensed"}


@shape("product")
def product_shape(session: Session, record: Json) -> Json:
    return {"updated": record["created"], **public(record, PRODUCT)}


@shape("price")
def price_shape(session: Session, record: Json) -> Json:
    return public(record, PRICE)


@route("POST", "/v1/products", "ProductCreateParams")
def create_product(session: Session, params: Json) -> Json:
    fields = given(params, (*PRODUCT, "name"))
    record = session.new("product", **fields)
    record["id"] = params.get("id", record["id"])
    if price := params.get("default_price_data"):
        session.save(record)
        made = create_price(session, {**price, "product": record["id"]})
        record["default_price"] = made["id"]
    return session.created(record, "product.created")


@route("POST", "/v1/products/{id}", "ProductUpdateParams")
def update_product(session: Session, params: Json, key: str) -> Json:
    record = session.load("product", key)
    before = session.render(record)
    record |= given(params, [*(PRODUCT.keys() - {"metadata"}), "name"])
    merge_metadata(record, params)
    record["updated"] = session.now
    return session.changed(record, before, "product.updated")


@route("GET", "/v1/products/{id}", "ProductRetrieveParams")
def get_product(session: Session, params: Json, key: str) -> Json:
    return session.render(session.load("product", key))


@route("GET", "/v1/products", "ProductListParams")
def list_products(session: Session, params: Json) -> Json:
    return list_of(session, "product", params, "/v1/products", extra=active(params))


def active(params: Json) -> tuple[str, tuple[int, ...]]:
    """`active=` of a list as an SQL condition (a record without the field is active)."""
    if "active" not in params:
        return "", ()
    return "ifnull(json_extract(body, '$.active'), 1) = ?", (int(params["active"]),)


@route("POST", "/v1/prices", "PriceCreateParams")
def create_price(session: Session, params: Json) -> Json:
    product = params.get("product")
    if data := params.get("product_data"):
        product = create_product(session, {key: data[key] for key in data.keys() & {"name", "metadata"}})[
            "id"
        ]
    if not product:
        raise missing_param("product")
    session.load("product", product, param="product")
    record = session.new("price", product=product, currency=params["currency"].lower())
    record |= given(params, ("active", "lookup_key", "metadata", "nickname"))
    if "unit_amount_decimal" in params:
        exact = Decimal(str(params["unit_amount_decimal"]))
        whole = exact == exact.to_integral_value()
        record |= {"unit_amount": int(exact) if whole else None, "unit_amount_decimal": str(exact)}
    else:
        amount = params.get("unit_amount", 0)
        record |= {"unit_amount": amount, "unit_amount_decimal": str(amount)}
    if recurring := params.get("recurring"):
        record |= {"recurring": {**RECURRING, **recurring}, "type": "recurring"}
    return session.created(record, "price.created")


@route("POST", "/v1/prices/{id}", "PriceUpdateParams")
def update_price(session: Session, params: Json, key: str) -> Json:
    record = session.load("price", key)
    before = session.render(record)
    record |= given(params, ("active", "lookup_key", "nickname"))
    merge_metadata(record, params)
    return session.changed(record, before, "price.updated")


@route("GET", "/v1/prices/{id}", "PriceRetrieveParams")
def get_price(session: Session, params: Json, key: str) -> Json:
    return session.render(session.load("price", key))


@route("GET", "/v1/prices", "PriceListParams")
def list_prices(session: Session, params: Json) -> Json:
    extra, values = active(params)
    tests, given = [extra] if extra else [], list[object](values)
    if product := params.get("product"):
        tests.append("json_extract(body, '$.product') = ?")
        given.append(product)
    where = {"type": params.get("type")}
    return list_of(session, "price", params, "/v1/prices", extra=(" AND ".join(tests), tuple(given)), **where)
