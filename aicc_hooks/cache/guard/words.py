"""Tokens, stems and synonyms."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import Final

TOKEN: Final = re.compile(
    r"[A-Za-z\u00c0-\u024f0-9]+(?:[.'_/-][A-Za-z\u00c0-\u024f0-9]+)*(?:\+\+|#)?|[%$€£¥°]"
)
_IRREGULAR: Final = dict(
    pair.split("=")
    for pair in [
        "men=man",
        "women=woman",
        "children=child",
        "feet=foot",
        "teeth=tooth",
        "mice=mouse",
        "geese=goose",
        "lives=life",
        "wives=wife",
        "won=win",
        "wrote=write",
        "written=write",
        "bought=buy",
        "sold=sell",
        "went=go",
        "gone=go",
        "made=make",
        "taught=teach",
        "thought=think",
        "left=leave",
        "stole=steal",
        "stolen=steal",
        "got=get",
        "gotten=get",
        "gave=give",
        "given=give",
        "took=take",
        "taken=take",
        "ran=run",
        "built=build",
        "lost=lose",
        "kept=keep",
        "sent=send",
        "spent=spend",
        "met=meet",
        "paid=pay",
        "felt=feel",
        "held=hold",
        "said=say",
        "told=tell",
        "saw=see",
        "seen=see",
        "knew=know",
        "known=know",
        "drove=drive",
        "driven=drive",
        "ate=eat",
        "eaten=eat",
        "drank=drink",
        "drunk=drink",
        "broke=break",
        "broken=break",
        "chose=choose",
        "chosen=choose",
        "fell=fall",
        "fallen=fall",
        "flew=fly",
        "flown=fly",
        "forgot=forget",
        "forgotten=forget",
        "grew=grow",
        "grown=grow",
        "hid=hide",
        "hidden=hide",
        "led=lead",
        "lent=lend",
        "rode=ride",
        "ridden=ride",
        "rose=rise",
        "risen=rise",
        "shot=shoot",
        "sang=sing",
        "sung=sing",
        "slept=sleep",
        "spoke=speak",
        "spoken=speak",
        "stood=stand",
        "swam=swim",
        "swum=swim",
        "threw=throw",
        "thrown=throw",
        "understood=understand",
        "woke=wake",
        "woken=wake",
        "wore=wear",
        "worn=wear",
        "became=become",
        "began=begin",
        "begun=begin",
        "brought=bring",
        "caught=catch",
        "came=come",
        "drew=draw",
        "drawn=draw",
        "fought=fight",
        "froze=freeze",
        "frozen=freeze",
        "meant=mean",
        "dealt=deal",
        "dug=dig",
        "heard=hear",
        "laid=lay",
        "lain=lie",
        "proved=prove",
        "sought=seek",
        "shook=shake",
        "shaken=shake",
        "died=die",
        "dying=die",
        "lying=lie",
        "tying=tie",
        "used=use",
        "dies=die",
        "countries=country",
        "movies=movie",
        "cookies=cookie",
        "series=series",
        "species=species",
        "news=news",
        "always=always",
        "less=less",
        "does=do",
        "process=process",
        "analysis=analysis",
        "basis=basis",
    ]
)
_KEEP: Final = frozenset(
    [
        "speed",
        "need",
        "feed",
        "seed",
        "hundred",
        "king",
        "ring",
        "thing",
        "string",
        "spring",
        "during",
        "morning",
        "evening",
        "nothing",
        "something",
        "anything",
        "being",
        "bus",
        "gas",
        "this",
        "his",
        "christmas",
        "texas",
        "kansas",
        "arkansas",
        "mathematics",
        "physics",
        "business",
        "lens",
        "atlas",
        "redis",
        "kubernetes",
        "department",
        "moment",
        "comment",
        "document",
        "argument",
        "element",
        "pass",
        "class",
        "boss",
        "less",
        "address",
        "access",
        "embed",
        "shed",
        "sing",
        "bring",
        "wing",
        "clothes",
    ]
)


def irregular(word: str) -> bool:
    """True for an irregular form (bought, driven, mice)."""
    return word in _IRREGULAR


@cache
def stem(word: str) -> str:
    """A key that inflected forms share; comparison (-er, -est), polarity and agent endings are kept apart."""
    word = _IRREGULAR.get(word, word)
    if len(word) <= 3 or word in _KEEP or not word.isalpha():
        return word
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith(("sses", "xes", "zes", "ches", "shes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    if word in _KEEP:
        return word
    for ending in ("ing", "ed"):
        base = word.removesuffix(ending)
        if base != word and len(base) >= 3 and re.search("[aeiouy]", base) and not word.endswith("eed"):
            if base[-1] == base[-2] and base[-1] not in "lsz":
                base = base[:-1]
            word = base[:-1] + "y" if ending == "ed" and base.endswith("i") else base
            break
    if len(word) > 6 and word.endswith(("tion", "sion")):
        word = word[:-3]
    elif len(word) > 7 and word.endswith("ment"):
        word = word[:-4]
    elif len(word) > 5 and word.endswith("ly"):
        word = word[:-2]
    return word[:-1] if word.endswith("e") and len(word) > 3 else word


@cache
def _tables() -> tuple[dict[str, str], dict[tuple[str, ...], str]]:
    """Group by stem, and group by phrase (stems)."""
    single: dict[str, str] = {}
    phrases: dict[tuple[str, ...], str] = {}
    text = resources.files("aicc_hooks.cache.guard").joinpath("synonyms.txt").read_text("utf-8")
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        forms = [form.strip() for form in line.split("|")]
        group = "~" + stem(forms[0].replace(" ", "-"))
        for form in forms:
            parts = tuple(stem(w) for w in form.split())
            if len(parts) == 1:
                single.setdefault(parts[0], group)
            else:
                phrases.setdefault(parts, group)
    return single, phrases


@cache
def group(stemmed: str) -> str:
    """The synonym group of a stem, or the stem itself."""
    return _tables()[0].get(stemmed, stemmed)


LONGEST_PHRASE: Final = 5


def phrase(stems: tuple[str, ...]) -> str | None:
    """The synonym group of a phrase."""
    return _tables()[1].get(stems)
