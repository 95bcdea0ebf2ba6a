"""Identifiers of people: SSN, ITIN, NINO, NHS, national ids, passports, licences, dates of birth."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from . import national
from .cues import Cue, near, values_after
from .text import NUMBERED, Doc, Hits

SSN: Final = Cue(
    "ssn ssns",
    "social security",
    "soc sec",
    "seguro social",
    "sécurité sociale us",
    "sozialversicherungsnummer (us",
)
ITIN: Final = Cue("itin itins", "individual taxpayer", "taxpayer identification", "taxpayer id")
NINO: Final = Cue(
    "nino",
    "national insurance",
    "ni number",
    "ni no",
    "ni-number",
    "insurance number",
    "ni nr",
    "ni#",
    "ni_number",
    "national_insurance",
)
NHS: Final = Cue("nhs", "nhs number", "health service number")
PASSPORT: Final = Cue(
    "passport passports reisepass passeport pasaporte passaporto passaporte paspoort paszport paszportu pasaport passi útlevél pașaport "
    "паспорт паспорта паспорту паспортные pasaporttan pasaportu paspoortnr paspoortnummer passinumero passportno passportid passnr passaporti paszportem passportnr reisepassnr reisepassnummer passnummer passportnumber", "travel document", "cestovní pas", "passport#", "passeport_no", "passport id", "护照", "護照", "パスポート", "旅券", "여권", "جواز", "הדרכון", "דרכון", "διαβατηρίου", "passport_no", "passport_number", "hộ chiếu",
)  # fmt: skip
LICENCE: Final = Cue(
    "führerschein fuehrerschein führerscheinnummer führerscheinnr rijbewijs rijbewijsnummer körkort körkortsnummer førerkort førerkortnummer kørekort kørekortnummer ajokortti ajokortin cnh brevet patente driverlicense driverslicense driverlicensenumber driverslicensenumber licensenumber licencenumber licenseno drivinglicence licencia",
    "driver's licen", "drivers licen", "driver licen", "driving licen", "driver_licen", "driverslicen", "licence no", "license no", "licence number",
    "license number", "licence #", "license #", "permis de conduire", "licencia de conducir", "licencia de conduc", "permiso de conducir", "carnet de conducir",
    "patente di guida", "carteira de motorista", "carta de condução", "carteira de habilitação", "prawo jazdy", "prawa jazdy", "sürücü belge", "ehliyet",
    "водительск", "運転免許", "驾驶证", "驾照", "운전면허", "dl number", "dl no", "dl#", "dl:", "dvla", "driver_license", "drivers_license", "driving_licence", "driver-license", "driver license", "řidičsk", "vezetői engedély", "permis de condu",
)  # fmt: skip
NATIONAL_PHRASES: Final = (
    "national id", "national identi", "registre national", "niss", "personas kods", "asmens kodas", "sozialversicherungsnr", "tax code", "numer pesel", "citizen id", "citizenship number", "social security number of", "national registration", "numero de seguridad", "número de la seguridad", "tc no", "t.c. kimlik", "kimlik", "id number", "id no", "id card", "id-number", "id nr", "identity number", "identity card", "identity code", "identity no", "identification number",
    "identifikationsnummer", "personal number", "personal code", "personal id", "social insurance", "tax id", "tax file", "tax number", "tax ident", "taxpayer", "steuer-id", "steuer id", "sozialversicherung", "versichertennummer",
    "sécurité sociale", "numéro de sécu", "codice fiscale", "seguridad social", "registro geral", "número de identi", "documento de identi", "carte d'identité", "carta d'identità",
    "resident registration", "my number", "マイナンバー", "個人番号", "身份证", "身分證", "주민등록", "주민번호", "rodné číslo", "rodne cislo", "kimlik no", "thai id", "south african id", "rsa id", "ид номер",
    "personenkennzeichen", "medicare id", "health card", "health insurance", "insurance id", "member id", "patient id", "teudat zehut", "תעודת זהות", "الهوية", "رقم الهوية", "national_id", "nationalid", "id_number", "tax_id", "taxid", "personal_id", "αμκα", "αφμ", "เลขบัตร", "เลขประจำตัว", "permanent resident", "id code", "बैंक आधार", "आधार",
)  # fmt: skip
NATIONAL: Final = Cue(
    "adószám adójel tajszám rijksregisternummer rijksregister rrn philhealth sss umid gsis рнокпп іпн інн niss nisz rsin nhi ird afpn rodnécislo ssnr svnr sozialversicherungsnummer steueridentifikationsnummer personalausweisnr ausweisnr nrn cni aadhaar aadhar aadhaarnummer pesel bsn burgerservicenummer cpf cuit cuil dni nie nif nss curp rfc rut run personnummer personnumret pnr cpr fodselsnummer "
    "fødselsnummer kennitala henkilötunnus hetu steuerid steuernummer idnr ahv avs nir sin nas tfn medicare pan mbi nric fin mykad nik ktp jmbg oib cnp egn "
    "amka afm pps ppsn rrn snils снилс инн emso isikukood tnin teudat cédula cedula kimlik tckn hkid npi abn ird bvn nin codice svnr isikukood asmens kodas "
    "личный tin mrn tajszám adóazonosító rodné rodne nino edipi personalausweis ausweisnummer personalausweisnummer identiteetti identitetsnummer identification id",
    *NATIONAL_PHRASES,
)  # fmt: skip
_WEAK_WORDS: Final = frozenset(
    [
        "id",
        "sin",
        "pan",
        "fin",
        "rut",
        "run",
        "nin",
        "tin",
        "pps",
        "abn",
        "codice",
        "medicare",
        "personal",
        "identification",
        "mrn",
    ]
)
BIRTH: Final = Cue(
    "nací nasci nacio nasceu naissance naissances nasc nacimento geburt geburtstags dateofbirth geboortedag födelsedag fødselsdag születés dob born birthday birthdate birthday's geboren geburtsdatum geburtstag geb née nacido nacida nacimiento nascido nascida nascimento nato nata "
    "geboortedatum född födelsedatum født fødselsdato syntynyt syntymäaika urodzony urodzona urodzenia narozen narozena narození doğum születési "
    "născut născută nașterii рожд родился родилась рождения народився gimęs dzimis sündinud",
    "date of birth", "d.o.b", "date_naissance", "fecha_nac", "data_nasc", "birth-date", "birth date", "born on", "birth date", "date_of_birth", "birth_date", "dateofbirth", "birthdate", "birth_day", "né le", "née le", "date de naissance", "fecha de nac", "data di nascita",
    "data de nasc", "생년월일", "生年月日", "出生", "誕生日", "วันเกิด", "ngày sinh", "تاريخ الميلاد", "ημερομηνία γέννησης", "תאריך לידה", "जन्म", "tanggal lahir", "tarikh lahir",
)  # fmt: skip

_SSN: Final = re.compile(r"(?<![\w.-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w]|-\d)")
_ITIN: Final = re.compile(r"(?<![\w.-])9\d{2}-(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])-\d{4}(?![\w]|-\d)")
_NINO_GROUPED: Final = re.compile(
    r"(?<![A-Za-z0-9])[A-CEGHJ-PR-TW-Za-ceghj-pr-tw-z][A-CEGHJ-NPR-TW-Za-ceghj-npr-tw-z](?: \d{2} \d{2} \d{2} |-\d{2}-\d{2}-\d{2}-)[A-Da-d](?![A-Za-z0-9])"
)
_NINO: Final = re.compile(r"(?:[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z])\d{6}[A-D]?\Z")
_UK_LICENCE: Final = re.compile(
    r"(?<![A-Za-z0-9])[A-Za-z9]{5}\d(?:0[1-9]|1[0-2]|5[1-9]|6[0-2])(?:0[1-9]|[12]\d|3[01])\d[A-Za-z9]{2}[A-Za-z0-9]{3}(?![A-Za-z0-9])"
)
_YEAR: Final = r"(?:19[1-9]\d|20[0-2]\d)"
_DATE: Final = re.compile(
    rf"(?:{_YEAR}[-/.]\d{{1,2}}[-/.]\d{{1,2}}|\d{{1,2}}[-/.]\s?\d{{1,2}}[-/.]\s?(?:{_YEAR}|\d{{2}}(?!\d))|{_YEAR}\s?[年년]\s?\d{{1,2}}\s?[月월]\s?\d{{1,2}}\s?[日일]?"
    rf"|\d{{1,2}}(?:st|nd|rd|th|\.|er|º|ª)?[ -](?:of |de |d')?[^\W\d_]{{3,12}}\.?,?[ -](?:de |del )?{_YEAR}|[^\W\d_]{{3,12}}\.?[ -]\d{{1,2}}(?:st|nd|rd|th)?,?[ -]\s?{_YEAR}|(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2]){_YEAR}|{_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))(?!\d)"
)
_DATE_AFTER: Final = re.compile(r"[^\n\d]{0,34}\n?[^\n\d]{0,6}?")


def _at_shapes(doc: Doc, literal: bytes, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
    shape = doc.shape
    at = shape.find(literal)
    while at >= 0:
        m = pattern.match(doc.text, at)
        if m is not None:
            yield m
        at = shape.find(literal, at + len(literal))


def _find_fixed(doc: Doc, hits: Hits) -> None:
    shape, numbered = doc.shape, doc.numbered
    if b"999-99-9999" in numbered:
        for m in _at_shapes(doc, b"999-99-9999", _SSN):
            told = "ssn is" in doc.lower[max(0, m.start() - 8) : m.start()]
            if told or m.group() not in _SAMPLE_SSN:
                hits.add("us_ssn", m.start(), m.end())
        for m in _at_shapes(doc, b"999-99-9999", _ITIN):
            hits.add("us_itin", m.start(), m.end())
    if b"99 99 99" in shape or b"AA-99-99-99-A" in numbered:
        for literal in (b"AA 99 99 99 A", b"AA-99-99-99-A"):
            for m in _at_shapes(doc, literal, _NINO_GROUPED):
                hits.add("uk_nino", m.start(), m.end())
    at = shape.find(b"999999") if b"999999" in numbered else -1
    while at >= 0:  # the licence's letters may be padded with nines, so look from its six digits back
        licence = _UK_LICENCE.match(doc.text, at - 5) if at >= 5 else None
        if licence is not None:
            hits.add("driver_license", licence.start(), licence.end())
        at = shape.find(b"999999", at + 6)
    for literal, run, pattern, check in _SHAPES:
        if (run not in numbered) if run else (literal not in shape):
            continue
        for m in _at_shapes(doc, literal, pattern):
            if national.valid_shape(check, m.group()):
                hits.add("national_id", m.start(), m.end())


# With the part of each that is looked up among the runs of the text that hold a digit; empty: no part is long enough.
_SHAPES: Final = tuple(
    (
        literal,
        next((run for run in literal.split() if len(run) >= NUMBERED and b"9" in run), b""),
        pattern,
        check,
    )
    for literal, pattern, check in national.SHAPES
)
# Numbers printed in every manual (Woolworth's wallet, advertisements).
_SAMPLE_SSN: Final = frozenset({"123-45-6789", "078-05-1120", "219-09-9999", "987-65-4320"})


# German passports and identity cards: consonants and digits, often one digit only.
_SCARCE: Final = re.compile(
    r"[\s:#=.\"'n°º-]{0,6}(?:is|no|nr|nummer|number|numéro)?\.?[\s:#=\"'°º]{1,4}([CFGHJKLMNPRTVWXYZ][0-9CFGHJKLMNPRTVWXYZ]{8,9})(?![A-Za-z0-9])",
    re.IGNORECASE,
)


def _scarce(doc: Doc, end: int, kind: str, hits: Hits) -> None:
    m = _SCARCE.match(doc.text, end, end + 40)
    if m is not None and m.group(1).isupper() and any(map(str.isdigit, m.group(1))):
        hits.add(kind, *m.span(1))


def _announced(
    doc: Doc, cue: Cue, kind: str, hits: Hits, accept: re.Pattern[str], digits: tuple[int, int]
) -> None:
    for end in cue.ends(doc):
        if kind == "passport":
            _scarce(doc, end, kind, hits)
        for start, stop in values_after(doc, end):
            value = national.bare(doc.text[start:stop])
            n = sum(map(str.isdigit, value))
            if accept.match(value) and digits[0] <= n <= digits[1]:
                hits.add(kind, start, stop)
            else:
                break


_NINE: Final = re.compile(r"(?!0{3}|\d{3}00|\d{5}0{4})\d{9}\Z")
_TEN: Final = re.compile(r"\d{10}\Z")
_ITIN_BARE: Final = re.compile(r"9\d{8}\Z")
_PASS_SHAPE: Final = re.compile(
    r"(?=.{6,12}\Z)[A-Z]{0,3}\d{5,10}[A-Z]{0,2}\Z|\d{2}[A-Z]{2}\d{5}\Z|(?=[A-Z0-9]{8,9}\Z)[A-Z]+\d[A-Z0-9]*\Z"
)
_LICENCE_SHAPE: Final = re.compile(r"[A-Z0-9]{5,20}\Z")
_ID_SHAPE: Final = re.compile(r"[A-Z0-9]{6,20}\Z")
_NINO_SHAPE: Final = _NINO


_PAN_SHAPE: Final = re.compile(r"[A-Z]{5}\d{4}[A-Z]\Z")
_WEAK_GAPS: Final = frozenset(
    [
        "",
        "is",
        "number",
        "no",
        "nr",
        "number is",
        "es",
        "no. is",
        "no.",
        "nr.",
        "num",
        "code",
        "code is",
        "card",
        "card no",
        "card number",
        "no is",
        "#",
    ]
)


def _find_national_by_cue(doc: Doc, hits: Hits) -> None:
    words, phrases = NATIONAL.present(doc)
    ends = {end: word in _WEAK_WORDS for word in words for end in doc.word_ends(word)}
    ends |= {at + len(phrase): False for phrase in phrases for at in doc.occurrences(phrase)}
    for end, weak in ends.items():
        if not weak:
            _scarce(doc, end, "national_id", hits)
        for start, stop in values_after(doc, end):
            value = national.bare(doc.text[start:stop])
            n = sum(map(str.isdigit, value))
            if (
                not _ID_SHAPE.match(value)
                or n < 4
                or (n < 5 and len(value) < 9)
                or (value.isdigit() and len(value) > 16)
            ):
                break
            checked = value.isdigit() and national.valid_digits(value)
            between = doc.lower[end:start]
            if weak:
                gap = between.strip(" \t:#=.\"'`")
                # "item_id" and "id 4711" are anybody's; "SIN 130 692 544" needs its check digit, "PAN number is …" does not
                head = doc.lower[max(0, end - 20) : end]
                if head.endswith("id") and (head.endswith(("_id", "-id", ".id")) or len(value) < 11):
                    break
                plain = head.endswith((" id", "mrn", "_id"))
                shaped = _PAN_SHAPE.match(value) or (head.endswith(("nin", "ppsn", "nss")) and n >= 10)
                if gap not in _WEAK_GAPS or not (checked or shaped or (gap and not plain)):
                    break
            elif len(between) > 40 and not checked:
                break
            hits.add("national_id", start, stop)


_BARE_RUN: Final = re.compile(r"\d(?:[ .:-]?\d){8,17}(?![\w])")


def _find_national_near(doc: Doc, hits: Hits) -> None:
    spots = _STRONG_NEAR.spots(doc)
    if not spots:
        return
    for m in _BARE_RUN.finditer(doc.text):
        if m.start() and (doc.text[m.start() - 1].isalnum() or doc.text[m.start() - 1] in "._"):
            continue
        digits = national.bare(m.group())
        if near(spots, m.start(), m.end()) and digits.isdigit() and national.valid_digits(digits):
            hits.add("national_id", m.start(), m.end())


_STRONG_NEAR: Final = Cue(" ".join(NATIONAL.words - _WEAK_WORDS), *NATIONAL_PHRASES)


def _find_birth(doc: Doc, hits: Hits) -> None:
    for end in BIRTH.ends(doc):
        gap = _DATE_AFTER.match(doc.text, end)
        stop = gap.end() if gap else end
        m = _DATE.search(doc.text, end, min(len(doc.text), stop + 24))
        if m is None or m.start() > stop:
            # month-name dates start with letters, so the gap may have eaten the month
            m = _DATE.search(doc.text, end, end + 60)
        if m is not None and not re.search(
            r"\d|[.!?]\s+(?!It's |It is )[A-Z]|\n\n", doc.text[end : m.start()]
        ):
            hits.add("date_of_birth", m.start(), m.end())


def find(doc: Doc, hits: Hits) -> None:
    """All of the family; nothing here without a digit in the text."""
    digits = doc.shape.count(b"9")
    if not digits:
        return
    if digits < 4:
        for end in PASSPORT.ends(doc):
            _scarce(doc, end, "passport", hits)
        for end in _STRONG_NEAR.ends(doc):
            _scarce(doc, end, "national_id", hits)
        return
    _find_fixed(doc, hits)
    _announced(doc, SSN, "us_ssn", hits, _NINE, (9, 9))
    _announced(doc, ITIN, "us_itin", hits, _ITIN_BARE, (9, 9))
    _announced(doc, NINO, "uk_nino", hits, _NINO_SHAPE, (6, 6))
    _announced(doc, NHS, "uk_nhs", hits, _TEN, (10, 10))
    _announced(doc, PASSPORT, "passport", hits, _PASS_SHAPE, (1, 10))
    _announced(doc, LICENCE, "driver_license", hits, _LICENCE_SHAPE, (4, 16))
    _find_national_by_cue(doc, hits)
    _find_national_near(doc, hits)
    _find_birth(doc, hits)
