"""A hundred bounce mails of twelve kinds, in the shapes that mail servers write them."""

from email.message import EmailMessage

import pytest

from cs_platform.lib.bounces import VERDICTS, read_bounce

# Status and diagnostic as real servers word them.
SAMPLES = {
    "unknown_user": [
        ("5.1.1", "smtp; 550 5.1.1 <{to}>: Recipient address rejected: User unknown in virtual mailbox table"),
        ("5.1.1", "smtp; 550-5.1.1 The email account that you tried to reach does not exist. Please try double-checking"),
        ("5.1.10", "smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient {to} not found by SMTP address lookup"),
        ("5.0.0", "smtp; 550 No such user here"),
        ("5.5.0", "smtp; 550 Requested action not taken: mailbox unavailable"),
        ("5.1.0", "smtp; 554 delivery error: dd This user doesn't have a yahoo.com account ({to})"),
        ("5.1.6", "smtp; 550 5.1.6 recipient no longer on server"),
        ("5.7.1", "smtp; 550 5.7.1 Unknown recipient"),
    ],
    "unknown_domain": [
        ("5.1.2", "dns; Host or domain name not found. Name service error for name=nowhere.example type=A"),
        ("5.4.4", "smtp; 550 5.4.4 Invalid domain name"),
        ("5.1.2", "smtp; 550 5.1.2 no such domain"),
        ("5.4.4", "X-Postfix; Host not found"),
        ("5.0.0", "smtp; 553 domain does not exist"),
        ("5.1.2", ""),
    ],
    "mailbox_inactive": [
        ("5.2.1", "smtp; 550 5.2.1 The email account that you tried to reach is disabled"),
        ("5.2.1", "smtp; 550 Account has been suspended"),
        ("5.2.1", ""),
        ("5.0.0", "smtp; 554 mailbox {to} is inactive"),
        ("5.7.1", "smtp; 550 5.7.1 user account deactivated"),
        ("5.2.1", "smtp; 550 5.2.1 mailbox disabled, not accepting messages"),
    ],
    "mailbox_full": [
        ("5.2.2", "smtp; 552 5.2.2 The email account that you tried to reach is over quota"),
        ("4.2.2", "smtp; 452 4.2.2 Mailbox full"),
        ("5.2.2", "smtp; 554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException"),
        ("5.0.0", "smtp; 552 Quota exceeded for this user"),
        ("4.3.1", "smtp; 452 4.3.1 Insufficient system storage"),
        ("5.2.2", ""),
        ("5.2.2", "smtp; 552 5.2.2 The recipient's inbox is out of storage space"),
    ],
    "too_large": [
        ("5.3.4", "smtp; 552 5.3.4 Message size exceeds fixed limit"),
        ("5.2.3", "smtp; 552 5.2.3 Message too large for this recipient"),
        ("5.3.4", ""),
        ("5.2.3", ""),
        ("5.0.0", "smtp; 552 message is too big"),
    ],
    "spam_refused": [
        ("5.7.1", "smtp; 550 5.7.1 Message rejected as spam by Content Filtering"),
        ("5.7.1", "smtp; 554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using zen.spamhaus.org"),
        ("5.7.0", "smtp; 550-5.7.1 Our system has detected that this message is likely unsolicited mail"),
        ("5.7.1", "smtp; 550 5.7.1 poor reputation of sending IP"),
        ("5.7.1", "smtp; 554 your host is on our blacklist"),
        ("5.6.0", "smtp; 554 5.6.0 message content rejected"),
        ("5.7.1", ""),
    ],
    "sender_not_trusted": [
        ("5.7.26", "smtp; 550-5.7.26 This mail is unauthenticated, which poses a security risk"),
        ("5.7.1", "smtp; 550 5.7.1 Email rejected per DMARC policy for example.com"),
        ("5.7.23", "smtp; 550 5.7.23 SPF validation failed"),
        ("5.7.20", ""),
        ("5.7.25", "smtp; 550 5.7.25 The IP address sending this message does not have a PTR record"),
        ("5.7.1", "smtp; 550 DKIM signature did not verify"),
    ],
    "relay_denied": [
        ("5.7.1", "smtp; 554 5.7.1 <{to}>: Relay access denied"),
        ("5.7.1", "smtp; 550 5.7.1 Unable to relay"),
        ("5.7.64", "smtp; 550 5.7.64 TenantAttribution; Relay Access Denied"),
        ("5.0.0", "smtp; 550 relaying denied"),
        ("5.7.54", "smtp; 550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain"),
    ],
    "greylisted": [
        ("4.7.1", "smtp; 450 4.7.1 <{to}>: Recipient address rejected: Greylisted"),
        ("4.2.0", "smtp; 450 4.2.0 Recipient address rejected: Greylisting in action"),
        ("4.7.1", ""),
        ("4.2.0", ""),
        ("4.3.0", "smtp; 451 4.3.0 graylisted, please retry in 5 minutes"),
    ],
    "too_many": [
        ("4.7.28", "smtp; 421-4.7.28 Our system has detected an unusual rate of unsolicited mail"),
        ("4.3.2", "smtp; 451 4.3.2 STOREDRV; too many connections"),
        ("5.5.3", "smtp; 452 too many recipients"),
        ("4.7.0", ""),
        ("4.4.5", ""),
        ("4.7.1", "smtp; 421 4.7.1 throttled"),
    ],
    "unreachable": [
        ("4.4.1", "smtp; connect to mx.example.net[192.0.2.9]:25: Connection timed out"),
        ("4.4.7", "smtp; 554 5.4.7 message expired, could not be delivered for 5 days"),
        ("4.4.2", "smtp; lost connection with mx.example.net while sending RCPT TO"),
        ("4.4.1", ""),
        ("5.4.6", ""),
        ("4.4.3", "smtp; 451 no route to host"),
    ],
    "server_error": [
        ("4.3.0", "smtp; 451 4.3.0 Internal server error"),
        ("5.3.0", "smtp; 554 5.3.0 unhandled exception"),
        ("5.0.0", "smtp; 554 transaction failed"),
        ("4.1.1", "smtp; 450 4.1.1 <{to}>: Recipient address rejected: unverified address"),
        ("4.1.2", "smtp; 450 4.1.2 domain not found"),
        ("5.3.5", ""),
    ],
}  # fmt: skip
SHAPES = ("postfix", "exchange", "headers_only")
CASES = [
    (kind, status, words, shape)
    for kind, samples in SAMPLES.items()
    for number, (status, words) in enumerate(samples)
    for shape in SHAPES
    if shape != "headers_only" or number % 3 == 0
]
TO = "mina@northwind.example"


