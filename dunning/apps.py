"""Registration of the app: recovery of failed payments."""

from django.apps import AppConfig


class DunningConfig(AppConfig):
    name = "dunning"

    def ready(self) -> None:
        from dunning import permissions, personal_data

        permissions.register()
        personal_data.register()
