"""Registration of the app: recovery of failed payments."""

from django.apps import AppConfig


class DunningConfig(AppConfig):
    name = "dunning"

    def ready(self) -> None:
        from dunning import (
            audit_words,
            defaults,
            job_kinds,
            navigation,
            notice_setup,
            notification_kinds,
            permissions,
            personal_data,
            queue_source,
        )
        from dunning.reports import registration as reports

        permissions.register()
        audit_words.register()
        defaults.register()
        navigation.register()
        notification_kinds.register()
        personal_data.register()
        job_kinds.register()
        queue_source.register()
        notice_setup.register()
        reports.register()
