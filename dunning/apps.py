"""Registration of the app."""

from django.apps import AppConfig


class DunningConfig(AppConfig):
    name = "dunning"
