"""All addresses. Each installed app states its own full paths in its `urls.py`."""

from importlib.util import find_spec

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from cs_platform.api import addresses
from cs_platform.api_reference import api_reference
from cs_platform.monitoring import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics, name="metrics"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("api/v1/", addresses()),
    path("settings/api/", api_reference, name="api_reference"),
]
urlpatterns += [path("", include(f"{app}.urls")) for app in settings.PRODUCT_APPS if find_spec(f"{app}.urls")]
# Last, so that an app may replace one of the sign-in pages.
urlpatterns += [path("", include("allauth.urls"))]

handler500 = "cs_platform.monitoring.outage.error_page"
