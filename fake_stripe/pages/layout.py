"""The look of the hosted pages: one quiet column, readable on a phone, and clearly a fake."""

from html import escape

from fake_stripe.wire import Json

STYLE = """
:root { color-scheme: light dark; --line: #d5d9e2; --ink: #1d2433; --soft: #5b6478; --page: #f5f6f9; --card: #fff;
  --act: #3a4fd0; }
@media (prefers-color-scheme: dark) { :root { --line: #39415a; --ink: #eceff7; --soft: #a9b2c8; --page: #11151f;
  --card: #1a2030; --act: #8d9dff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 30rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
.fake { color: var(--soft); font-size: .875rem; margin: 0 0 1rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1.5rem; }
h1 { font-size: 1.375rem; line-height: 1.3; margin: 0 0 .25rem; }
p { margin: 0 0 1rem; }
.soft { color: var(--soft); }
label { display: block; font-weight: 600; margin: 1rem 0 .25rem; }
input, select { width: 100%; min-height: 2.75rem; padding: .5rem .75rem; font: inherit; color: inherit;
  background: var(--page); border: 1px solid var(--line); border-radius: 8px; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: .75rem; }
button { width: 100%; min-height: 2.75rem; margin-top: 1.25rem; border: 0; border-radius: 8px; font: inherit;
  font-weight: 600; color: #fff; background: #3a4fd0; cursor: pointer; }
button.quiet { background: transparent; color: var(--act); border: 1px solid var(--line); }
:focus-visible { outline: 3px solid var(--act); outline-offset: 2px; }
a { color: var(--act); }
.below { margin: 1rem 0 0; text-align: center; }
.wrong { border-left: 4px solid #c0362c; padding: .5rem .75rem; margin: 0 0 1rem; }
dl { display: grid; grid-template-columns: auto auto; gap: .25rem 1rem; margin: 1rem 0; }
dl > * { overflow-wrap: anywhere; }
:lang(ko) { word-break: keep-all; }
dd { margin: 0; text-align: right; font-variant-numeric: tabular-nums; }
"""

WHOLE = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split())
THOUSANDTHS = frozenset("bhd jod kwd omr tnd".split())


def page(title: str, body: str) -> bytes:
    """A whole document; `body` is HTML."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><main>"
        '<p class="fake">Test page of the fake Stripe. No card is charged, nothing leaves this machine.</p>'
        f"<section>{body}</section></main></body></html>"
    ).encode()


def money(amount: int, currency: str) -> str:
    """Stripe's units in words: most currencies have hundredths, some thousandths, some none."""
    code = currency.lower()
    if code in WHOLE:
        return f"{amount:,} {currency.upper()}"
    if code in THOUSANDTHS:
        return f"{amount / 1000:,.3f} {currency.upper()}"
    return f"{amount / 100:,.2f} {currency.upper()}"


def wrong(text: str) -> str:
    return f'<p class="wrong" role="alert">{escape(text)}</p>' if text else ""


def what_is_owed(invoice: Json) -> str:
    lines = "".join(
        f"<dt>{escape(line.get('description') or 'Item')}</dt><dd>{money(line['amount'], invoice['currency'])}</dd>"
        for line in invoice["lines"]["data"]
    )
    total = f"<dt><strong>Due</strong></dt><dd><strong>{money(invoice['amount_remaining'], invoice['currency'])}</strong></dd>"
    return f"<dl>{lines}{total}</dl>"
