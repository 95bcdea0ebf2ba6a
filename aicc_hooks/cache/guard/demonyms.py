"""`the French president` is the president of France; `French restaurants` are not restaurants in France."""

from __future__ import annotations

from typing import Final

from aicc_hooks.cache.guard.stems import stem
from aicc_hooks.cache.guard.text import Token
from aicc_hooks.cache.guard.words import group

_PAIRS: Final = (
    "america/american us/american usa/american argentina/argentinian australia/australian austria/austrian belgium/belgian "
    "brazil/brazilian britain/british uk/british canada/canadian chile/chilean china/chinese colombia/colombian "
    "croatia/croatian cuba/cuban denmark/danish egypt/egyptian england/english europe/european finland/finnish "
    "france/french germany/german greece/greek hungary/hungarian iceland/icelandic india/indian indonesia/indonesian "
    "iran/iranian iraq/iraqi ireland/irish israel/israeli italy/italian japan/japanese kenya/kenyan korea/korean "
    "mexico/mexican morocco/moroccan netherlands/dutch nigeria/nigerian norway/norwegian pakistan/pakistani peru/peruvian "
    "poland/polish portugal/portuguese romania/romanian rome/roman russia/russian scotland/scottish spain/spanish "
    "sweden/swedish switzerland/swiss thailand/thai turkey/turkish ukraine/ukrainian vietnam/vietnamese africa/african asia/asian"
)
_PLACES: Final[dict[str, set[str]]] = {}
for _place, _people in (pair.split("/") for pair in _PAIRS.split()):
    _PLACES.setdefault(group(stem(_people)), set()).add(group(stem(_place)))


def of_the_same_place(x: Token, y: Token) -> bool:
    """True for `Roman` and `of Rome`, `Rome's` or `US` in front of a noun."""
    return (y.key in _PLACES.get(x.key, ()) and y.prep in ("of", "")) or (
        x.key in _PLACES.get(y.key, ()) and x.prep in ("of", "")
    )