def bounce_mail(
    status, words, shape="postfix", to=TO, message_id="<abc.1@cs.example>", action="failed"
) -> bytes:
    mail = EmailMessage()
    mail["From"] = "MAILER-DAEMON@mx.example.net (Mail Delivery System)"
    mail["Subject"] = "Undelivered Mail Returned to Sender"
    mail["Return-Path"] = "<>"
    mail["To"] = "bounces@cs.example"
    mail.set_content("This is the mail system. I'm sorry to have to inform you.")
    mail.make_mixed()
    mail.replace_header("Content-Type", 'multipart/report; report-type=delivery-status; boundary="b1"')
    final = f"Final-Recipient: rfc822; {to}\n"
    if shape == "exchange":
        final = f"Original-Recipient: rfc822;{to}\nFinal-Recipient: rfc822;internal-alias@mx.example.net\n"
    fields = f"Reporting-MTA: dns; mx.example.net\n\n{final}Action: {action}\nStatus: {status}\n"
    if words:
        fields += f"Diagnostic-Code: {words.format(to=to)}\n"
    head = f"From: news@cs.example\nTo: {to}\nSubject: Hello\nMessage-ID: {message_id}\n"
    inner = "text/rfc822-headers" if shape == "headers_only" else "message/rfc822"
    raw = mail.as_bytes().partition(b"\n\n")[0].decode()
    return (
        f"{raw}\n\n--b1\nContent-Type: text/plain\n\nSorry.\n"
        f"--b1\nContent-Type: message/delivery-status\n\n{fields}\n"
        f"--b1\nContent-Type: {inner}\n\n{head}\nHello\n--b1--\n"
    ).encode()


@pytest.mark.parametrize(("kind", "status", "words", "shape"), CASES)
def test_each_sample_gets_its_kind(kind, status, words, shape):
    [bounce] = read_bounce(bounce_mail(status, words, shape))
    assert (bounce.kind, bounce.recipient, bounce.message_id) == (kind, TO, "<abc.1@cs.example>")


def test_there_are_a_hundred_samples_of_twelve_kinds():
    assert len(CASES) >= 100 and len({kind for kind, *_ in CASES}) == len(VERDICTS) == 12


def plain(subject, body, **headers) -> bytes:
    mail = EmailMessage()
    mail["From"] = headers.pop("From", "MAILER-DAEMON@mx.example.net")
    mail["Subject"] = subject
    for name, value in headers.items():
        mail[name] = value
    mail.set_content(body)
    return mail.as_bytes()


def test_bounces_of_old_servers_are_read_from_their_text():
    qmail = (
        "Hi. This is the qmail-send program at mx.example.net.\nI'm afraid I wasn't able to deliver your message.\n\n"
        "<mina@northwind.example>:\n192.0.2.9 does not like recipient.\n"
        "Remote host said: 550 5.1.1 no such user\n\n--- Below this line is a copy of the message.\n\n"
        "Message-ID: <abc.2@cs.example>\n"
    )
    [bounce] = read_bounce(plain("failure notice", qmail))
    assert (bounce.kind, bounce.recipient, bounce.message_id) == ("unknown_user", TO, "<abc.2@cs.example>")
    [bounce] = read_bounce(plain("Mail delivery failed", "mailbox is full", **{"X-Failed-Recipients": TO}))
    assert bounce.kind == "mailbox_full"


@pytest.mark.parametrize(
    "raw",
    [
        bounce_mail("4.4.1", "smtp; connection timed out", action="delayed"),
        bounce_mail("2.0.0", "smtp; 250 ok", action="delivered"),
        plain("Out of office", "I am away until Monday.", **{"Auto-Submitted": "auto-replied"}),
        plain("Re: Hello", f"Delivery failed for {TO}, 550 5.1.1", From="eve@example.com"),
        b"",
        b"\x00\xff not a mail at all",
        b"Content-Type: multipart/report; boundary=x\n\n--x\nContent-Type: message/delivery-status\n\n\n--x--",
    ],
)
def test_what_is_no_bounce_is_left_alone(raw):
    assert read_bounce(raw) == []


def test_a_report_about_several_people_names_each():
    raw = bounce_mail("5.1.1", "smtp; 550 5.1.1 user unknown").replace(
        b"\n--b1\nContent-Type: message/rfc822",
        b"\nFinal-Recipient: rfc822; joon@northwind.example\nAction: failed\nStatus: 4.2.2\n"
        b"\n--b1\nContent-Type: message/rfc822",
    )
    found = {bounce.recipient: bounce.kind for bounce in read_bounce(raw)}
    assert found == {TO: "unknown_user", "joon@northwind.example": "mailbox_full"}
