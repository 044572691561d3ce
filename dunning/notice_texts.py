"""What customers' people read about failed payments: ready texts that a workspace changes. English and Korean.

Neutral words: a bank's refusal is told without its cause where that could be wrong or hurt. Each mail says what is
owed, what for, what can be done, and the last ones by when.
"""

from __future__ import annotations

from accounts.models import TextPurpose
from accounts.ready_texts import Ready

FIRST, SECOND, THIRD, LAST = "dunning-first", "dunning-second", "dunning-third", "dunning-last"
RECEIPT, HOW_TO_PAY, BANNER = "dunning-receipt", "dunning-how-to-pay", "dunning-banner"

_BILL_EN = "- Amount: {{ payment.amount }}\n- Invoice: {{ payment.invoice }}\n- For: {{ payment.what }}\n\n"
_BILL_KO = "- 금액: {{ payment.amount }}\n- 청구서: {{ payment.invoice }}\n- 내용: {{ payment.what }}\n\n"
_PAY_EN = "[button: See the bill and pay]({{ pay.link }})\n\n"
_PAY_KO = "[button: 청구 내용 확인 및 결제]({{ pay.link }})\n\n"
_HELLO_KO = "{{ contact.name }}님, 안녕하세요.\n\n"

READY = (
    Ready(
        FIRST,
        "Failed payment, first notice",
        TextPurpose.DUNNING,
        {
            "en": (
                "A payment for {{ account.name }} did not go through",
                "Hi {{ contact.first_name }},\n\n"
                "A payment to {{ workspace.name }} did not go through. {{ payment.reason }}\n\n"
                + _BILL_EN
                + "Nothing has been switched off. On this page you can pay another way, see what the payment is "
                "for, or ask about the bill; you need no password.\n\n"
                + _PAY_EN
                + "If it is settled meanwhile, you need not do anything.\n\n{{ workspace.name }}",
            ),
            "ko": (
                "결제가 처리되지 않았습니다: {{ payment.amount }}",
                _HELLO_KO
                + "{{ workspace.name }} 이용 요금의 결제가 처리되지 않았습니다. {{ payment.reason }}\n\n"
                + _BILL_KO
                + "서비스는 그대로 이용하실 수 있습니다. 아래 페이지에서 다른 결제 수단으로 결제하거나, 청구 내용을 "
                "확인하거나, 궁금한 점을 문의하실 수 있습니다. 비밀번호는 필요하지 않습니다.\n\n"
                + _PAY_KO
                + "이미 결제하셨다면 따로 하실 일은 없습니다.\n\n{{ workspace.name }} 드림",
            ),
        },
    ),
    Ready(
        SECOND,
        "Failed payment, second notice",
        TextPurpose.DUNNING,
        {
            "en": (
                "Still open: {{ payment.amount }}",
                "Hi {{ contact.first_name }},\n\n"
                "The payment below is still open. {{ payment.reason }}\n\n"
                + _BILL_EN
                + "Paying another way takes about a minute. If somebody else pays the bills at {{ account.name }}, "
                "answer this mail and tell us who.\n\n" + _PAY_EN + "{{ workspace.name }}",
            ),
            "ko": (
                "아직 결제되지 않았습니다: {{ payment.amount }}",
                _HELLO_KO
                + "아래 금액이 아직 결제되지 않았습니다. {{ payment.reason }}\n\n"
                + _BILL_KO
                + "다른 결제 수단으로 결제하는 데 1분 정도면 충분합니다. 결제 담당자가 따로 계시면 이 메일에 회신하여 알려 "
                "주세요.\n\n" + _PAY_KO + "{{ workspace.name }} 드림",
            ),
        },
    ),
    Ready(
        THIRD,
        "Failed payment, third notice",
        TextPurpose.DUNNING,
        {
            "en": (
                "Please settle {{ payment.amount }} before {{ payment.end_date }}",
                "Hi {{ contact.first_name }},\n\n"
                "This payment is still open, and we have written to you about it before. Please settle it before "
                "{{ payment.end_date }}.\n\n"
                + _BILL_EN
                + "{{ payment.reason }} If something about the bill is wrong or you need more time, say so on the "
                "page: a person reads it.\n\n" + _PAY_EN + "{{ workspace.name }}",
            ),
            "ko": (
                "{{ payment.end_date }} 전까지 결제 부탁드립니다: {{ payment.amount }}",
                _HELLO_KO
                + "안내해 드린 아래 금액이 아직 결제되지 않았습니다. {{ payment.end_date }} 전까지 결제해 주시기 "
                "바랍니다.\n\n"
                + _BILL_KO
                + "{{ payment.reason }} 청구 내용에 잘못이 있거나 시간이 더 필요하시면 아래 페이지에 남겨 주세요. "
                "담당자가 직접 확인합니다.\n\n" + _PAY_KO + "{{ workspace.name }} 드림",
            ),
        },
    ),
    Ready(
        LAST,
        "Failed payment, last notice",
        TextPurpose.DUNNING,
        {
            "en": (
                "Last notice: {{ payment.amount }} is open until {{ payment.end_date }}",
                "Hi {{ contact.first_name }},\n\n"
                "This is the last notice about this payment. On **{{ payment.end_date }}** we stop trying to collect "
                "it. {{ payment.end_result }}\n\n"
                + _BILL_EN
                + "You can still settle it in a minute:\n\n"
                + _PAY_EN
                + "If you would rather end it, or cannot pay now, answer this mail; we will find a way without a "
                "fuss.\n\n{{ workspace.name }}",
            ),
            "ko": (
                "마지막 안내: {{ payment.end_date }} 전까지 결제해 주세요 ({{ payment.amount }})",
                _HELLO_KO
                + "이 결제에 대한 마지막 안내입니다. **{{ payment.end_date }}**부터는 결제를 더 시도하지 않습니다. "
                "{{ payment.end_result }}\n\n"
                + _BILL_KO
                + "지금도 1분이면 결제하실 수 있습니다.\n\n"
                + _PAY_KO
                + "해지를 원하시거나 지금 결제가 어려우시면 이 메일에 회신해 주세요. 함께 방법을 찾겠습니다.\n\n"
                "{{ workspace.name }} 드림",
            ),
        },
    ),
    Ready(
        RECEIPT,
        "Failed payment, thanks and receipt",
        TextPurpose.DUNNING,
        {
            "en": (
                "Received, thank you: {{ payment.amount }}",
                "Hi {{ contact.first_name }},\n\n"
                "Your payment has arrived. Thank you. Everything goes on as before, and there is nothing left for "
                "you to do.\n\n" + _BILL_EN + "- Paid on: {{ payment.date }}\n\n{{ workspace.name }}",
            ),
            "ko": (
                "결제가 완료되었습니다: {{ payment.amount }}",
                _HELLO_KO
                + "결제가 정상적으로 처리되었습니다. 감사합니다. 서비스는 그대로 이어지며, 더 하실 일은 없습니다.\n\n"
                + _BILL_KO
                + "- 결제일: {{ payment.date }}\n\n{{ workspace.name }} 드림",
            ),
        },
    ),
    Ready(
        HOW_TO_PAY,
        "How to pay without a card on file",
        TextPurpose.DUNNING,
        {
            "en": (
                "How to pay",
                "Please pay as your invoice says, and name its number with the payment. If you no longer have the "
                "invoice, ask for it below.",
            ),
            "ko": (
                "결제 방법",
                "청구서에 안내된 방법으로 결제해 주시고, 청구서 번호를 함께 적어 주세요. 청구서를 찾을 수 없으면 아래에서 "
                "요청해 주세요.",
            ),
        },
    ),
    Ready(
        BANNER,
        "Failed payment, banner in your product",
        TextPurpose.DUNNING,
        {
            "en": (
                "A payment did not go through",
                "A payment of {{ payment.amount }} did not go through. Please settle it before "
                "{{ payment.end_date }}.",
            ),
            "ko": (
                "결제가 처리되지 않았습니다",
                "결제가 처리되지 않았습니다({{ payment.amount }}). {{ payment.end_date }} 전까지 결제를 확인해 주세요.",
            ),
        },
    ),
)
