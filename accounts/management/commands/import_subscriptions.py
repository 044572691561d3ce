"""`manage.py import_subscriptions`: bring subscriptions in from a file."""

from accounts.management.importing import ImportCommand


class Command(ImportCommand):
    help = "Import subscriptions from a CSV or JSON Lines file."
    kind = "subscriptions"
