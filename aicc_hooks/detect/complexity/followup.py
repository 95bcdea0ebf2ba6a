"""Is a later turn a new request, or does it go on with the work before it?

`role_of(text) -> "continue" | "close" | "new"`. A follow-up is short and leans on something said before: it asks to go
on, points ("it", "the second part") or is too short to stand alone. Thanks and farewells close the work.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from aicc_hooks.detect.complexity import lexicon as lex
from aicc_hooks.detect.complexity.split import words_in

Turn = Literal["continue", "close", "new"]

# A longer turn says what it wants by itself.
_MAX_WORDS: Final = 28
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W_]*)?", re.UNICODE)

_GO_ON: Final = (
    "continue", "go on", "go ahead", "keep going", "carry on", "proceed", "do it", "do so", "do that", "next", "and then",
    "then what", "what about", "how about", "now ", "finish", "the rest", "more", "again", "yes", "yep", "yeah", "sure",
    "ok do", "okay do", "sounds good", "yes please", "please do", "also ", "and ", "but ", "so ", "why", "why not", "really",
    "are you sure", "shorter", "longer", "faster", "try again", "instead", "expand", "elaborate", "explain more", "same for",
    "weiter", "mach weiter", "mach das", "fahr fort", "ja", "und dann", "und jetzt", "was ist mit", "den rest", "noch ",
    "continúa", "continua", "sigue", "adelante", "hazlo", "sí", "y luego", "y ahora", "qué tal", "el resto", "más",
    "continue", "continuez", "vas-y", "allez-y", "oui", "fais-le", "et ensuite", "et pour", "la suite", "encore", "poursuis",
    "vai avanti", "prosegui", "procedi", "sì", "fallo", "e poi", "e adesso", "il resto", "ancora",
    "continue", "prossiga", "vá em frente", "pode continuar", "sim", "faça", "e depois", "e agora", "o resto", "mais",
    "ga door", "ga verder", "doe het", "ja graag", "en dan", "de rest", "meer",
    "kontynuuj", "dalej", "tak", "zrób to", "a potem", "reszta", "jeszcze",
    "продолжай", "продолжайте", "дальше", "далее", "давай", "да", "сделай", "а потом", "а теперь", "а если", "ещё", "еще",
    "продовжуй", "далі", "так", "зроби", "devam", "evet", "yap", "peki ya", "sonra", "lanjut", "lanjutkan", "teruskan", "ya",
    "pokračuj", "ano", "fortsätt", "ja tack", "continuă", "da",
    "أكمل", "تابع", "استمر", "نعم", "واصل", "המשך", "תמשיך", "כן", "जारी", "आगे", "हाँ", "हां", "और",
    "继续", "繼續", "接着", "好的", "是的", "可以", "然后", "下一步", "続け", "続き", "はい", "お願い", "次", "それで", "계속", "네", "응", "다음", "그리고",
    "ต่อ", "ใช่", "tiếp", "vâng", "được",
)  # fmt: skip
_STARTS = tuple(dict.fromkeys(_GO_ON))
_CLOSE: Final = lex.word_set("""
thanks thank thankyou thx ty cheers bye goodbye appreciate cya lol haha welcome goodnight
danke dankeschön tschüss gracias adiós merci revoir grazie arrivederci obrigado obrigada tchau bedankt dank doei
dzięki dziękuję спасибо благодарю пока дякую teşekkürler teşekkür sağol terima makasih děkuji díky tack mulțumesc
شكرا וداعا תודה धन्यवाद शुक्रिया
""")
_CLOSE_STEMS: Final = (
    "谢谢",
    "謝謝",
    "再见",
    "ありがと",
    "さようなら",
    "감사",
    "고마",
    "ขอบคุณ",
    "cảm ơn",
    "哈哈",
)
_GREETING: Final = lex.word_set(
    "hi hello hey yo hiya howdy hallo moin hola bonjour salut ciao olá привет здравствуйте merhaba مرحبا"
)
_PRAISE: Final = lex.word_set("""
awesome great perfect nice cool worked works excellent wonderful brilliant super prima toll perfekt genial perfecto parfait
perfetto perfeito świetnie отлично супер прекрасно harika mükemmel bagus hebat skvělé bra perfect ممتاز رائع מעולה बढ़िया
""")
_WORK: Final = lex.word_set(
    "do make now next continue proceed go write show add part rest step mach jetzt haz ahora fais"
)
# Words that do not make a close into a request: "thanks, that's perfect".
_QUESTION: Final = re.compile(r"[?？؟]")
_STANDALONE: Final = re.compile(
    r"(?:what(?:'s| is| are| was| does| do| did)?|who|when|where|which|how (?:many|much|old|far|tall|long)|is|are|translate|convert|define|"
    r"spell|wer|wann|wo|wie viele?|was (?:ist|heißt)|quién|cuándo|dónde|qué es|cuál|qui|quand|où|quel(?:le)?|chi|quando|dove|qual|quem|onde|"
    r"кто|когда|где|какой|какая|сколько|что такое)\b",
    re.I,
)


def role_of(text: str, before: str = "") -> Turn:
    """Classify a turn that has turns before it; `before` is what was said last (earlier ask and its answer). Pure."""
    stripped = text.strip()
    if not stripped:
        return "close"
    low = stripped.lower().lstrip("¿¡\"'(")
    words = _WORD.findall(low)
    spoken = set(words)
    count = words_in(stripped) if not stripped.isascii() else len(words)
    if count > _MAX_WORDS or "\n\n" in stripped:
        return "new"
    asks = bool(_QUESTION.search(stripped))
    closes = spoken & _CLOSE or any(stem in low for stem in _CLOSE_STEMS)
    if not asks and count <= 12 and closes and not _says_go_on(low):
        return "close"
    if not asks and count <= 6 and spoken & _PRAISE and not _says_go_on(low) and not spoken & _WORK:
        return "close"
    if not asks and count <= 3 and spoken & _GREETING:
        return "close"
    if _says_go_on(low):
        return "continue"
    if _about(words, before):
        return "continue"
    wide = not stripped.isascii()
    if _OBJECT.search(low):
        return "continue"
    if spoken & lex.ANAPHORA or (wide and any(stem in low for stem in lex.ANAPHORA_STEMS)):
        # "what is this?" leans on what came before; "who was the first president of X" only contains "first".
        if _STANDALONE.match(low) and not spoken & _POINTING:
            return "new"
        return "continue"
    if count <= 3 and not _STANDALONE.match(low):
        return "continue"
    return "new"


_POINTING: Final = lex.word_set(
    "it that this those these them its das dies es eso esto ça cela quello questo isso isto это его"
)


# "hacerlo", "explicarla", "farlo": the pronoun hangs on the verb.
_OBJECT: Final = re.compile(r"\w(?:[aei]r|-)(?:lo|la|los|las|li|le)\b")
_COMMON: Final = (
    lex.ORDINARY
    | lex.LOOKUP
    | lex.SOCIAL
    | lex.CONSTRAINT
    | lex.word_set("about would could there their which other really")
)
_STEM: Final = 6


def _about(words: list[str], before: str) -> bool:
    """Does the turn name something that was spoken of before? Compared by the first letters, so endings may differ."""
    stems = {word[:_STEM] for word in words if len(word) >= 5 and word not in _COMMON}
    if not stems or not before:
        return False
    return any(word[:_STEM] in stems for word in _WORD.findall(before.lower()) if len(word) >= 5)


def _says_go_on(low: str) -> bool:
    for phrase in _STARTS:
        if low.startswith(phrase):
            after = low[len(phrase) : len(phrase) + 1]
            if phrase.endswith(" ") or not after.isalpha() or phrase[0] >= "\u0e00":
                return True
    return False
