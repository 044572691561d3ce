"""Addresses of this app."""

from django.urls import path

from dunning.urls_acts import act_urls
from dunning.urls_pay import pay_urls
from dunning.urls_policy import policy_urls
from dunning.views import board, case, collecting

app_name = "dunning"
urlpatterns = [
    *policy_urls,
    *act_urls,
    *pay_urls,
    path("dunning/", board.board, name="board"),
    path("dunning/collecting/", collecting.collecting, name="collecting"),
    path("dunning/collecting/start/", collecting.collecting_start, name="collecting_start"),
    path("dunning/collecting/stop/", collecting.collecting_stop, name="collecting_stop"),
    path("dunning/export.csv", board.export_board, name="board_export"),
    path("dunning/cases/<uuid:public_id>/", case.case, name="case"),
]
