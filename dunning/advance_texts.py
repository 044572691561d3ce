"""What is said before a payment: coming payments, expiring cards, new prices, ending discounts. English and Korean."""

from __future__ import annotations

from accounts.models import TextPurpose
from accounts.ready_texts import Ready

RENEWAL, CARD, PRICE, DISCOUNT = (
    "payment-ahead",
    "payment-card-expires",
    "payment-price-changes",
    "payment-discount-ends",
)
_CARD_EN = "[button: Use another card]({{ pay.link }})\n\n"
_CARD_KO = "[button: 다른 카드 등록]({{ pay.link }})\n\n"
_HELLO_KO = "{{ contact.name }}님, 안녕하세요.\n\n"

READY = (
    Ready(
        RENEWAL,
        "Reminder before a payment",
        TextPurpose.DUNNING,
        {
            "en": (
                "Your subscription renews on {{ payment.date }}",
                "Hi {{ contact.first_name }},\n\n"
                "The subscription of {{ account.name }} renews on **{{ payment.date }}**:\n\n"
                "- For: {{ payment.what }}\n- Amount: about {{ payment.amount }}, taxes aside\n"
                "- Payment: {{ payment.card|the same way as before }}\n\n"
                "You need not do anything. If you would rather change or end it, answer this mail before that day.\n\n"
                "{{ workspace.name }}",
            ),
            "ko": (
                "구독 갱신 안내: {{ payment.date }}",
                _HELLO_KO + "{{ account.name }}의 구독이 **{{ payment.date }}**에 갱신됩니다.\n\n"
                "- 내용: {{ payment.what }}\n- 예상 금액: {{ payment.amount }} (세금 별도)\n"
                "- 결제 수단: {{ payment.card|기존과 같은 방법 }}\n\n"
                "따로 하실 일은 없습니다. 변경이나 해지를 원하시면 갱신일 전에 이 메일에 회신해 주세요.\n\n"
                "{{ workspace.name }} 드림",
            ),
        },
    ),
    Ready(
        CARD,
        "Card about to expire",
        TextPurpose.DUNNING,
        {
            "en": (
                "Your card expires before the next payment",
                "Hi {{ contact.first_name }},\n\n"
                "The card {{ payment.card|on file }} for {{ account.name }} expires at the end of "
                "{{ payment.expiry }}. The next payment is due on {{ payment.date }}.\n\n"
                "If you have a new card, you can enter it now; it takes a minute. If your bank replaces it by "
                "itself, you need not do anything.\n\n" + _CARD_EN + "{{ workspace.name }}",
            ),
            "ko": (
                "다음 결제 전에 카드 유효 기간이 끝납니다",
                _HELLO_KO
                + "{{ account.name }}의 결제 카드({{ payment.card|등록된 카드 }}) 유효 기간이 {{ payment.expiry }} 말에 "
                "끝납니다. 다음 결제 예정일은 {{ payment.date }}입니다.\n\n"
                "새 카드가 있으시면 지금 등록하실 수 있습니다. 1분이면 됩니다. 카드사에서 자동으로 갱신되는 경우에는 따로 "
                "하실 일이 없습니다.\n\n" + _CARD_KO + "{{ workspace.name }} 드림",
            ),
        },
    ),
    Ready(
        PRICE,
        "Price about to change",
        TextPurpose.DUNNING,
        {
            "en": (
                "A new price from {{ payment.date }}",
                "Hi {{ contact.first_name }},\n\n"
                "The price of {{ payment.what }} for {{ account.name }} changes on **{{ payment.date }}**:\n\n"
                "- Until then: {{ payment.price_before }}\n- From then on: {{ payment.amount }}\n\n"
                "If you have questions, or do not want to go on at this price, answer this mail before that day.\n\n"
                "{{ workspace.name }}",
            ),
            "ko": (
                "요금 변경 안내: {{ payment.date }}부터",
                _HELLO_KO
                + "{{ account.name }}의 {{ payment.what }} 요금이 **{{ payment.date }}**부터 변경됩니다.\n\n"
                "- 변경 전: {{ payment.price_before }}\n- 변경 후: {{ payment.amount }}\n\n"
                "궁금한 점이 있거나 변경된 요금으로 이용을 원하지 않으시면 그 전에 이 메일에 회신해 주세요.\n\n"
                "{{ workspace.name }} 드림",
            ),
        },
    ),
    Ready(
        DISCOUNT,
        "Discount about to end",
        TextPurpose.DUNNING,
        {
            "en": (
                "Your discount ends on {{ payment.date }}",
                "Hi {{ contact.first_name }},\n\n"
                "The discount on {{ payment.what }} for {{ account.name }} ends on **{{ payment.date }}**. "
                "From then on the full price of your plan applies to each payment.\n\n"
                "If you have questions about it, answer this mail.\n\n{{ workspace.name }}",
            ),
            "ko": (
                "할인 종료 안내: {{ payment.date }}",
                _HELLO_KO
                + "{{ account.name }}의 {{ payment.what }} 할인이 **{{ payment.date }}**에 끝납니다. 이후 결제부터는 요금제의 "
                "정상 요금이 적용됩니다.\n\n궁금한 점은 이 메일에 회신해 주세요.\n\n{{ workspace.name }} 드림",
            ),
        },
    ),
)
