"""Check digits: each takes the bare characters of an identifier and says whether they belong together."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

_LUHN_DOUBLE: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_V_D: Final = tuple(
    tuple(int(c) for c in row)
    for row in (
        "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
        "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
    )
)  # fmt: skip
_V_P: Final = tuple(
    tuple(int(c) for c in row)
    for row in (
        "0123456789", "1576283094", "5803796142", "8916043527",
        "9453126870", "4286573901", "2793806415", "7046913258",
    )
)  # fmt: skip
# ISO 13616 lengths; a country outside the list is refused.
IBAN_LENGTHS: Final[dict[str, int]] = {
    k: int(v) for k, v in (
        e.split(":") for e in ["AD:24", "AE:23", "AL:28", "AT:20", "AZ:28", "BA:20", "BE:16", "BG:22", "BH:22", "BI:27", "BR:29", "BY:28", "CH:21", "CR:22", "CY:28", "CZ:24", "DE:22", "DJ:27", "DK:18", "DO:28", "EE:20", "EG:29", "ES:24", "FI:18", "FK:18", "FO:18", "FR:27", "GB:22", "GE:22", "GI:23", "GL:18", "GR:27", "GT:28", "HN:28", "HR:21", "HU:28", "IE:22", "IL:23", "IQ:23", "IS:26", "IT:27", "JO:30", "KW:30", "KZ:20", "LB:28", "LC:32", "LI:21", "LT:20", "LU:20", "LV:21", "LY:25", "MC:27", "MD:24", "ME:22", "MK:19", "MN:20", "MR:27", "MT:31", "MU:30", "NI:28", "NL:18", "NO:15", "OM:23", "PK:24", "PL:28", "PS:29", "PT:25", "QA:29", "RO:24", "RS:22", "RU:33", "SA:24", "SC:31", "SD:18", "SE:24", "SI:19", "SK:24", "SM:27", "SO:23", "ST:25", "SV:28", "TL:23", "TN:24", "TR:26", "UA:29", "VA:22", "VG:24", "XK:20", "YE:30"]
    )
}  # fmt: skip
_B58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def luhn(digits: str) -> bool:
    """The mod-10 check of cards, SIN, Swedish numbers, IMEI."""
    total = 0
    for i, c in enumerate(reversed(digits)):
        d = ord(c) - 48
        total += _LUHN_DOUBLE[d] if i & 1 else d
    return total % 10 == 0


def verhoeff(digits: str) -> bool:
    """The dihedral check of Aadhaar."""
    c = 0
    for i, ch in enumerate(reversed(digits)):
        c = _V_D[c][_V_P[i % 8][ord(ch) - 48]]
    return c == 0


def mod97(chars: str) -> bool:
    """ISO 7064 MOD 97-10 over letters and digits, check digits at the end."""
    return int("".join(str(int(c, 36)) for c in chars)) % 97 == 1


def iban(chars: str) -> bool:
    """Country length and MOD 97 of an IBAN without separators, in capitals."""
    return IBAN_LENGTHS.get(chars[:2]) == len(chars) and chars[2:4].isdigit() and mod97(chars[4:] + chars[:4])


def weighted(digits: str, weights: Sequence[int]) -> int:
    """Sum of digits by weights."""
    return sum((ord(d) - 48) * w for d, w in zip(digits, weights, strict=False))


def mod11(digits: str) -> bool:
    """The plain mod-11 check (weights 2, 3, 4 … from the right, last digit the check; X is 10)."""
    body, check = digits[:-1], digits[-1]
    if not body.isdigit():
        return False
    total = sum((ord(d) - 48) * w for w, d in enumerate(reversed(body), 2))
    want = (11 - total % 11) % 11
    return (10 if check in "Xx" else int(check) if check.isdigit() else -1) == want


def iso7064_mod11_10(digits: str) -> bool:
    """ISO 7064 MOD 11,10: German tax number, Croatian OIB."""
    p = 10
    for c in digits[:-1]:
        s = (ord(c) - 48 + p) % 10 or 10
        p = s * 2 % 11
    return (11 - p) % 10 == ord(digits[-1]) - 48


def base58_size(text: str) -> int:
    """Bytes that base58 characters hold; 0 when one is none of the alphabet. A Solana key holds 32."""
    n = 0
    for c in text:
        v = _B58.find(c)
        if v < 0:
            return 0
        n = n * 58 + v
    return len(text) - len(text.lstrip("1")) + (n.bit_length() + 7) // 8


def base58check(text: str) -> bool:
    """The check of Bitcoin's legacy addresses and of the coins that took them over; Zcash has a byte more."""
    n = 0
    for c in text:
        v = _B58.find(c)
        if v < 0:
            return False
        n = n * 58 + v
    size = 26 if text[0] == "t" else 25
    if n.bit_length() > 8 * size:
        return False
    raw = n.to_bytes(size, "big")
    return hashlib.sha256(hashlib.sha256(raw[:-4]).digest()).digest()[:4] == raw[-4:]


def bech32(text: str) -> bool:
    """Bech32 and bech32m (segwit addresses): the polymod is 1 or 0x2bc830a3."""
    low = text.lower()
    hrp, _, data = low.rpartition("1")
    if not hrp or any(c not in _BECH for c in data):
        return False
    values = [ord(c) >> 5 for c in hrp] + [0] + [ord(c) & 31 for c in hrp] + [_BECH.index(c) for c in data]
    chk = 1
    for v in values:
        top = chk >> 25
        chk = (chk & 0x1FFFFFF) << 5 ^ v
        for i, g in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            if top >> i & 1:
                chk ^= g
    return chk in (1, 0x2BC830A3)
