"""Closed word classes of English, and the words a request can do without."""

from __future__ import annotations

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Carry grammar only. What they may signal (tense, question, direction, quantity) is read apart, before they go.
FUNCTION: Final = _words(
    "a an the this that these those here there it its itself i me we us myself ourselves you yourself one ones "
    "am is are was were be been being do does did doing done have has had having will would shall can could may might should must ought "
    "of in on at for by to from into onto with using within as about regarding during through via per between among upon out up off "
    "and or but so then if else when where who whom whose what which why how whether because while also too "
    "my our your his their mine yours ours theirs some any another such very quite rather "
    "'s s t d ll re ve please pls plz kindly thanks thank hi hello hey ok okay well oh yes sure "
)
# May stand on one side only: how one asks, not what.
FILLER: Final = _words(
    "actually basically currently really literally simply just somehow honestly truly totally certainly definitely "
    "exactly specifically generally usually typically probably perhaps maybe now ever indeed surely "
    "obviously apparently essentially right bit way ways method approach step steps process procedure possible "
    "please tip tips advice info information detail details particular given following various theme topic subject "
    "available offer offered exist exists located situated called named there much many away "
)
# May stand on one side only in front of everything else: verbs and nouns of asking.
LEAD: Final = _words(
    "tell give show find list name say know understand wonder wondering curious look looking see interested get help provide "
    "suggest recommend question answer example need want like idea possible kind type sort someone anyone people person solve problem "
    "calculate compute kindly quickly briefly "
)
# Say what class a neighbour is of ("the river Rhine", "Fall term"); one side may leave it out.
CLASSIFIER: Final = _words(
    "river city town state country term semester course class food cuisine restaurant place language code function program command department number word sentence phrase term "
)
# After which/what they only say what kind of answer is wanted ("which city is the capital", "which person won").
ANSWER_TYPE: Final = _words(
    "person people team player author employee element artist professor teacher scientist singer director inventor city country place state company year date day time age language river mountain name thing number one"
)
# A want of one's own is the frame of a request; that of somebody else is what is asked about.
OWN_WISH: Final = _words(
    "want wants wanted need needs like likes get got gets getting go going let lets give show tell"
)
ASKER: Final = _words("i we you me us to would d ll please help and can could let's")
# The job asked for. One side may leave a weak one out ("French for cat"), but two different jobs are two requests.
JOBS: Final[dict[str, str]] = {
    word: job
    for job, words in {
        "write": "write compose draft author make create generate build",
        "explain": "explain describe overview define meaning definition",
        "summary": "summary summarize summarise synopsis recap tldr",
        "translate": "translate translation",
        "convert": "convert conversion turn transform",
        "fix": "fix debug repair correct",
        "rewrite": "refactor rewrite rephrase paraphrase improve optimize simplify shorten expand",
        "review": "review critique evaluate rate proofread",
        "calculate": "calculate compute",
        "delete": "delete remove",
    }.items()
    for word in words.split()
}
WEAK_JOBS: Final = frozenset({"write", "explain", "translate", "convert", "calculate"})
# Decide by themselves: present in one text and not in the other, or different, is another question.
OPERATORS: Final = _words(
    "before after without except than until till since against above below under over beyond inside outside "
    "only more less fewer most least both either neither nor half double twice again still already yet "
    "instead he she they first last next previous "
)
UNITS: Final = _words(
    "kilogram gram pound ounce ton meter kilometer centimeter millimeter mile foot inch yard liter milliliter gallon celsius fahrenheit "
    "kelvin second minute hour day week month year dollar euro yen franc krona krone peso rupee yuan ruble lira zloty percent kilobyte megabyte gigabyte terabyte acre hectare cup pint quart tablespoon teaspoon % $ € £"
)
EXCHANGE: Final = _words("substitute replace exchange swap trade switch convert")
OBLIGATION: Final = _words("should must ought")
ADVISABLE: Final = frozenset(
    {"advisable", "a good idea", "good idea", "make sense", "wise", "recommended to", "worth it"}
)
PRONOUNS: Final[dict[str, str]] = {
    "he": "he", "him": "he", "his": "he", "himself": "he",
    "she": "she", "her": "she", "hers": "she", "herself": "she",
    "they": "they", "them": "they", "themselves": "they",
}  # fmt: skip
NEGATIONS: Final = _words(
    "not no never none nobody nothing nowhere neither nor cannot without except hardly nt aint dont cant wont isnt doesnt didnt non lack"
)
QUANTIFIERS: Final[dict[str, str]] = {
    "all": "all", "every": "all", "each": "all", "everything": "all", "everyone": "all", "always": "always",
    "some": "some", "any": "some", "several": "some", "sometimes": "sometimes", "few": "few",
    "most": "most", "mostly": "most", "only": "only", "none": "none", "never": "never", "half": "half",
    "both": "both", "either": "either",
}  # fmt: skip
SYMMETRIC: Final = _words(
    "border neighbor neighbour meet marry equal match intersect overlap adjacent adjoin resemble differ difference compare versus"
)

ANTONYMS: Final = frozenset(
    frozenset(pair.split("/"))
    for pair in [
        "enable/disable",
        "on/off",
        "open/close",
        "lock/unlock",
        "install/uninstall",
        "start/stop",
        "begin/end",
        "add/remove",
        "add/delete",
        "increase/decrease",
        "raise/lower",
        "gain/lose",
        "buy/sell",
        "import/export",
        "encode/decode",
        "encrypt/decrypt",
        "upload/download",
        "compress/decompress",
        "push/pull",
        "show/hide",
        "more/less",
        "most/least",
        "max/min",
        "maximum/minimum",
        "largest/smallest",
        "biggest/smallest",
        "highest/lowest",
        "longest/shortest",
        "tallest/shortest",
        "oldest/youngest",
        "first/last",
        "before/after",
        "above/below",
        "over/under",
        "inside/outside",
        "hot/cold",
        "good/bad",
        "best/worst",
        "better/worse",
        "pro/con",
        "advantage/disadvantage",
        "benefit/drawback",
        "win/lose",
        "love/hate",
        "accept/reject",
        "allow/deny",
        "grant/revoke",
        "ascending/descending",
        "even/odd",
        "positive/negative",
        "true/false",
        "left/right",
        "north/south",
        "east/west",
        "up/down",
        "front/back",
        "early/late",
        "old/new",
        "public/private",
        "internal/external",
        "male/female",
        "husband/wife",
        "mother/father",
        "son/daughter",
        "brother/sister",
        "king/queen",
        "summer/winter",
        "spring/autumn",
        "morning/evening",
        "day/night",
        "rich/poor",
        "strong/weak",
        "fast/slow",
        "easy/hard",
        "simple/complex",
        "formal/informal",
        "legal/illegal",
        "safe/dangerous",
        "always/never",
        "all/none",
        "speed/slow",
        "attach/detach",
        "connect/disconnect",
        "subscribe/unsubscribe",
        "save/discard",
        "keep/discard",
        "keep/delete",
        "include/exclude",
        "expand/collapse",
        "mount/unmount",
        "follow/unfollow",
        "mute/unmute",
        "arrive/depart",
        "borrow/lend",
        "debit/credit",
        "profit/loss",
        "asset/liability",
        "supply/demand",
        "prefix/suffix",
        "upper/lower",
        "hard/soft",
        "input/output",
    ]
)
