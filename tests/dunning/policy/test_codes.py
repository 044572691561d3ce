"""The table of codes: whole, sourced, neutral to customers; advice and networks go before it."""

import re

import pytest
from django.utils.translation import override

from dunning.policy.classes import CUSTOMER_WORDS, NEVER_RETRIED, DeclineClass, NoticeRule
from dunning.policy.code_table import DECLINE_RULES, SOURCE_DATES, Source, decline_rule
from dunning.policy.definition import PolicyDefinition
from dunning.policy.judging import Refusal, Said

STRIPE_NEVER = set(
    "incorrect_number lost_card pickup_card stolen_card revocation_of_authorization"
    " revocation_of_all_authorizations authentication_required highest_risk_level transaction_not_allowed".split()
)
STRIPE_GO = set(
    "approve_with_id authentication_required call_issuer card_not_supported card_velocity_exceeded"
    " currency_not_supported do_not_honor do_not_try_again duplicate_transaction expired_card fraudulent"
    " generic_decline incorrect_cvc incorrect_number incorrect_pin incorrect_zip insufficient_funds invalid_account"
    " invalid_amount invalid_cvc invalid_expiry_month invalid_expiry_year invalid_number invalid_pin"
    " issuer_not_available lost_card merchant_blacklist new_account_information_available no_action_taken"
    " not_permitted offline_pin_required online_or_offline_pin_required pickup_card pin_try_exceeded"
    " processing_error reenter_transaction restricted_card revocation_of_all_authorizations"
    " revocation_of_authorization security_violation service_not_allowed stolen_card stop_payment_order"
    " testmode_decline transaction_not_allowed try_again_later withdrawal_count_limit_exceeded".split()
)
POLICY = PolicyDefinition.defaults()


def test_every_code_has_its_row_source_and_date():
    assert len(STRIPE_GO) == 47
    assert set(DECLINE_RULES) >= STRIPE_GO
    assert all(row.checked_on == SOURCE_DATES[row.source] for row in DECLINE_RULES.values())
    assert {code for code in DECLINE_RULES if not POLICY.rule_of(code).is_retried} >= STRIPE_NEVER
    assert all(decline_rule(code).is_fixed for code in STRIPE_NEVER)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_customers_read_neutral_words(language):
    banned = re.compile(
        r"stolen|lost|fraud|blocked|suspect|misuse|도난|분실|사기|부정|의심|차단", re.IGNORECASE
    )
    with override(language):
        words = {str(row.to_customer) for row in DECLINE_RULES.values()} | {
            str(text) for text in CUSTOMER_WORDS.values()
        }
    assert [text for text in words if banned.search(text)] == []


def test_an_unknown_code_is_refused_without_a_reason_and_says_so():
    judged = POLICY.judge(Refusal("brand_new_code"))
    assert (judged.decline_class, judged.said) == (DeclineClass.SOFT_UNKNOWN, Said.UNKNOWN)
    assert judged.code.source is Source.NOBODY


@pytest.mark.parametrize(
    ("refusal", "expected"),
    [
        (Refusal("insufficient_funds", "do_not_try_again"), DeclineClass.HARD_NETWORK),
        (Refusal("do_not_honor", "confirm_card_data"), DeclineClass.CARD_DATA),
        (Refusal("card_not_supported", "try_again_later"), DeclineClass.SOFT_UNKNOWN),
        (Refusal("fraudulent", "try_again_later"), DeclineClass.SOFT_UNKNOWN),
        (Refusal("stolen_card", "try_again_later"), DeclineClass.HARD_NETWORK),
        (Refusal("authentication_required", "try_again_later"), DeclineClass.AUTH),
        (Refusal("duplicate_transaction", "try_again_later"), DeclineClass.CHECK_FIRST),
        (Refusal("insufficient_funds", "", "03", brand="mastercard"), DeclineClass.HARD_NETWORK),
        (Refusal("insufficient_funds", "", "21", brand="mastercard"), DeclineClass.HARD_NETWORK),
        (Refusal("insufficient_funds", "", "03", brand="visa"), DeclineClass.SOFT_FUNDS),
        (Refusal("do_not_honor", "", "", "R1", brand="visa"), DeclineClass.HARD_NETWORK),
        (Refusal("do_not_honor", "", "", "R1", brand="mastercard"), DeclineClass.SOFT_UNKNOWN),
        (Refusal("do_not_honor", "try_again_later", "03", brand="mastercard"), DeclineClass.HARD_NETWORK),
    ],
)
def test_advice_and_networks_go_before_the_table(refusal, expected):
    assert POLICY.judge(refusal).decline_class is expected


def test_the_wait_of_a_network_is_kept():
    judged = POLICY.judge(Refusal("generic_decline", network_advice_code="28", brand="mastercard"))
    assert (judged.network_wait_hours, judged.said) == (144, Said.NETWORK)


def test_a_workspace_moves_proposals_but_never_what_stripe_refuses():
    own = {"do_not_honor": DeclineClass.HARD_NETWORK, "lost_card": DeclineClass.SOFT_FUNDS}
    policy = PolicyDefinition(code_classes=own)
    assert policy.class_of("do_not_honor") is DeclineClass.HARD_NETWORK
    assert policy.class_of("lost_card") is DeclineClass.HARD_NETWORK


def test_a_moved_code_speaks_as_its_new_class():
    policy = PolicyDefinition(code_classes={"expired_card": DeclineClass.SOFT_FUNDS})
    assert "expired" in str(POLICY.judge(Refusal("expired_card")).to_customer)
    assert policy.judge(Refusal("expired_card")).to_customer == CUSTOMER_WORDS[DeclineClass.SOFT_FUNDS]


def test_hard_declines_tell_at_once_and_tests_tell_nobody():
    for code, row in DECLINE_RULES.items():
        notice = POLICY.rule_of(code).notice
        if row.decline_class in (DeclineClass.CHECK_FIRST, DeclineClass.TEST):
            assert notice is NoticeRule.NEVER
        elif row.decline_class in NEVER_RETRIED:
            assert notice is NoticeRule.AT_ONCE
