"""The page for an error: when the database or the mail server is away it says so, with a time to try again."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.defaults import server_error

from accounts.gateways.mail import MailAway

RETRY_AFTER_SECONDS = "5"


def error_page(request: HttpRequest) -> HttpResponse:
    """Called by Django while the exception is being handled; its template must not need the database."""
    error = sys.exc_info()[1]
    if not isinstance(error, OperationalError | InterfaceError | MailAway):
        return server_error(request)
    page = render_to_string("503.html", {"is_mail": isinstance(error, MailAway)})
    return HttpResponse(page, status=503, headers={"Retry-After": RETRY_AFTER_SECONDS})
