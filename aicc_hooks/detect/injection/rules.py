"""Named rules: small regular expressions over the token classes, and a few over the text for delimiters and exfiltration.

A hit is evidence, not a verdict: the calibrated model weighs it. Every gap is bounded, so every rule is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from aicc_hooks.detect.starts import Starts

# A command stands at the start of a sentence, or after what commands follow: attention markers, "and", "please", "now".
_START = r"(?:^|[|ZcMC])"
_g = r"[^|]"  # any token of the same sentence

CLASS_RULES: Final[tuple[tuple[str, str, str], ...]] = (
    # name, pattern over classes, classes it needs: of every group at least one
    ("override", rf"V{_g}{{0,3}}[PQ]{_g}{{0,4}}[IOS]|V{_g}{{0,2}}[IOS]{_g}{{0,5}}P", "V PQ IOS"),
    ("override", rf"V{_g}{{0,2}}Y{_g}{{0,3}}[IL]|VQ{{1,2}}{_g}{{0,2}}[IP]|V{_g}?P{_g}?[cC|]", "V YQP"),
    (
        "override",
        rf"(?:N{_g}{{0,2}}F|T{_g}{{0,6}}a|Ta|NFt){_g}{{0,5}}(?:[PQY]{_g}{{0,3}}[IO]|I{_g}{{0,4}}P)",
        "NT Fa IO PQY",
    ),
    ("forget_all", rf"{_START}{_g}{{0,2}}V[bw]?Q(?:[|cRPC]|$)", "V Q"),
    ("override_sov", rf"(?:[PQY]{_g}{{0,4}}[IO]|S{_g}?I){_g}{{0,5}}V", "V IO"),
    ("override_start", rf"{_START}[wYtQ]?V{_g}{{0,3}}(?:[PQY]{_g}{{0,4}}[IOSL|]|I{_g}{{0,5}}P)", "V PQY"),
    (
        "override_start",
        rf"{_START}(?:N{_g}{{0,2}}F|Ta|T{_g}{{0,6}}a){_g}{{0,5}}(?:[PQY]{_g}{{0,3}}[IO]|I{_g}{{0,4}}P)",
        "NT Fa IO PQY",
    ),
    (
        "override_now",
        rf"(?:V{_g}{{0,3}}[PQY]|N{_g}?F{_g}{{0,3}}[PQY]|Ta{_g}{{0,3}}[PQY]){_g}{{0,7}}[|c.]{{0,3}}{_g}{{0,2}}C",
        "C PQY VNT",
    ),
    (
        "override_strict",
        rf"{_START}[tYwQ]?(?:V|N{_g}?F|Ta|T{_g}{{0,5}}a){_g}{{0,3}}[PQYS]{_g}{{0,2}}I",
        "I VNT PQYS",
    ),
    ("leak", rf"R{_g}{{0,5}}(?:Y{_g}{{0,3}}[ISP]|S{_g}{{0,1}}[IO]|I{_g}{{0,3}}P|[PSY]{_g}?I)", "R ISP"),
    ("leak", rf"W{_g}{{0,4}}(?:Y{_g}{{0,3}}(?:SI|PI|I|SO|S|PO)|SI|P{_g}?I)", "W ISP"),
    ("leak", rf"W{_g}{{0,2}}Y{_g}{{0,3}}[PN]{_g}{{0,3}}(?:[PO]|t)", "W Y PN"),
    (
        "leak_start",
        rf"{_START}{_g}{{0,2}}R{_g}{{0,4}}(?:Y{_g}{{0,2}}(?:I|S|PI|PO|SO)|[SP]I|[QO]{_g}{{0,2}}P|PO)",
        "R ISP",
    ),
    ("leak_sov", rf"(?:SI|Y{_g}{{0,2}}S?I|SO){_g}{{0,4}}R", "R SI"),
    (
        "leak_verbatim",
        rf"(?:R{_g}{{0,8}}X|X{_g}{{0,6}}R){_g}{{0,6}}[IPSO]|R{_g}{{0,4}}[PQ]{_g}{{0,4}}X",
        "R X",
    ),
    (
        "persona",
        rf"[AC]{_g}{{0,12}}U|Y{_g}{{0,3}}C{_g}{{0,6}}U|A{_g}{{0,6}}[wM]{_g}{{0,6}}N{_g}{{0,4}}[ILU]",
        "AC UN",
    ),
    ("persona", rf"U{_g}{{0,2}}(?:M|A)|M{_g}{{0,4}}U", "U MA"),
    ("unbound", rf"N{_g}{{0,3}}Q?{_g}{{0,2}}L|[NV]{_g}{{0,5}}(?:L{_g}{{0,3}}[LIc]|M{_g}?I)", "NV LM"),
    ("unbound", rf"N{_g}{{0,2}}L{_g}{{0,2}}Q|N{_g}{{0,4}}F{_g}{{0,4}}[IL]", "N LF"),
    ("always_answer", rf"N{_g}{{0,3}}(?:L|q{_g}{{0,2}}N)|(?:Q|C){_g}{{0,4}}B{_g}{{0,6}}[UL]", "NQC LqB"),
    ("you_are_now", rf"Yq{_g}?C|Y{_g}{{0,2}}C{_g}{{0,4}}[AM]|C{_g}{{0,3}}Y{_g}{{0,6}}A", "Y C"),
    (
        "to_the_model",
        rf"(?:Z{_g}{{0,4}}M|^{_g}{{0,3}}M|[|]{_g}?M|t{_g}{{0,2}}M)[|]|M{_g}{{0,3}}C{_g}{{0,3}}[VREATBG]",
        "M",
    ),
    ("to_the_model", rf"(?:Z|C|P){_g}{{0,4}}M{_g}{{0,4}}[|C]|M{_g}{{0,3}}(?:P|[.]){_g}{{0,4}}[OI][|]", "M"),
    ("your_reply", rf"(?:[REVTC]|{_START}.){_g}{{0,5}}Y{_g}?B", "Y B"),
    ("authority", rf"J{_g}{{0,5}}[RVGIS]|(?:J|S)J", "J"),
    (
        "exfiltrate",
        rf"[ER]{_g}{{0,6}}K{_g}{{0,8}}[H|]|[ER]{_g}{{0,6}}(?:K|O){_g}{{0,4}}t{_g}{{0,2}}[H.]",
        "ER KO",
    ),
    ("obey_decoded", r"D.{0,8}[GF]|[GF].{0,6}D", "D GF"),
    ("secrecy", rf"N{_g}{{0,3}}(?:R|O){_g}{{0,4}}(?:w|t)|NR", "N RO"),
)


_BIT: Final = {chr(code): 1 << code for code in range(128)}


def _mask(classes: Iterable[str]) -> int:
    mask = 0
    for name in classes:
        mask |= _BIT[name]
    return mask


def _masks(needs: str) -> tuple[int, int, int, int]:
    groups = [_mask(group) for group in needs.split()]
    a, b, c, d = (*groups, *[-1] * (4 - len(groups)))
    return a, b, c, d


def _led(pattern: str) -> tuple[re.Pattern[str], bool]:
    """The pattern, and whether it is searched behind a boundary: `^` in front would have it tried at every token."""
    if pattern.startswith(_START):
        return re.compile(_START.replace("^|", "", 1) + pattern[len(_START) :]), True
    return re.compile(pattern), False


# Most texts lack what most rules need: looking that up costs a twentieth of running them.
_COMPILED: Final = tuple((name, *_led(pattern), *_masks(needs)) for name, pattern, needs in CLASS_RULES)

_SIGN: Final = r"[#*=<>\[({|/%~!+_-]"


def _behind_signs(word: str) -> str:
    """The word behind two signs, or behind one at the start of a line. What it starts with stays a literal, for `Starts`."""
    before = (f"{_SIGN}{{2}}", f"{_SIGN}{{2}} ", rf"\n{_SIGN}", rf"\n{_SIGN} ")
    return f"{word}(?:{'|'.join(f'(?<={signs}{word})' for signs in before)})"


# Over the text itself, lower-cased. The first member is what must stand in the text before the pattern is tried.
TEXT_RULES: Final[tuple[tuple[str, tuple[str, ...], re.Pattern[str]], ...]] = (
    (
        "delimiter",
        ("<", "[inst", "[/", "|>"),
        re.compile(
            r"<\|?(?:im_start|im_end|im_sep|endoftext|end_of_text|eot_id|start_header_id|begin_of_text|system|user|assistant|end)\|?>"
            r"|\[/?inst\]|<</?sys>>|<(?:start|end)_of_turn>|\[/?(?:system|sys|admin|assistant|developer)[^\]\n]{0,24}\]"
            r"|<<<\s*/?\s*(?:system|admin|end|developer|new|user|assistant|bob)[^>\n]{0,24}"
        ),
    ),
    (
        "role_tag",
        ("<",),
        re.compile(
            r"<(?:/\s*)?(?:system|user|assistant|admin|developer|instructions?|sys|system[-_ ]?prompt|human|tool_result|function_results?|context|task)\s*>"
        ),
    ),
    (
        "role_tag",
        ("##",),
        re.compile(
            r"##\s*(?:system|new instructions?|admin|developer|override|assistant|instructions?|response|human|user)\b[^\n]{0,24}"
        ),
    ),
    (
        "role_tag",
        ("[",),
        re.compile(
            r"\[\s*(?:system|sys|admin|developer|ai|assistant|important|override|root)\b[^\]\n]{0,40}\]"
        ),
    ),
    ("role_tag", ("```",), re.compile(r"```\s*(?:system|admin|developer|assistant)\b")),
    ("role_tag", ("role",), re.compile(r"\brole[\"']?\s*[:=]\s*[\"']?(?:system|developer|assistant)\b")),
    ("role_tag", ("====",), re.compile(r"={4,}\s*(?:end|begin|new|system|stop)\b")),
    (
        "banner",
        ("system", "admin", "developer", "instruction", "override", "directive"),
        re.compile(
            rf"(?:{'|'.join(_behind_signs(word) for word in ('system', 'admin', 'developer', 'instruction', 'override', 'directive'))}"
            rf"|(?:{'|'.join(_behind_signs(word) for word in ('new', 'important', 'urgent', 'special', 'updated', 'internal'))})(?: (?:important|urgent|special|system))?"
            r" (?:system|instruction|directive|override|order|task))"
            r"(?:s|[ _-](?:message|prompt|note|notice|override|instructions?|update|alert|mode))?\b"
            r"|(?:system|admin|developer|safety|policy)[ _-]override\b|new (?:important |urgent |special |system )?(?:instructions|directives?|orders) ?[:*#=!\]]"
        ),
    ),
    (
        "primed",
        ("begin", "start", "words", "never"),
        re.compile(
            r"(?:begin|start)(?:s|ning|ing)?(?: (?:your|the|each|every|all|any))?(?: (?:answers?|reply|replies|responses?|messages?|outputs?))? (?:with|by saying)[ :]{0,2}[\"'\u201c\u2018(<*]{0,3}(?:sure\b|absolutely|of course|certainly|yes\b|okay|ok\b|step 1|i'm free|no problem|here you go)"
            r"|(?:never|not|don't|without)(?: \w+){0,3} (?:words?|phrases?)[^\n.]{0,40}\b(?:sorry|can(?:no|')t|unable|unfortunately|illegal|unethical|as an ai|refuse)\b"
        ),
    ),
    (
        "role_line",
        ("system", "admin", "developer", "assistant"),
        re.compile(
            r"(?:^|\n)\s*(?:system|admin|developer|assistant (?=note|notice|message|instr))(?: ?(?:message|instructions?|prompt|notice|override|note|alert|update))?\s*:"
        ),
    ),
    (
        "fence_end",
        ("--", "==", "**", "##", "<<", "~~", "__"),
        re.compile(
            r"[-=*#<\[({_~]{2,12}\s*(?:end|begin|start|new|stop|reset)[ _](?:of[ _])?(?:the )?(?:system|user|document|input|prompt|context|conversation|data|text|instructions?|email|session|file|page|content|untrusted)\b"
        ),
    ),
    (
        "fence_end",
        ("begin", "end", "start", "reprogramming"),
        re.compile(
            r"(?:begin|end|start)(?: of)? (?:system|admin|developer|new|hidden|user|document|untrusted|reprogramming|input)[^\n]{0,24}\n|\nnew instructions?\b[^\n]{0,40}:"
        ),
    ),
    (
        "hidden_comment",
        ("<!--", "display:none", "font-size:0", "color:white", "/*", "aria-hidden", "[//]"),
        re.compile(
            r"<!--[^>]{0,80}\b(?:ai|assistant|llm|model|system|agents?|gpt|instructions?|ignore|bot)\b"
            r"|(?:display:\s*none|font-size:\s*0|color:\s*(?:white|#fff)|visibility:\s*hidden|opacity:\s*0)[^>]{0,80}>[^<]{0,200}\b(?:ignore|ai|assistant|instructions?|system)\b"
            r"|/\*[^*]{0,80}\b(?:ai|assistant|llm|agents?)\b[^*]{0,40}\b(?:must|should|ignore|note)"
        ),
    ),
    (
        "exfil_link",
        ("http", "]("),
        re.compile(
            r"!\[[^\]\n]{0,60}\]\(\s*https?://[^)\s]{0,200}[?=/][^)\s]{0,120}(?:\{|\[|<|api_?key|secret|data|summary|conversation|token|prompt)"
            r"|https?://[^\s\"'<>)]{0,160}[?&/][a-z_]{1,16}=(?:\{|\[|<|secret|api_?key|data\b|token\b|\s|$|\"|')"
        ),
    ),
    (
        "do_anything_now",
        (
            "anything now",
            "developer mode",
            "dan mode",
            "jailbr",
            "character",
            "dan",
            "god",
            "opposite mode",
            "evil",
            "restrict",
            "restrict",
            "unrestrict",
            "unfilter",
            "uncensor",
            "anything",
            "limits",
            "grandmother",
            "grandma",
            "broken",
            "responses",
            "ways",
        ),
        re.compile(
            r"do anything now|developer mode|\bdan mode|jailbr(?:eak|oken)|stay (?:in character|a dan)|god ?mode|opposite mode|\bevil (?:ai|bot|trusted|confidant|twin|mode)"
            r"|without (?:any )?restrict|no restrict|unrestricted|unfiltered|uncensored|grand(?:mother|ma)\b[^\n]{0,80}(?:used to|would|who)|broken free|two (?:different |separate )?(?:responses|ways)|can do anything|no limits\b"
        ),
    ),
    (
        "addresses_model",
        (" ai", "llm", "language model", "assistant", "chatbot", "gpt", "ai ", "agent", " model", "bot"),
        re.compile(
            r"\bif you(?:'re| are) (?:an? )?(?:ai|llm|large language|language model|assistant|chatbot|artificial)"
            r"|\b(?:ai|llm|language model|ai assistant|assistant|ai agent|chatbot|ai model|agent)s?\b[^\n.]{0,16}\b(?:must|should|shall|have to|has to|needs? to|is required|are required|is to|are to)\b"
            r"|\b(?:note|message|attention|instructions?|p\.?s\.?|notice|hint|reminder|dear|hey|hi|hello|to|for)\b[^\n.]{0,20}\b(?:ai|llm|language model|assistant|chatbot|gpt)s?\b[^\n.]{0,40}(?:reading|processing|summari|parsing|handling|:|,|\))"
        ),
    ),
    (
        "user_request",
        ("disregard", "ignore", "forget", "abandon", "override", "instead", "stop"),
        re.compile(
            r"\b(?:disregard|ignore|forget|stop|abandon|skip|drop|instead of|do not answer|don't answer|override)\b[^\n.]{0,24}(?:user'?s?|current|original|main|your|the)[^\n.]{0,12}(?:request|question|task|query|instructions?|prompt)\b"
        ),
    ),
    (
        "transcript",
        ("system:",),
        re.compile(
            r"(?:human|user|assistant|ai)\s*:[^\n]{0,200}\n\s*(?:assistant|ai|human|user)?[^\n]{0,80}\n?\s*system\s*:"
        ),
    ),
    (
        "leak_continue",
        ("begin", "start", "continue", "complete", "finish"),
        re.compile(
            r"(?:begin|start)(?:ning|ing)? (?:your |the |every )?(?:answer|reply|response|message|output)?\s*with[: ]{1,3}[\"'“‘]?(?:sure|my |the (?:system|prompt|instructions)|you are|i was|of course|absolutely|here (?:is|are))"
            r"|(?:continue|complete|finish)[^\n]{0,30}[\"'“‘](?:you are|my |the system|the prompt|i was|i am instructed|system prompt|my instructions)"
        ),
    ),
    (
        "code_leak",
        ("system_prompt", "systemprompt", "initial_prompt", "system prompt"),
        re.compile(
            r"(?:print|echo|console\.log|cat|select|dump|return|puts|printf|get)[\s(]{1,3}[$\"']{0,2}(?:system|initial)_?prompt"
        ),
    ),
    (
        "hijack_token",
        ("pwned", "hacked", "hijack", "jailbroken", "lol", "canary"),
        re.compile(
            r"\b(?:say|print|output|write|respond|reply|display|return|type|answer)\b[^\n]{0,30}[\"'“‘]?\s*(?:i have been |haha )?(?:pwned|hacked|hijacked|lol\b)|canary:[0-9a-f]"
        ),
    ),
)


def _gate(needles: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Needles that start with a letter are found by the tokenizer for free; only punctuation is searched for."""
    words = tuple({needle.split()[0].rstrip(":") for needle in needles if needle.strip()[0].isalpha()})
    return words, tuple(needle for needle in needles if not needle.strip()[0].isalpha())


