"""Is a text English enough for the guard's word lists?"""

from __future__ import annotations

import re
from typing import Final

from aicc_hooks.cache.guard.text import Text

_FOREIGN_SCRIPT: Final = re.compile(r"[\u0370-\u1fff\u2c00-\ud7ff\uf900-\ufdff\uff66-\uffdc]")
# Function words of other languages that no English text uses; words shared with English are left out.
_OTHER: Final = frozenset(
    [
        "der",
        "das",
        "und",
        "ist",
        "nicht",
        "ein",
        "eine",
        "einen",
        "mit",
        "von",
        "wie",
        "für",
        "auf",
        "dem",
        "den",
        "zu",
        "sind",
        "wer",
        "warum",
        "kann",
        "ich",
        "wir",
        "le",
        "les",
        "est",
        "une",
        "pour",
        "dans",
        "que",
        "qui",
        "avec",
        "sur",
        "pas",
        "comment",
        "je",
        "nous",
        "vous",
        "quel",
        "quelle",
        "pourquoi",
        "du",
        "des",
        "el",
        "los",
        "las",
        "por",
        "para",
        "como",
        "qué",
        "cómo",
        "una",
        "está",
        "quién",
        "cuál",
        "del",
        "con",
        "mi",
        "su",
        "il",
        "gli",
        "che",
        "di",
        "come",
        "perché",
        "sono",
        "della",
        "nel",
        "het",
        "een",
        "niet",
        "hoe",
        "wat",
        "waarom",
        "van",
        "voor",
        "met",
        "op",
        "te",
        "zijn",
        "o",
        "os",
        "um",
        "uma",
        "não",
        "como",
        "você",
        "qual",
        "jak",
        "jest",
        "nie",
        "czy",
        "gdzie",
        "dlaczego",
        "się",
        "och",
        "är",
        "inte",
        "hur",
        "vad",
        "varför",
    ]
)

# Not \w: it leaves out the vowel signs of Hindi or Thai, and `#` and `+` name languages.
_WORD: Final = re.compile(r"[^\s.,;:!?()\"'«»„“”¿¡…。，、！？；：；।·]+")


def bare(text: Text) -> tuple[str, ...]:
    """The words of any script, without case and punctuation."""
    return tuple(_WORD.findall(text.plain))


def foreign(text: Text) -> bool:
    """True when the text is likely not English."""
    if _FOREIGN_SCRIPT.search(text.plain):
        return True
    hits = sum(w in _OTHER for w in text.words)
    return hits >= 2 and hits * 4 >= len(text.words)
