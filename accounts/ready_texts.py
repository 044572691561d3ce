"""Texts that every workspace starts with: for mails by hand and for the ready playbooks. English and Korean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from django.utils import timezone

from accounts.models import MailCategory, MailClass, MailText, MailTextVersion, TextPurpose
from accounts.services.audit import audit


class Ready(NamedTuple):
    """One text: its key, its name in the list, what it is for, then subject and body by language."""

    key: str
    name: str
    purpose: TextPurpose
    words: dict[str, tuple[str, str]]


READY = (
    Ready(
        "introduction",
        "Introducing myself",
        TextPurpose.PERSONAL,
        {
            "en": (
                "Your contact at {{ workspace.name }}",
                "Hi {{ contact.first_name }},\n\n"
                "I am {{ sender.name }}, and I look after {{ account.name }} at {{ workspace.name }} from now on. "
                "If something does not work, takes too long or is missing, write to me; a reply to this mail "
                "reaches me directly.\n\n"
                "Two questions, so that I start with the right things:\n\n"
                "- What should be better for your team three months from now?\n"
                "- What annoys you most today?\n\n"
                "One line is enough.\n\n{{ sender.name }}",
            ),
            "ko": (
                "{{ workspace.name }} 담당자 인사드립니다",
                "{{ contact.name }}님, 안녕하세요.\n\n"
                "앞으로 {{ account.name }} 담당을 맡게 된 {{ workspace.name }}의 {{ sender.name }}입니다. "
                "잘 되지 않거나, 오래 걸리거나, 부족한 점이 있으면 편하게 말씀해 주세요. "
                "이 메일에 회신하시면 제가 바로 받아 봅니다.\n\n"
                "먼저 두 가지만 여쭙겠습니다.\n\n"
                "- 석 달 뒤 팀에서 무엇이 나아져 있으면 좋을까요?\n"
                "- 지금 가장 불편한 점은 무엇인가요?\n\n"
                "한 줄만 적어 주셔도 충분합니다.\n\n{{ sender.name }} 드림",
            ),
        },
    ),
    Ready(
        "first-steps-stuck",
        "Stuck at the start",
        TextPurpose.ONBOARDING,
        {
            "en": (
                "Can I help with the set-up?",
                "Hi {{ contact.first_name }},\n\n"
                "The set-up for {{ account.name }} has not moved for a while. Often one small thing is in the way: "
                "an import that fails, a permission, a colleague who is away.\n\n"
                "Tell me where it stopped and I will look at it, or we do it together in twenty minutes.\n\n"
                "If now is simply not the time, say so and I will ask again when it suits you.\n\n{{ sender.name }}",
            ),
            "ko": (
                "설정을 도와드릴까요?",
                "{{ contact.name }}님, 안녕하세요.\n\n"
                "{{ account.name }} 설정이 얼마 동안 멈춰 있습니다. 가져오기 오류, 권한, 담당자 부재처럼 "
                "작은 일 하나 때문인 경우가 많습니다.\n\n"
                "어디에서 막혔는지 알려 주시면 제가 확인하겠습니다. 20분 정도 함께 진행하셔도 좋습니다.\n\n"
                "지금이 적당한 때가 아니라면 그렇게 말씀해 주세요. 편하신 때에 다시 연락드리겠습니다.\n\n"
                "{{ sender.name }} 드림",
            ),
        },
    ),
    Ready(
        "usage-dropped",
        "Used less than before",
        TextPurpose.PLAYBOOK,
        {
            "en": (
                "Has something changed at {{ account.name }}?",
                "Hi {{ contact.first_name }},\n\n"
                "Your team has been using {{ workspace.name }} less in the last weeks than before. That can be "
                "perfectly fine: holidays, another project. It can also mean that something no longer fits.\n\n"
                "Which is it? If something is in the way, I would like to know it, "
                "even if it is not pleasant to read.\n\n{{ sender.name }}",
            ),
            "ko": (
                "최근 달라진 점이 있으신가요?",
                "{{ contact.name }}님, 안녕하세요.\n\n"
                "최근 몇 주 동안 팀의 {{ workspace.name }} 사용이 예전보다 줄었습니다. 휴가나 다른 프로젝트 "
                "때문일 수도 있고, 더 이상 맞지 않는 부분이 생겼기 때문일 수도 있습니다.\n\n"
                "어느 쪽인지 알려 주시겠어요? 불편한 점이 있다면 듣기 좋은 이야기가 아니어도 꼭 알고 싶습니다.\n\n"
                "{{ sender.name }} 드림",
            ),
        },
    ),
    Ready(
        "gone-quiet",
        "Nobody has signed in",
        TextPurpose.PLAYBOOK,
        {
            "en": (
                "We have not seen your team for a while",
                "Hi {{ contact.first_name }},\n\n"
                "Nobody from {{ account.name }} has signed in lately. Is {{ workspace.name }} still useful to you?\n\n"
                "A one-word answer helps me:\n\n"
                "1. **Yes**, we are just busy.\n"
                "2. **Help**, something is in the way.\n"
                "3. **No**, we do not need it any more.\n\n"
                "Each answer is fine.\n\n{{ sender.name }}",
            ),
            "ko": (
                "한동안 접속이 없어 연락드립니다",
                "{{ contact.name }}님, 안녕하세요.\n\n"
                "최근 {{ account.name }}에서 접속한 분이 없었습니다. {{ workspace.name }}, 아직 도움이 되고 있나요?\n\n"
                "번호만 답해 주셔도 큰 도움이 됩니다.\n\n"
                "1. 바빴을 뿐입니다.\n2. 도움이 필요합니다.\n3. 이제 필요하지 않습니다.\n\n"
                "어떤 답이든 괜찮습니다.\n\n{{ sender.name }} 드림",
            ),
        },
    ),
    Ready(
        "champion-left",
        "A champion has left",
        TextPurpose.PLAYBOOK,
        {
            "en": (
                "Who looks after {{ workspace.name }} at {{ account.name }} now?",
                "Hi {{ contact.first_name }},\n\n"
                "The person who knew {{ workspace.name }} best at {{ account.name }} seems to have moved on. "
                "Who has taken over, you or somebody else?\n\n"
                "I would gladly show whoever it is in half an hour how your team uses it today and what was "
                "agreed with us, so that nothing gets lost.\n\n{{ sender.name }}",
            ),
            "ko": (
                "새 담당자가 어느 분이신지 여쭙습니다",
                "{{ contact.name }}님, 안녕하세요.\n\n"
                "{{ account.name }}에서 {{ workspace.name }} 업무를 맡으셨던 분이 자리를 옮기신 것으로 보입니다. "
                "지금은 어느 분이 맡고 계신가요?\n\n"
                "괜찮으시다면 30분 정도 시간을 내어 팀이 지금 어떻게 쓰고 있는지, 저희와 어떤 이야기를 "
                "나누었는지 정리해 드리겠습니다. 그동안의 내용이 이어지도록 돕겠습니다.\n\n{{ sender.name }} 드림",
            ),
        },
    ),
    Ready(
        "ticket-follow-up",
        "After a difficult ticket",
        TextPurpose.PLAYBOOK,
        {
            "en": (
                "Is it really solved?",
                "Hi {{ contact.first_name }},\n\n"
                "You had trouble with us lately, and support has closed the case. Closed is not always solved, "
                "so I ask: does it work for you now?\n\n"
                "If not, answer with one line and I will take it up myself.\n\n{{ sender.name }}",
            ),
            "ko": (
                "문제가 정말 해결되었는지 여쭙습니다",
                "{{ contact.name }}님, 안녕하세요.\n\n"
                "최근 불편을 드린 문의가 처리 완료되었습니다. 처리가 끝났다고 해서 늘 해결된 것은 아니기에 "
                "여쭙습니다. 지금은 잘 되고 있나요?\n\n"
                "아니라면 한 줄만 회신해 주세요. 제가 직접 챙기겠습니다.\n\n{{ sender.name }} 드림",
            ),
        },
    ),
    Ready(
        "renewal-ahead",
        "Renewal ahead",
        TextPurpose.PLAYBOOK,
        {
            "en": (
                "Your renewal on {{ renewal.date|its date }}",
                "Hi {{ contact.first_name }},\n\n"
                "The contract of {{ account.name }} renews on {{ renewal.date|the agreed date }}. Before that I "
                "would like to hear what went well this year, what did not, and whether your plan still "
                "fits how many of you use it.\n\n"
                "Would half an hour in the next two weeks suit you? If you would rather change or end it, tell me as "
                "well; then we have time to do it properly.\n\n{{ sender.name }}",
            ),
            "ko": (
                "계약 갱신 안내: {{ renewal.date|갱신일 전 }}",
                "{{ contact.name }}님, 안녕하세요.\n\n"
                "{{ account.name }} 계약 갱신을 앞두고 있습니다. (갱신 예정일: {{ renewal.date|계약서상 날짜 }}) "
                "그 전에 올해 좋았던 점과 아쉬웠던 점, 지금 요금제가 실제 사용 인원에 맞는지 듣고 싶습니다.\n\n"
                "2주 안에 30분 정도 괜찮으신가요? 변경이나 해지를 생각하고 계셔도 말씀해 주세요. "
                "여유 있게 준비할 수 있습니다.\n\n{{ sender.name }} 드림",
            ),
        },
    ),
    Ready(
        "quarterly-review",
        "Invitation to a review",
        TextPurpose.PERSONAL,
        {
            "en": (
                "Half an hour on how it is going",
                "Hi {{ contact.first_name }},\n\n"
                "May I take half an hour of your time to look at how {{ account.name }} uses {{ workspace.name }}? "
                "I will bring the figures; you say what matters to you:\n\n"
                "- what your team gets out of it,\n- what is unused and why,\n- what you want to reach next.\n\n"
                "Which day suits you?\n\n{{ sender.name }}",
            ),
            "ko": (
                "이용 현황을 함께 살펴보는 시간",
                "{{ contact.name }}님, 안녕하세요.\n\n"
                "{{ account.name }}의 {{ workspace.name }} 이용 현황을 30분 정도 함께 살펴보고 싶습니다. "
                "수치는 제가 준비하겠습니다. 아래 내용을 중심으로 의견을 들려주세요.\n\n"
                "- 팀이 얻고 있는 것\n- 쓰지 않는 기능과 그 이유\n- 다음 목표\n\n"
                "어느 날이 편하신가요?\n\n{{ sender.name }} 드림",
            ),
        },
    ),
    Ready(
        "payment-trouble",
        "A payment did not go through",
        TextPurpose.DUNNING,
        {
            "en": (
                "A payment for {{ account.name }} did not go through",
                "Hi {{ contact.first_name }},\n\n"
                "The last payment for {{ account.name }} did not go through. Most often a card has expired or the "
                "bank asked a question that nobody saw. Nothing has been switched off.\n\n"
                "Could you check the card, or pass this on to whoever pays the bills? If the invoice itself is wrong, "
                "answer this mail.\n\n{{ sender.name }}",
            ),
            "ko": (
                "결제가 처리되지 않았습니다",
                "{{ contact.name }}님, 안녕하세요.\n\n"
                "{{ account.name }}의 최근 결제가 처리되지 않았습니다. 카드 유효 기간이 지났거나 은행 인증이 "
                "끝나지 않은 경우가 대부분입니다. 서비스는 그대로 이용하실 수 있습니다.\n\n"
                "카드 정보를 확인해 주시거나, 결제를 맡고 계신 분께 전달해 주시겠어요? 청구 내용에 잘못이 있다면 "
                "이 메일에 회신해 주세요.\n\n{{ sender.name }} 드림",
            ),
        },
    ),
    Ready(
        "thank-you",
        "Thank you",
        TextPurpose.PERSONAL,
        {
            "en": (
                "Thank you",
                "Hi {{ contact.first_name }},\n\n"
                "Thank you for taking the time today. As agreed:\n\n"
                "- \n\n"
                "Have I missed something? Then tell me.\n\n{{ sender.name }}",
            ),
            "ko": (
                "오늘 시간 내 주셔서 감사합니다",
                "{{ contact.name }}님, 안녕하세요.\n\n"
                "오늘 시간 내 주셔서 감사합니다. 말씀 나눈 내용을 정리합니다.\n\n"
                "- \n\n"
                "빠진 것이 있으면 알려 주세요.\n\n{{ sender.name }} 드림",
            ),
        },
    ),
)

_CLASS = {TextPurpose.DUNNING: MailClass.TRANSACTIONAL}


def create_ready_texts(texts: Sequence[Ready] = READY) -> None:
    """Those that the running workspace does not have yet, published as their first version."""
    known, now = set(MailText.objects.values_list("key", flat=True)), timezone.now()
    missing = [ready for ready in texts if ready.key not in known]
    if not missing:
        return
    made = MailText.objects.bulk_create(
        MailText(
            key=ready.key,
            name=ready.name,
            purpose=ready.purpose,
            mail_class=_CLASS.get(ready.purpose, MailClass.OTHER),
            category="" if ready.purpose in _CLASS else MailCategory.TIPS,
        )
        for ready in missing
    )
    MailTextVersion.objects.bulk_create(
        MailTextVersion(text=text, number=1, definition=_definition(ready), published_at=now)
        for text, ready in zip(made, missing, strict=True)
    )
    audit("accounts.mailtext.ready_ones_published", acting_user=None, keys=[ready.key for ready in missing])


def _definition(ready: Ready) -> dict[str, dict[str, str]]:
    return {language: {"subject": subject, "body": body} for language, (subject, body) in ready.words.items()}
