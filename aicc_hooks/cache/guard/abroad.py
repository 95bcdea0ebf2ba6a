"""Questions in other languages: the same words in the same order, apart from how one asks.

There are no word lists for content here, so a synonym is a miss. What may differ is the frame ("could you tell me"), `please`,
the form of the one verb that the frame governs, its place in German and Dutch, and a small number in words.
"""

from __future__ import annotations

import re
from typing import Final

from aicc_hooks.cache.guard.text import Text

# Not \w: it leaves out the vowel signs of Hindi or Thai, and `#` and `+` name languages.
_WORD: Final = re.compile(r"[^\s.,;:!?()\"'«»„“”¿¡…。，、！？；：；।·]+")

_FRAMES: Final = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        # Greetings and thanks
        r"^(?:hallo|hi|hey|bonjour|salut|hola|ciao|olá|oi|hoi|hej|cześć|привет|здравствуйте|你好|こんにちは)\b[ ,!.]*",
        # German
        r"^(?:kannst|könntest|würdest) du (?:mir |uns )?(?:bitte )?(?:mal )?(?:(?:sagen|erklären|verraten|zeigen),? )?",
        r"^(?:können|könnten|würden) sie (?:mir |uns )?(?:bitte )?(?:(?:sagen|erklären|verraten|zeigen),? )?",
        r"^(?:weißt du|wissen sie|sage? mir|sagen sie mir|erkläre? mir|ich (?:möchte|will|würde gerne?) (?:gerne? )?wissen),? ",
        r"^(?:gib mir|geben sie mir|ich (?:brauche|möchte|hätte gerne?|suche)|hast du|haben sie) (?=eine?[nrs]? )",
        r"^(?:nenne? mir|was ist|wie heißt|wie lautet) (?=(?:der|die|das) )",
        # French
        r"^(?:peux-tu|pourrais-tu|pouvez-vous|pourriez-vous|est-ce que (?:tu peux|vous pouvez))(?: me| nous)?(?: dire| expliquer)? ",
        r"^(?:dis-moi|dites-moi|je (?:veux|voudrais|souhaite) savoir|merci de|merci d'|sais-tu|savez-vous) ?",
        # Spanish
        r"^¿?(?:me )?(?:puedes|podrías|puede|podría)(?: (?:decirme|explicarme|decir|explicar)(?=,? (?:cómo|cuál|qué|dónde|cuándo|por qué|cuánt)))?,? ",
        r"^(?:dime|dígame|quiero saber|quisiera saber|me gustaría saber|sabes),? ",
        r"^¿?(?:dame|deme|me das|me da|quisiera|necesito|quiero) (?=una? )",
        # Italian
        r"^(?:puoi|potresti|può|potrebbe)(?: dirmi| spiegarmi)? ",
        r"^(?:dimmi|mi dica|mi spieghi|vorrei sapere|voglio sapere|sai),? ",
        # Portuguese
        r"^(?:você )?(?:pode|poderia|podes|podia)(?: me dizer| dizer-me| me explicar)?,? ",
        r"^(?:diga-me|me diga|quero saber|gostaria de saber),? ",
        # Dutch
        r"^(?:kun|kan|zou|kunt) (?:je|jij|u) (?:me |mij )?(?:alsjeblieft |alstublieft )?(?:(?:vertellen|zeggen|uitleggen),? )?",
        r"^(?:weet je|weet u|vertel me|ik wil weten),? ",
        # Swedish
        r"^(?:kan|skulle) du (?:kunna )?(?:snälla )?(?:(?:berätta|säga|förklara)(?: för mig)?,? )?",
        r"^(?:berätta|säg mig|jag vill veta),? ",
        r"^vad (?:är|heter) (?=\w+(?:en|et|n|t) i )",
        # Polish
        r"^czy (?:możesz|mógłbyś|mogłabyś|może pan|może pani)(?: mi)?(?: powiedzieć)?,? ",
        r"^(?:powiedz mi|powiedz|chcę wiedzieć|chciałbym wiedzieć|chciałabym wiedzieć),? ",
        # Russian
        r"^(?:подскажите?|скажите?|расскажите?|объясните?|можешь сказать|можете сказать|я хочу знать)(?: мне)?,? ",
        r"^(?:можешь|можете|не могли бы вы)(?= )",
        # Chinese and Japanese
        r"^(?:请问|请|麻烦你?|你?(?:能不能|可不可以|能否|可否|能|可以)|帮我|帮忙|告诉我|我想知道)(?!\s*$)",
        r"(?:吗|么|呢|好吗|谢谢)$",
        r"(?:とは何ですか|は何ですか|って何ですか|とは何|は何|を教えてください|を教えて下さい|を教えて)$",
        r"(?<=て)(?:ください|下さい|くれますか|くれませんか|もらえますか|いただけますか|ほしい|欲しい)$",
    )
)  # fmt: skip
_PLEASE: Final = re.compile(
    r"\b(?:bitte|s'il (?:te|vous) pla[iî]t|stp|svp|por favor|per favore|per piacere|alsjeblieft|alstublieft|graag|tack|snälla|proszę|пожалуйста)\b[ ,]*",
    re.I,
)
_HOW: Final = frozenset(["wie", "comment", "cómo", "come", "como", "jak", "hoe", "hur", "как"])
# Who does it and that one can: left out of a question that asks how.
_ANYBODY: Final = re.compile(
    r"(?<=^wie )kann (?:ich|man|wir) |(?<=^wie )ich |(?<=^comment )(?:puis-je|peut-on|je peux|on peut|dois-je|faire pour) "
    r"|(?<=^cómo )(?:puedo|se puede|podemos|hago para|se) |(?<=^come )(?:posso|si può|possiamo|faccio a|faccio ad|si) "
    r"|(?<=^como )(?:posso|eu posso|faço para|eu faço para|se|fazer para) |(?<=^jak )(?:mogę|można) |(?<=^hoe )(?:kan ik|kun je|ik) "
    r"|(?<=^hur )(?:kan jag|kan man|jag|man) |(?<=^как )(?:мне|можно|я могу) "
)
_LATER: Final = re.compile(r"(?<= )(?:kann|ich|kan ik|kan|ik|jag)(?= |$)")
_NUMBERS: Final[dict[str, str]] = {
    word: digit
    for digit, words in {
        "2": "zwei deux dos due dois duas twee två dwa dwie два две",
        "3": "drei trois tres tre três drie trzy три",
        "4": "vier quatre cuatro quattro quatro fyra cztery четыре",
        "5": "fünf cinq cinco cinque vijf fem pięć пять",
        "6": "sechs seis zes sześć шесть",
        "7": "sieben sept siete sette sete zeven sju siedem семь",
        "8": "huit ocho otto oito åtta osiem восемь",
        "9": "neun neuf nueve nove negen nio dziewięć девять",
        "10": "zehn diez dieci dez tien tio dziesięć десять",
    }.items()
    for word in words.split()
}
_SAME: Final = {"fra": "tra", "email": "e-mail", "mail": "e-mail", "mejl": "e-mail"}
_ENDINGS: Final = frozenset(
    [
        "",
        "e",
        "n",
        "en",
        "er",
        "i",
        "ern",
        "r",
        "t",
        "st",
        "s",
        "ar",
        "are",
        "ere",
        "ire",
        "ir",
        "or",
        "o",
        "a",
        "as",
        "es",
        "ons",
        "ez",
        "re",
        "ć",
        "yć",
        "ić",
        "ać",
        "j",
        "ij",
        "á",
        "ть",
    ]
)
_ROOT: Final = 3
_EDGES: Final = " ,.?!¿¡。，！？"


