"""Addresses of the card page, for people without a login."""

from django.urls import path

from dunning.views import pay

pay_urls = [
    path("pay/<str:token>/", pay.pay, name="pay"),
    path("pay/<str:token>/card/", pay.card, name="pay_card"),
    path("pay/<str:token>/wait/", pay.wait, name="pay_wait"),
    path("pay/<str:token>/done/", pay.done, name="pay_done"),
    path("pay/<str:token>/now/", pay.now, name="pay_now"),
    path("pay/<str:token>/question/", pay.question, name="pay_question"),
]
