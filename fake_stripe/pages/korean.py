"""The hosted pages in Korean: whole pieces of text between tags, exchanged in the finished document."""

import re

WORDS = {
    "Test page of the fake Stripe. No card is charged, nothing leaves this machine.": (
        "가짜 Stripe의 테스트 페이지입니다. 실제로 청구되지 않으며 이 컴퓨터 밖으로 나가는 것은 없습니다."
    ),
    "Save a payment method": "결제 수단 저장",
    "Test payment method": "테스트 결제 수단",
    "Or a card number of your own": "또는 카드 번호 직접 입력",
    "Month": "월",
    "Year": "연도",
    "Save": "저장",
    "Go back without saving": "저장하지 않고 돌아가기",
    "Your card number is invalid.": "카드 번호가 올바르지 않습니다.",
    "Your card's expiration date is invalid.": "카드 유효 기간이 올바르지 않습니다.",
    "Go back to the shop": "상점으로 돌아가기",
    "Visa, works": "Visa, 정상",
    "Mastercard, works": "Mastercard, 정상",
    "American Express, works": "American Express, 정상",
    "Visa from Korea, works": "한국 Visa, 정상",
    "Visa from Germany, works": "독일 Visa, 정상",
    "Visa from India, works": "인도 Visa, 정상",
    "Can be saved, is declined when charged": "저장은 되지만 결제 시 거절",
    "Insufficient funds": "잔액 부족",
    "Reported lost": "분실 신고",
    "Reported stolen": "도난 신고",
    "Wrong security code": "보안 코드 오류",
    "Processing error": "처리 오류",
    "Wrong number": "잘못된 번호",
    "Over its limit": "한도 초과",
    "Blocked as too risky": "위험하여 차단",
    "Needs authentication once, when saved": "저장할 때 한 번 인증",
    "Needs authentication at every payment": "결제할 때마다 인증",
    "Authentication, then insufficient funds": "인증 후 잔액 부족",
    "PayPal, works": "PayPal, 정상",
    "PayPal, fails when charged": "PayPal, 결제 시 실패",
    "Link, works": "Link, 정상",
    "Link, fails when charged": "Link, 결제 시 실패",
    "SEPA debit, works": "SEPA 자동이체, 정상",
    "SEPA debit, fails when charged": "SEPA 자동이체, 결제 시 실패",
    "US bank account, works": "미국 은행 계좌, 정상",
    "US bank account, fails when charged": "미국 은행 계좌, 결제 시 실패",
    "Item": "항목",
    "Your card was declined.": "카드가 거절되었습니다.",
    "Saved": "저장됨",
    "This page has done its work. You can close it.": "처리가 끝났습니다. 이 페이지를 닫아도 됩니다.",
    "Expired": "만료됨",
    "This link has expired": "만료된 링크입니다",
    "Ask for a new one.": "새 링크를 요청하세요.",
    "Pay an invoice": "청구서 결제",
    "Invoice": "청구서",
    "Due": "결제할 금액",
    "Pay": "결제",
    "Paid": "결제 완료",
    "Nothing to pay": "결제할 금액 없음",
    "Confirm": "확인",
    "Is it you?": "본인이 맞습니까?",
    "Your bank wants you to confirm.": "은행에서 본인 확인을 요청합니다.",
    "Refuse": "거절",
    "Declined": "거절됨",
    "Confirmed": "확인됨",
    "Refused": "거절함",
    "Done": "완료",
    "You can close this page.": "이 페이지를 닫아도 됩니다.",
    "Receipt": "영수증",
}
_PIECES = re.compile(r"(?<=>)[^<>]+(?=<)")
_STARTS = (("Invoice ", "청구서 "), ("for ", "상점: "))


def in_korean(document: bytes) -> bytes:
    """The page with what is known in Korean; amounts, names and the bank's own sentences stay."""
    text = document.decode().replace('<html lang="en">', '<html lang="ko">')
    return _PIECES.sub(lambda found: _exchanged(found[0]), text).encode()


def _exchanged(piece: str) -> str:
    plain = piece.replace("&#x27;", "'").strip()
    if plain in WORDS:
        return WORDS[plain]
    name, dot, number = plain.partition(" · ")  # a test card and its number
    if dot and name in WORDS:
        return f"{WORDS[name]} · {number}"
    for start, korean in _STARTS:
        if plain.startswith(start):
            return korean + plain.removeprefix(start)
    return piece
