"""National identifiers: shape and check digits by country."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from .checks import iso7064_mod11_10, luhn, verhoeff, weighted

Check = Callable[[str], bool]


def _date(yy: str, mm: str, dd: str) -> bool:
    return yy.isdigit() and "01" <= mm <= "12" and "01" <= dd <= "31"


def _es(v: str) -> bool:
    body = v[:-1].translate(str.maketrans("XYZ", "012"))
    return body.isdigit() and "TRWAGMYFPDXBNJZSQVHLCKE"[int(body) % 23] == v[-1]


_CF_ODD: Final = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (
            1,
            0,
            5,
            7,
            9,
            13,
            15,
            17,
            19,
            21,
            1,
            0,
            5,
            7,
            9,
            13,
            15,
            17,
            19,
            21,
            2,
            4,
            18,
            20,
            11,
            3,
            6,
            8,
            12,
            14,
            16,
            10,
            22,
            25,
            24,
            23,
        ),
        strict=True,
    )
)


def _it(v: str) -> bool:
    total = sum(
        _CF_ODD[c] if i % 2 == 0 else (int(c) if c.isdigit() else ord(c) - 65) for i, c in enumerate(v[:15])
    )
    return chr(65 + total % 26) == v[15]


def _fi(v: str) -> bool:
    return (
        _date(v[4:6], v[2:4], v[0:2])
        and "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(v[0:6] + v[7:10]) % 31] == v[10].upper()
    )


def _sg(v: str) -> bool:
    total = weighted(v[1:8], (2, 7, 6, 5, 4, 3, 2)) + (4 if v[0] in "TG" else 3 if v[0] == "M" else 0)
    table = {
        "S": "JZIHGFEDCBA",
        "T": "JZIHGFEDCBA",
        "F": "XWUTRQPNMLK",
        "G": "XWUTRQPNMLK",
        "M": "XWUTRQPNJLK",
    }[v[0]]
    return table[total % 11] == v[8] or v[0] == "M"


def _br(v: str) -> bool:
    if len(set(v)) == 1:
        return False
    return all(weighted(v[:n], range(n + 1, 1, -1)) * 10 % 11 % 10 == int(v[n]) for n in (9, 10))


def _cn(v: str) -> bool:
    return (
        _date(v[8:10], v[10:12], v[12:14])
        and v[6:8] in ("18", "19", "20")
        and "10X98765432"[weighted(v[:17], (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)) % 11]
        == v[17].upper()
    )


def _fr(v: str) -> bool:
    body = v[:13].upper().replace("2A", "19").replace("2B", "18")
    return body.isdigit() and 97 - int(body) % 97 == int(v[13:15])


def _ch(v: str) -> bool:
    return v.startswith("756") and (10 - weighted(v[:12], (1, 3) * 6) % 10) % 10 == int(v[12])


def _be(v: str) -> bool:
    return any(97 - int(prefix + v[:9]) % 97 == int(v[9:]) for prefix in ("", "2"))


def _pl(v: str) -> bool:
    return (10 - weighted(v[:10], (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10) % 10 == int(v[10])


def _tr(v: str) -> bool:
    d = list(map(int, v))
    return d[0] != 0 and (sum(d[0:9:2]) * 7 - sum(d[1:8:2])) % 10 == d[9] and sum(d[:10]) % 10 == d[10]


def _nl(v: str) -> bool:
    return (weighted(v[:8], range(9, 1, -1)) - int(v[8])) % 11 == 0 and v != "000000000"


def _no(v: str) -> bool:
    return all(
        weighted(v, w) % 11 == 0 for w in ((3, 7, 6, 1, 8, 9, 4, 5, 2, 1), (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1))
    )


def _se(v: str) -> bool:
    v = v[-10:]
    day = int(v[4:6])
    return "01" <= v[2:4] <= "12" and (1 <= day <= 31 or 61 <= day <= 91) and luhn(v)


def _dk(v: str) -> bool:
    return _date(v[4:6], v[2:4], v[0:2])


def _cz(v: str) -> bool:
    return 1 <= int(v[2:4]) % 50 % 20 <= 12 and (int(v) % 11 == 0 or (int(v[:9]) % 11 == 10 and v[9] == "0"))


def _kr(v: str) -> bool:
    return _date(v[0:2], v[2:4], v[4:6]) and v[6] in "12345678"


def _th(v: str) -> bool:
    return (11 - weighted(v[:12], range(13, 1, -1)) % 11) % 10 == int(v[12])


def _za(v: str) -> bool:
    return _date(v[0:2], v[2:4], v[4:6]) and luhn(v)


def _tfn(v: str) -> bool:
    return weighted(v, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0


def _medicare(v: str) -> bool:
    return v[0] in "23456" and weighted(v[:8], (1, 3, 7, 9, 1, 3, 7, 9)) % 10 == int(v[8])


def nhs(v: str) -> bool:
    """The NHS number's mod 11."""
    return (11 - weighted(v[:9], range(10, 1, -1)) % 11) % 11 == int(v[9])


