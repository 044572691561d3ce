"""Addresses of the acts on cases: each has a form of its own and takes the cases by name."""

from django.urls import URLPattern, path

from dunning.views import acts, again, case

NAMES = {
    "retry": "retries",
    "stop": "stops",
    "resume": "resumptions",
    "note": "notes",
    "hand_over": "hand-overs",
    "paid": "payments",
    "close": "closings",
}
act_urls: list[URLPattern] = [
    path("dunning/undo/", acts.undo, name="undo"),
    path("dunning/cases/<uuid:public_id>/pay-link/", case.pay_link, name="pay_link"),
    path("dunning/cases/<uuid:public_id>/tries/", again.again, name="try_again"),
    path("dunning/cases/<uuid:public_id>/tries/new/", again.new_again, name="new_try_again"),
    path("dunning/questions/<uuid:public_id>/answers/", acts.answers, name="answers"),
    path("dunning/questions/<uuid:public_id>/answers/new/", acts.new_answer, name="new_answer"),
]
for act, noun in NAMES.items():
    act_urls += [
        path(f"dunning/{noun}/", acts.acting(act), name=act),
        path(f"dunning/{noun}/new/", acts.asking(act), name=f"new_{act}"),
    ]