def bare(text: Text) -> tuple[str, ...]:
    """The words of any script, without case and punctuation."""
    return tuple(_WORD.findall(text.plain))


def alike(a: Text, b: Text) -> bool:
    """May the answer to one serve the other, when neither is English?"""
    if a.symbols != b.symbols:
        return False
    if bare(a) == bare(b):
        return True
    (mine, framed_a), (yours, framed_b) = _core(a), _core(b)
    return _same(mine, yours, framed_a or framed_b)


def _core(text: Text) -> tuple[tuple[str, ...], bool]:
    """The words behind the frame, numbers up to ten as digits; and was there a frame?"""
    whole = text.plain.strip(_EDGES)
    plain = _PLEASE.sub("", whole).strip(_EDGES)
    for _ in range(2):
        for frame in _FRAMES:
            plain = frame.sub("", plain, count=1).strip(_EDGES) or plain
    framed = plain != whole
    if plain.split(" ", 1)[0] in _HOW:
        plain = _LATER.sub("", _ANYBODY.sub("", plain, count=1))
    return tuple(_NUMBERS.get(word, _SAME.get(word, word)) for word in _WORD.findall(plain)), framed


def _same(a: tuple[str, ...], b: tuple[str, ...], framed: bool) -> bool:
    if len(a) != len(b) or not a:
        return False
    if a == b:
        return True
    if not framed and a[0] not in _HOW:
        return False  # "Miete kündigen", "Mieter kündigen": without a frame the first word need not be a verb
    first = 1 if a[0] in _HOW and b[0] == a[0] and len(a) > 1 else 0
    if {a[first][-1], b[first][-1]} == {"a", "o"} and not first:
        return False  # hijo, hija
    if a[:first] == b[:first] and a[first + 1 :] == b[first + 1 :] and _one_verb(a[first], b[first]):
        return True
    return _verb_last(a, b) or _verb_last(b, a)


def _verb_last(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    """`schreibe den Brief` and `den Brief schreiben`: the verb stands at the end behind a frame."""
    where = range(len(a) - 1) if a[0] in _HOW else range(1)
    return any(a[:i] + a[i + 1 :] == b[:-1] and _one_verb(a[i], b[-1]) for i in where)


def _one_verb(x: str, y: str) -> bool:
    """Forms of one verb in the present, the imperative or the infinitive."""
    if x == y:
        return True
    at = next((i for i, (p, q) in enumerate(zip(x, y, strict=False)) if p != q), min(len(x), len(y)))
    return at >= _ROOT and any(x[i:] in _ENDINGS and y[i:] in _ENDINGS for i in range(_ROOT, at + 1))
