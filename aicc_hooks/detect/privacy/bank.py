"""Payment cards, IBANs and crypto wallets: fixed shapes with a check digit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from . import checks
from .shape import is_placeholder
from .text import Doc, Hits, ask_for

_IBAN: Final = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,36}")
# By their checksum alone: Bitcoin, Litecoin, Dogecoin, Dash, Tron, Zcash
_BTC: Final = re.compile(r"[13LMDXTt][1-9A-HJ-NP-Za-km-z]{25,34}(?![A-Za-z0-9])")
_BECH: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:bc|tb|bcrt|ltc|addr|stake|cosmos|osmo|juno|inj|terra|celestia|bnb)1[02-9ac-hj-np-z]{25,110}(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_ETH: Final = re.compile(r"(?<![A-Za-z0-9])0x[0-9a-fA-F]{40}(?![A-Za-z0-9])")
_OTHER_COINS: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:T[1-9A-HJ-NP-Za-km-z]{33}|[LM][1-9A-HJ-NP-Za-km-z]{33}|D[1-9A-HJ-NP-Za-km-z]{33}|[48][0-9AB][1-9A-HJ-NP-Za-km-z]{93}(?:[1-9A-HJ-NP-Za-km-z]{11})?|1[1-9A-HJ-NP-Za-km-z]{46,47}|[EU]Q[A-Za-z0-9_-]{46}|addr1[0-9a-z]{50,110}|r[1-9A-HJ-NP-Za-km-z]{24,34})(?![A-Za-z0-9])"
)
# first digits → lengths of the card networks
_NETWORKS: Final = re.compile(
    r"(?:4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]|2[2-7])\d{14}|3[47]\d{13}|3(?:0[0-59]|[689]\d)\d{11}(?:\d{2})?"
    r"|6(?:011|5\d\d|4[4-9]\d)\d{12}(?:\d{3})?|35\d{14}|(?:2131|1800)\d{11}|62\d{14,17}|(?:50|5[6-9]|6[0-9])\d{10,17}|9792\d{12}|220[0-4]\d{12})\Z"
)
_CARD_CUE: Final = ("card", "visa", "master", "amex", "american express", "kredit", "carte", "tarjeta", "cartão", "cartao", "carta", "kaart", "kort",
                    "karta", "kart", "карт", "カード", "信用卡", "카드", "pay", "pan", "credit", "debit", "cc", "diners", "discover", "maestro", "charge")  # fmt: skip
_NOT_CARD_CUE: Final = re.compile(
    r"(?:order|ref|reference|invoice|tracking|track|shipment|parcel|ticket|booking|isbn|ean|upc|gtin|serial|imei|account|acct|transaction|case|part|sku|"
    r"timestamp|epoch|id|uuid|seed|commit|build|po|batch|lot|bestellung|commande|pedido|iccid|vin)\b[^\n]{0,14}\Z",
    re.IGNORECASE,
)


_ETH_WORDS: Final = frozenset(
    """
    wallet wallets eth ether ethereum send sent address addresses usdt usdc erc metamask tx txn transaction transactions
    exchange crypto blockchain deposit withdraw withdrawal coinbase binance kraken ledger donate donation recipient pay paid
    payment polygon matic bsc bnb arbitrum
    """.split()  # noqa: SIM905
)
_SOLANA_WORDS: Final = frozenset(["solana", "sol", "phantom", "spl", "wallet", "wallets", "tx", "lamports"])
_COIN_WORDS: Final = frozenset(
    """
    wallet wallets monero xmr tron trx litecoin ltc doge dogecoin ripple xrp cardano ada usdt polkadot dot ton toncoin
    crypto tx donate donation
    """.split()  # noqa: SIM905
)
ask_for(_ETH_WORDS | _COIN_WORDS | _SOLANA_WORDS)


def card(digits: str) -> bool:
    """Network prefix, length and Luhn."""
    return _NETWORKS.match(digits) is not None and checks.luhn(digits) and len(set(digits)) > 1


def announced_card(doc: Doc, start: int, digits: str) -> bool:
    """A card by its checks that a word before it calls one."""
    before = doc.lower[max(0, start - 48) : start]
    return card(digits) and any(w in before for w in _CARD_CUE)


def judge_card(doc: Doc, start: int, digits: str, gap: str) -> bool:
    """A number is a card by its checks, unless the words before call it something else."""
    before = doc.lower[max(0, start - 48) : start]
    if not card(digits):
        return (
            "card" in before[-24:]
            and 12 <= len(digits) <= 19
            and len(set(digits)) > 2
            and checks.luhn(digits)
        )
    cue = any(w in before for w in _CARD_CUE)
    if cue:
        return True
    if _NOT_CARD_CUE.search(before):
        return False
    grouped = "-" in gap or " " in gap
    issued = digits[0] in "3456" and len(digits) in (14, 15, 16)
    if not grouped and digits[:2] in ("16", "17"):
        return False
    return (
        grouped
        or issued
        or (len(digits) == 13 and digits[0] == "4")
        or digits[:4] in ("2131", "1800")
        or 2221 <= int(digits[:4]) <= 2720
    )


def _ibans(doc: Doc) -> Iterator[re.Match[str]]:
    shape = doc.shape
    at = shape.find(b"AA99")
    while at >= 0:
        m = _IBAN.match(doc.text, at)
        if m is not None:
            yield m
        at = shape.find(b"AA99", at + 4)


def find_iban(doc: Doc, hits: Hits) -> None:
    """The longest valid IBAN at each candidate; capitals or not, blanks and dashes allowed."""
    for m in _ibans(doc):
        country = m.group()[:2].upper()
        want = checks.IBAN_LENGTHS.get(country)
        if want is None:
            continue
        chars: list[str] = []
        end = m.start()
        for i in range(m.start(), m.end()):
            if doc.text[i] not in " -":
                chars.append(doc.text[i].upper())
                end = i + 1
                if len(chars) == want:
                    break
        if len(chars) == want and not doc.text[end : end + 1].isalnum() and checks.iban("".join(chars)):
            hits.add("iban", m.start(), end)


_PREFIXES: Final = (
    "bc1", "tb1", "bcrt1", "ltc1", "addr1", "stake1", "cosmos1", "osmo1", "juno1", "inj1", "terra1", "celestia1", "bnb1",
)  # fmt: skip
# Stellar is 56 letters and digits of base32; Bitcoin Cash names itself.
_SELF_EVIDENT: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:G[A-D][A-Z2-7]{54}|(?:bitcoincash|bchtest):[qp][02-9ac-hj-np-z]{41})(?![A-Za-z0-9])"
)
_SOLANA: Final = re.compile(r"(?<![A-Za-z0-9_/+-])[1-9A-HJ-NP-Za-km-z]{42,44}(?![A-Za-z0-9_/+=-])")


def find_wallets(doc: Doc, hits: Hits) -> None:
    """Bitcoin by its checksums; other coins by shape with a word about money near."""
    text, lower = doc.text, doc.lower
    for long_start, long_end in doc.long_spans():
        if long_end - long_start < 26:
            continue
        for m in _BTC.finditer(text, long_start, long_end):
            if (m.start() == 0 or not text[m.start() - 1].isalnum()) and checks.base58check(m.group()):
                hits.add("crypto_wallet", m.start(), m.end())
        if long_end - long_start >= 54:
            for m in _SELF_EVIDENT.finditer(text, long_start, long_end):
                hits.add("crypto_wallet", m.start(), m.end())
    if any(prefix in lower for prefix in _PREFIXES):
        for m in _BECH.finditer(text):
            if checks.bech32(m.group()):
                hits.add("crypto_wallet", m.start(), m.end())
    if "0x" in text and doc.known & _ETH_WORDS:
        for m in _ETH.finditer(text):
            if not is_placeholder(m.group()[2:]):
                hits.add("crypto_wallet", m.start(), m.end())
    if doc.known & _SOLANA_WORDS:
        for m in _SOLANA.finditer(text):
            if checks.base58_size(m.group()) == 32 and any(map(str.isdigit, m.group())):
                hits.add("crypto_wallet", m.start(), m.end())
    if doc.known & _COIN_WORDS:
        for m in _OTHER_COINS.finditer(text):
            hits.add("crypto_wallet", m.start(), m.end())


def find(doc: Doc, hits: Hits) -> None:
    """IBANs and wallets; cards come with the other numbers."""
    find_iban(doc, hits)
    find_wallets(doc, hits)
