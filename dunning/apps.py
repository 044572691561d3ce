"""Registration of the app: recovery of failed payments."""

from django.apps import AppConfig


class DunningConfig(AppConfig):
    name = "dunning"

    def ready(self) -> None:
        from dunning import audit_words, defaults, navigation, notification_kinds, permissions, personal_data
        from dunning.reports import registration as reports

        permissions.register()
        audit_words.register()
        defaults.register()
        navigation.register()
        notification_kinds.register()
        personal_data.register()
        reports.register()