def _pt(v: str) -> bool:
    check = 11 - weighted(v[:8], range(9, 1, -1)) % 11
    return (0 if check > 9 else check) == int(v[8])


def _ro(v: str) -> bool:
    r = weighted(v[:12], (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11
    return (1 if r == 10 else r) == int(v[12]) and _date(v[1:3], v[3:5], v[5:7])


def _bg(v: str) -> bool:
    return (
        weighted(v[:9], (2, 4, 8, 5, 10, 9, 7, 3, 6)) % 11 % 10 == int(v[9]) and 1 <= int(v[2:4]) % 20 <= 12
    )


def _ee(v: str) -> bool:
    r = weighted(v[:10], (1, 2, 3, 4, 5, 6, 7, 8, 9, 1)) % 11
    if r == 10:
        r = weighted(v[:10], (3, 4, 5, 6, 7, 8, 9, 1, 2, 3)) % 11 % 10
    return r == int(v[10]) and _date(v[1:3], v[3:5], v[5:7])


def _cl(v: str) -> bool:
    total = sum(int(c) * (i % 6 + 2) for i, c in enumerate(reversed(v[:-1])))
    return "0123456789K0"[(11 - total % 11)] == v[-1].upper() if total % 11 else v[-1] == "0"


def _ar(v: str) -> bool:
    return (11 - weighted(v[:10], (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11) % 11 == int(v[10])


def _snils(v: str) -> bool:
    return weighted(v[:9], range(9, 0, -1)) % 101 % 100 == int(v[9:])


def _inn(v: str) -> bool:
    w = (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)
    return weighted(v[:10], w[1:]) % 11 % 10 == int(v[10]) and weighted(v[:11], w) % 11 % 10 == int(v[11])


def _tw(v: str) -> bool:
    n = "ABCDEFGHJKLMNPQRSTUVXYWZIO".find(v[0]) + 10
    return (n // 10 + n % 10 * 9 + weighted(v[1:9], range(8, 0, -1)) + int(v[9])) % 10 == 0


def _hk(v: str) -> bool:
    body = v[:-1].rjust(8)
    total = sum((36 if c == " " else int(c, 36)) * w for c, w in zip(body, range(9, 1, -1), strict=True))
    return "0123456789A"[(11 - total % 11) % 11] == v[-1]


def _curp(v: str) -> bool:
    alphabet = "0123456789ABCDEFGHIJKLMN\xd1OPQRSTUVWXYZ"
    return v[17].isdigit() and (
        10 - sum(alphabet.find(c) * (18 - i) for i, c in enumerate(v[:17])) % 10
    ) % 10 == int(v[17])


def _jp(v: str) -> bool:
    r = sum(int(c) * (w + 1 if w <= 6 else w - 5) for w, c in enumerate(reversed(v[:11]), 1)) % 11
    return (0 if r <= 1 else 11 - r) == int(v[11])


def _il(v: str) -> bool:
    return luhn(v)


def _pan(v: str) -> bool:
    return True


# Shapes that need no announcing word: letters, separators or a date make them unmistakable.
# (literals of `Doc.shape` split by commas, pattern that starts there, check on the bare characters)
_ROWS: Final = (
    ("99999999A,99999999-A", r"\d{8}-?[A-HJ-NP-TV-Z]", _es),
    ("A9999999A,A9999999-A,A-9999999-A,A-9999999A", r"[XYZ]-?\d{7}-?[A-HJ-NP-TV-Z]", _es),
    ("AAAAAA99A99A999A", r"[A-Z]{6}\d\d[ABCDEHLMPRST]\d\d[A-Z]\d{3}[A-Z]", _it),
    ("999999-999,999999+999,999999A999", r"\d{6}[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y]", _fi),
    ("A9999999A", r"[STFGM]\d{7}[A-Z]", _sg),
    ("999.999.999-99", r"\d{3}\.\d{3}\.\d{3}-\d{2}", _br),
    ("999999999999999999,99999999999999999A", r"[1-9]\d{5}(?:18|19|20)\d{9}[\dXx]", _cn),
    ("9 99 99 99 999 999 99,9 99 99 9A 999 999 99", r"[12] \d{2} (?:0[1-9]|1[0-2]|[2-9]\d) (?:\d{2}|2[AB]) \d{3} \d{3} \d{2}", _fr),
    ("999.9999.9999.99", r"756\.\d{4}\.\d{4}\.\d{2}", _ch),
    ("99.99.99-999.99", r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}", _be),
    ("999999-9999,999999+9999,99999999-9999,99999999+9999", r"(?:19|20)?\d{6}[-+]\d{4}", _se),
    ("999999/9999", r"\d{6}/\d{4}", _cz),
    ("999999-9999999", r"\d{6}-[1-8]\d{6}", _kr),
    ("99.999.999-9,99.999.999-A,9.999.999-9,9.999.999-A", r"\d{1,2}\.\d{3}\.\d{3}-[\dKk]", _cl),
    ("99-99999999-9", r"(?:20|2[3-7]|30|33|34)-\d{8}-\d", _ar),
    ("999-999-999 99", r"\d{3}-\d{3}-\d{3} \d{2}", _snils),
    ("A999999999", r"[A-Z][1289]\d{8}", _tw),
    ("A999999(9),A999999(A)", r"[A-Z]{1,2}\d{6}\([0-9A]\)", _hk),
    ("AAAA999999AAAAAA", r"[A-Z][AEIOUX][A-Z]{2}\d{6}[HM][A-Z]{5}[A-Z0-9]\d", _curp),
    ("AAAAA9999A", r"[A-Z]{3}[ABCFGHJLPT][A-Z]\d{4}[A-Z]", _pan),
    ("9AA9AA9AA99,9AA9-AA9-AA99,9A99AA9AA99,9A99-AA9-AA99,9AA9A99AA99,9AA9-A99-AA99,9A99A99AA99,9A99-A99-AA99",
     r"[1-9][AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\d-?[AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\d-?[AC-HJKMNP-RT-Y]{2}\d{2}", _pan),
    ("9-9999-99999-99-9", r"\d-\d{4}-\d{5}-\d{2}-\d", _th),
)  # fmt: skip
SHAPES: Final[tuple[tuple[bytes, re.Pattern[str], Check], ...]] = tuple(
    (literal.encode(), re.compile(rf"(?<![A-Za-z0-9._/-]){pattern}(?![A-Za-z0-9]|[-.]\d)"), check)
    for literals, pattern, check in _ROWS
    for literal in literals.split(",")
)

# Bare digits by length: valid for some country, so a number when an announcing word stands near.
BY_LENGTH: Final[dict[int, tuple[Check, ...]]] = {
    9: (luhn, _tfn, _nl, _pt, _il),
    10: (_se, _dk, _cz, _medicare, nhs, _bg),
    11: (_pl, _tr, iso7064_mod11_10, _br, _no, _be, _ee, _ar, _medicare, _snils),
    12: (verhoeff, _se, _inn, _jp),
    13: (_kr, _th, _za, _ro, _ch),
    15: (_fr,),
    18: (_cn,),
}


def bare(value: str) -> str:
    """The characters that count: no separators, capitals."""
    return re.sub(r"[ ./:()+-]", "", value).upper()


def valid_digits(digits: str) -> bool:
    """True when some country's check accepts these digits."""
    return len(set(digits)) > 2 and any(check(digits) for check in BY_LENGTH.get(len(digits), ()))


def valid_shape(check: Check, value: str) -> bool:
    """The check on a matched shape; malformed input is simply invalid."""
    try:
        return check(value if check is _fi else bare(value))
    except (ValueError, IndexError, KeyError):
        return False
