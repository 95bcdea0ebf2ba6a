"""One slip of the finger in a long word is the same word."""

from __future__ import annotations

from typing import Final

from aicc_hooks.cache.guard.text import Token

# One slip apart, and both are words.
_LOOK_ALIKES: Final = (
    "through/thorough lightning/lightening immoral/immortal dessert/desert desserts/deserts marital/martial "
    "counties/countries county/country statutes/statues statute/statue descent/decent interment/internment "
    "carriers/careers carrier/career adverse/averse founding/foundling casualty/causality casual/causal "
    "united/untied silver/sliver singed/signed singing/signing trails/trials sacred/scared reserve/reverse "
    "barely/barley unclear/nuclear solider/soldier calvary/cavalry clothes/cloths breathes/breaths cannon/canon "
    "cannons/canons planning/planing dinning/dining staring/starring scrapping/scraping hopping/hoping "
    "tapping/taping stripping/striping matting/mating filling/filing fillings/filings string/sting strings/stings "
    "stories/stores discrete/discreet "
)
_WORDS: Final = frozenset(frozenset(pair.split("/")) for pair in _LOOK_ALIKES.split())
_SHORTEST: Final = 6


def slip(x: Token, y: Token) -> bool:
    """Two neighbours changed places, or one letter is missing or doubled; not the first or last letter.

    Names are compared as written, and another letter in place of one makes another word (nitrate, nitrite).
    """
    a, b = sorted((x.raw.lower(), y.raw.lower()), key=len, reverse=True)
    if x.kind != "word" or y.kind != "word" or not (a.isalpha() and b.isalpha()):
        return False
    if len(b) < _SHORTEST or len(a) - len(b) > 1 or a[0] != b[0] or a[-1] != b[-1]:
        return False
    if a == b or frozenset((a, b)) in _WORDS:
        return False
    at = next((i for i, (p, q) in enumerate(zip(a, b, strict=False)) if p != q), len(b))
    if len(a) > len(b):
        return a[:at] + a[at + 1 :] == b
    return a[:at] + a[at + 1] + a[at] + a[at + 2 :] == b
