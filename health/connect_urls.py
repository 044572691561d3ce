"""Addresses of the page that connects a product; included by `urls.py`."""

from django.urls import path

from health.views import connect

urlpatterns = [
    path("", connect.connect, name="connect"),
    path("live/", connect.connect_live, name="connect_live"),
]
