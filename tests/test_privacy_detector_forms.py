"""More ways the same kinds of value are written, by country, tool and language."""

from __future__ import annotations

import base64

import pytest

from aicc_hooks.detect.privacy import PrivacyConfig, PrivacyDetector
from aicc_hooks.detect.privacy.evaluate import covered

from .test_privacy_detector import ALNUM as A
from .test_privacy_detector import hexes, rnd

DETECTOR = PrivacyDetector(PrivacyConfig())
FORMS = [
    "I set the root pw to ⟦Kx7!mnQ2⟧ on the box",
    "creds: deploy / ⟦Vq8nT3xL⟧",
    "user=admin pass=⟦Sup3rS3cr3t⟧ host=10.1.2.3",
    "The passcode for the alarm is ⟦482913⟧",
    "my PIN is ⟦4821⟧",
    "password:\n⟦Tz9kLm2!q⟧",
    "| password | ⟦Fj3kd8Ls⟧ |",
    "ENV DB_PASS ⟦q8Zr2LmX⟧",
    "export PGPASSWORD='⟦m0nkeyBars!⟧'",
    "sshpass -p ⟦L0ndon2031⟧ ssh root@h",
    "<password>⟦Gh7kLp0q⟧</password>",
    '"pwd":"⟦aB3$kk91⟧"',
    "spring.datasource.password=⟦P9x2LqWz⟧",
    f"secret_key_base: ⟦{hexes(128)}⟧",
    f"DJANGO SECRET_KEY = '⟦{rnd(50, A + '!@#$%^&*(-_=+)')}⟧'",
    f"Authorization: Basic ⟦{base64.b64encode(b'admin:S3cretPw99').decode()}⟧",
    f"TWILIO_AUTH_TOKEN=⟦{hexes(32)}⟧",
    f"new Client({{ token: '⟦{rnd(32)}⟧' }})",
    f"headers = {{'x-auth-token': '⟦{rnd(28)}⟧'}}",
    f"sentry_dsn=https://⟦{hexes(32)}⟧@o12345.ingest.sentry.io/99",
    f"cookie: session=⟦{rnd(64)}⟧",
    f"https://x.blob.core.windows.net/c?sv=2022&sig=⟦{rnd(43)}%3D⟧",
    f"datadog api key ⟦{hexes(32)}⟧ not valid",
    f"AWS: aws_session_token=⟦{rnd(200, A + '/+')}⟧",
    "ftp://bob:⟦hunter99x⟧@files.example.net/",
    "jdbc:postgresql://db/x?user=a&password=⟦Zx81kk2p⟧",
    "amqps://u:⟦p%21ssw0rd⟧@mq/v",
    "mssql+pyodbc://sa:⟦Str0ng(!)Pass⟧@h/db",
    "card 5425 2334 3010 9903 → ⟦5425 2334 3010 9903⟧",
    "JCB ⟦3530 1113 3330 0000⟧",
    "NHS no: ⟦485 777 3456⟧",
    "NINO ⟦AB 12 34 56 C⟧",
    "SIN: ⟦046 454 286⟧",
    "TFN ⟦123 456 782⟧",
    "Steuer-ID ⟦86095742719⟧",
    "AHV ⟦756.9217.0769.85⟧",
    "NIR ⟦2 55 08 14 168 025 38⟧",
    "CNP ⟦1800101221144⟧",
    "OIB ⟦69435151530⟧",
    "EGN ⟦7523169263⟧",
    "CURP ⟦HEGG560427MVZRRL04⟧",
    "RUT ⟦12.531.909-2⟧",
    "NRIC ⟦S1234567D⟧",
    "HKID ⟦A123456(3)⟧",
    "주민등록번호 ⟦900101-1234568⟧",
    "マイナンバー ⟦123456789018⟧",
    "СНИЛС ⟦112-233-445 95⟧",
    "PPS number ⟦1234567T⟧",
    "isikukood ⟦37605030299⟧",
    "MBI ⟦1EG4-TE5-MK73⟧",
    "CPR-nummer ⟦070761-4285⟧",
    "fødselsnummer ⟦01010750160⟧",
    "driving licence MORGA657054SM9IJ → ⟦MORGA657054SM9IJ⟧",
    "licencia de conducir ⟦12345678⟧",
    "patente di guida ⟦U1H234567K⟧",
    "permis de conduire n° ⟦123456789012⟧",
    "Pasaporte: ⟦AAB123456⟧",
    "passeport n° ⟦12AB34567⟧",
    "护照号码：⟦E12345678⟧",
    "birth date: ⟦1990-07-14⟧",
    "fecha de nacimiento: ⟦14/07/1990⟧",
    "nata il ⟦3 maggio 1988⟧",
    "I was born ⟦July 4th, 1985⟧",
    "дата рождения: ⟦12.03.1979⟧",
    "ring me on ⟦07700 900 123⟧",
    "Tél : ⟦01 23 45 67 89⟧",
    "mobil: ⟦0171 2345678⟧",
    "móvil ⟦612 345 678⟧",
    "WhatsApp ⟦+5511987654321⟧",
    "电话：⟦138 0013 8000⟧",
    "phone=⟦5551234567⟧",
    "Fax ⟦(02) 9876 5432⟧",
    "⟦+1-800-555-0199⟧",
    "I'm ⟦Sarah Connor⟧ and",
    "Patient: ⟦Dmitri Volkov⟧",
    "Mi nombre es ⟦José Luis Fernández⟧",
    "Меня зовут ⟦Анна Петрова⟧",
    "Hi ⟦Thomas⟧,",
    "Kind regards\n⟦Ingrid Bergström⟧\nCEO",
    "From: ⟦Mark O'Brien⟧ <mark@x.org>",
    "Mit freundlichen Grüßen\n⟦Heinz Müller⟧",
    "Contact: ⟦Fatima Al-Sayed⟧",
    "我叫⟦王小明⟧",
    "employee ⟦Kenji Watanabe⟧ requested",
    "My address is ⟦742 Evergreen Terrace, Springfield, IL 62704⟧.",
    "Wohnhaft: ⟦Hauptstr. 5, 80331 München⟧",
    "Calle ⟦Mayor 12, 28013 Madrid⟧",
    "Via ⟦Garibaldi 45, 20121 Milano⟧",
    "deliver to ⟦10 Downing Street, London SW1A 2AA⟧",
    "⟦Kungsgatan 12, 111 43 Stockholm⟧",
    "ul. ⟦Marszałkowska 10, 00-590 Warszawa⟧",
    "Av. ⟦Paulista 1578, São Paulo⟧",
    "P.O. Box ⟦1234, Austin, TX 78767⟧",
    "address: ⟦55 Rue du Faubourg Saint-Honoré, 75008 Paris⟧",
]


@pytest.mark.parametrize("marked", FORMS, ids=range(len(FORMS)))
def test_value_is_found_whole_in_this_form(marked: str) -> None:
    text, spans, start = "", [], 0
    for c in marked:
        if c == "⟦":
            start = len(text)
        elif c == "⟧":
            spans.append((start, len(text)))
        else:
            text += c
    findings = DETECTOR.find(text)
    assert spans
    assert all(covered(a, b, findings) for a, b in spans), (text, findings)
