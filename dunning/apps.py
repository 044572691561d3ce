"""Registration of the app: recovery of failed payments."""

from django.apps import AppConfig


class DunningConfig(AppConfig):
    name = "dunning"

    def ready(self) -> None:
        from dunning import personal_data

        personal_data.register()