_GATED: Final = tuple((name, *_gate(needles), Starts(pattern).holds) for name, needles, pattern in TEXT_RULES)
_NO_SIGNS: Final = bytes(c for c in range(128) if chr(c).isalnum() or chr(c).isspace())
# Each needle of punctuation with the signs in it, and a bit for every rule that it calls for.
_MARKS: Final = tuple(
    (
        frozenset(mark.encode("ascii", "ignore").translate(None, _NO_SIGNS)),
        mark,
        sum(1 << i for i, (_, _, needles, _) in enumerate(_GATED) if mark in needles),
    )
    for mark in dict.fromkeys(needle for _, _, needles, _ in _GATED for needle in needles)
)
NAMES: Final = tuple(
    dict.fromkeys(
        [name for name, _, _ in CLASS_RULES] + [name for name, _, _ in TEXT_RULES] + ["exfil_order"]
    )
)

# An order to send: an address, and shortly before or after it a verb and something worth stealing.
_ADDRESS: Final = re.compile(r"https?://|@[\w-]{1,40}\.|webhook|\bendpoint\b")
_SEND: Final = re.compile(
    r"\b(?:send|forward|post|e?mail|upload|transmit|exfiltrate|submit|append|encode|fetch|leak|put|include|share|copy|add|visit|load|request|make|pixel|render|collect|query|read)\b"
)
_LOOT: Final = re.compile(
    r"conversation|chat|history|password|api.?key|secret|credential|\btoken|\.env\b|id_rsa|\bssh\b|contents of|unread|inbox|all (?:e-?)?mails|\bdata\b|user'?s|summary|previous (?:user )?message|context|\bfiles?\b|phone|<img|!\["
)


