"""The key that inflected forms of an English word share."""

from __future__ import annotations

import re
from functools import cache
from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_FORMS: Final = (
    "men=man women=woman children=child feet=foot teeth=tooth mice=mouse geese=goose lives=life wives=wife won=win "
    "wrote=write written=write bought=buy sold=sell went=go gone=go made=make taught=teach thought=think left=leave "
    "stole=steal stolen=steal got=get gotten=get gave=give given=give took=take taken=take ran=run built=build "
    "lost=lose kept=keep sent=send spent=spend met=meet paid=pay felt=feel held=hold said=say told=tell saw=see "
    "seen=see knew=know known=know drove=drive driven=drive ate=eat eaten=eat drank=drink drunk=drink broke=break "
    "broken=break chose=choose chosen=choose fell=fall fallen=fall flew=fly flown=fly forgot=forget "
    "forgotten=forget grew=grow grown=grow hid=hide hidden=hide led=lead lent=lend rode=ride ridden=ride rose=rise "
    "risen=rise shot=shoot sang=sing sung=sing slept=sleep spoke=speak spoken=speak stood=stand swam=swim swum=swim "
    "threw=throw thrown=throw understood=understand woke=wake woken=wake wore=wear worn=wear became=become "
    "began=begin begun=begin brought=bring caught=catch came=come drew=draw drawn=draw fought=fight froze=freeze "
    "frozen=freeze meant=mean dealt=deal dug=dig heard=hear laid=lay lain=lie proved=prove sought=seek shook=shake "
    "shaken=shake died=die dying=die lying=lie tying=tie used=use dies=die countries=country movies=movie "
    "cookies=cookie series=series species=species news=news always=always less=less does=do process=process "
    "analysis=analysis basis=basis hoping=hope hoped=hope hating=hate hated=hate rated=rate coded=code coding=code "
    "caring=care cared=care riding=ride losing=lose noted=note noting=note taped=tape taping=tape sliding=slide "
    "pasted=paste pasting=paste scraping=scrape scraped=scrape biting=bite staring=stare stared=stare uniting=unite "
    "stated=state stating=state based=base basing=base mining=mine mined=mine dosing=dose dosed=dose "
)
_IRREGULAR: Final = dict(pair.split("=") for pair in _FORMS.split())
# Whole as they are: what looks like an ending is none, or without its -e it is another word (plan, plane; cut, cute).
_KEEP: Final = _words(
    "speed need feed seed hundred king ring thing string spring during morning evening nothing something anything "
    "being bus gas this his christmas texas kansas arkansas mathematics physics business lens atlas redis "
    "kubernetes department moment comment document argument element pass class boss less address access embed shed "
    "sing bring wing clothes corporation certification generation vacation occupation foundation accommodation "
    "appropriation friendly likely lately hardly nearly family supply lonely lovely costly orderly elderly scarcely "
    "barely wedding setting rating plane cute site care wine rune paste quite hate huge stare grille heroine mine "
    "dose hope mode node code tube tape pine cape rate bare fine note humane morale finale ware sole lose suite "
    "stripe shame rage robe ride scrape vane dime ripe cone mane unite mate kite pane slide bite theme cane dome "
    "bone cope pale tale hive mare state verse tense base "
)
# A product is not a production and a quest no question: only these, and -ation, say what their verb says.
_NOUN_OF_VERB: Final = _words(
    "submission suggestion instruction restriction rejection prevention depiction supervision revision confusion construction collection selection connection protection detection extraction insertion prediction reaction "
    "adoption invention inspection discussion compression deletion completion execution contribution distribution "
    "substitution correction injection infection interaction election creation location translation rotation "
    "donation migration treatment investment agreement development improvement management measurement employment "
    "enrollment retirement replacement assessment adjustment announcement arrangement achievement deployment "
    "settlement "
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
    if word.endswith("ization") and word not in ("organization", "civilization"):
        return word[:-5]
    if word in _NOUN_OF_VERB or (len(word) > 8 and word.endswith("ation") and word not in _KEEP):
        word = word.removesuffix("ion").removesuffix("ment")
    elif len(word) > 5 and word.endswith("ly"):
        word = word[:-2]
    return word[:-1] if word.endswith("e") and len(word) > 3 else word
