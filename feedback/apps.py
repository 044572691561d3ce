"""Registration of the app."""

from django.apps import AppConfig


class FeedbackConfig(AppConfig):
    name = "feedback"