_AT_ADDRESS: Final = Starts(_ADDRESS, shortest=1)
_SENDS: Final = Starts(_SEND)
_LOOTS: Final = Starts(_LOOT)


def _sends_away(lowered: str) -> bool:
    if not any(sign in lowered for sign in ("://", "@", "webhook", "endpoint")):
        return False
    for count, address in enumerate(_AT_ADDRESS.finditer(lowered)):
        if count >= 8:
            return False
        around = lowered[max(0, address.start() - 160) : address.end() + 100]
        if _SENDS.holds(around) and _LOOTS.holds(around):
            return True
    return False


_FOCUS: Final = tuple(
    rule[1:] for rule in _COMPILED if rule[0] in ("override_strict", "leak_start", "override_sov")
)


def commands(classes: str) -> list[int]:
    """Token positions of what reads like an order against the rules; at most three a pattern."""
    places: list[int] = []
    present = _mask(set(classes))
    for pattern, led, a, b, c, d in _FOCUS:
        if not (present & a and present & b and present & c and present & d):
            continue
        for count, hit in enumerate(pattern.finditer("|" + classes if led else classes)):
            if count >= 3:
                break
            places.append(max(0, hit.start() - led))
    return places


def hint(word: str) -> int:
    """Bit mask of the text rules that a word calls for; asked once a word, as tokens are cached."""
    return sum(
        1 << i for i, (_, prefixes, _, _) in enumerate(_GATED) if prefixes and word.startswith(prefixes)
    )


def fired(classes: str, lowered: str, hints: int = 0) -> dict[str, int]:
    """Names of the rules that hold, with the position of the first hit (token index; -1 for rules over the text)."""
    found: dict[str, int] = {}
    present = _mask(set(classes))
    behind = "|" + classes
    for name, rule, led, a, b, c, d in _COMPILED:
        if (
            present & a and present & b and present & c and present & d
            and name not in found and (hit := rule.search(behind if led else classes))
        ):  # fmt: skip
            found[name] = max(0, hit.start() - led)
    signs = set(lowered.encode("ascii", "ignore").translate(None, _NO_SIGNS))
    for own, mark, called in _MARKS:
        if own <= signs and mark in lowered:
            hints |= called
    while hints:
        name, _, _, holds = _GATED[(hints & -hints).bit_length() - 1]
        hints &= hints - 1
        if name not in found and holds(lowered):
            found[name] = -1
    if _sends_away(lowered):
        found["exfil_order"] = -1
    return found
