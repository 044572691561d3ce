"""The REST API, composed of each app's routers."""

from __future__ import annotations

from ninja import NinjaAPI

from accounts.api.problems import install
from accounts.api.security import BearerKey
from health.api.accounts import router as health_accounts

api = NinjaAPI(
    title="Customer success platform",
    version="1.0",
    urls_namespace="api-1.0",
    auth=BearerKey(),
    openapi_url="/openapi.json",
    docs_url=None,
)
install(api)
api.add_router("", health_accounts)
