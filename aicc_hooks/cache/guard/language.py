"""Is a text English enough for the guard's word lists?"""

from __future__ import annotations

import re
from typing import Final

from aicc_hooks.cache.guard.text import Text

_FOREIGN_SCRIPT: Final = re.compile(r"[\u0370-\u1fff\u2c00-\ud7ff\uf900-\ufdff\uff66-\uffdc]")
# Function words of other languages that no English text uses; words shared with English are left out.
_LIST: Final = (
    # German
    "der das und ist nicht ein eine einen einem einer mit von wie für auf dem den zu sind wer warum wann kann kannst könntest ich wir "
    "mir mich im zum zur aus bei nach über wo welche welcher viele heißt gib mein meine meinen meinem bitte schreibe schreib du sag "
    # French
    "le les est une pour dans que qui avec sur pas comment je nous vous quel quelle quelles pourquoi du des ce cette ces mon mes au aux sont "
    "peux tu écris résume combien faut sous sans puis-je peux-tu pouvez-vous dis-moi "
    # Spanish, Portuguese
    "el los las por para como qué cómo una está quién cuál del con mi su este esta al más puedo puedes quiero dime dame sobre "
    "o os um uma não você qual faço em ao na dos pode posso mais sem texto "
    # Italian
    "il gli che di come perché sono della nel è qual tra fra per puoi scrivi lo una posso "
    # Dutch
    "het een niet hoe wat waarom van voor met op te zijn ik mijn kun je dat aan schrijf naar uit bij deze dit "
    # Polish, Swedish
    "jak jest nie czy gdzie dlaczego się mogę proszę przetłumacz tekst konto "
    "och är inte hur vad varför jag kan mitt ett på av till från som det för att"
)
_OTHER: Final = frozenset(_LIST.split())


def foreign(text: Text) -> bool:
    """True when the text is likely not English."""
    if _FOREIGN_SCRIPT.search(text.plain):
        return True
    hits = sum(w in _OTHER or not w.isascii() for w in text.words)
    return hits >= 2 and hits * 4 >= len(text.words)
