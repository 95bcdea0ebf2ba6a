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
    f"⟦vck_{rnd(56)}⟧ is our gateway key",
    f"AQ key ⟦AQ.Ab8RN6{rnd(44)}⟧",
    f"az: ⟦{rnd(52)}JQQJ99BDAC{rnd(12)}AAABACOG{rnd(4)}⟧",
    f"storage ⟦{rnd(76)}+ASt{rnd(6)}==⟧",
    f"acme ⟦acme_live_aB3{rnd(30)}⟧",  # a vendor nobody listed
    f"//registry.example.org/:_authToken=⟦{hexes(8)}-{hexes(4)}-{hexes(4)}-{hexes(4)}-{hexes(12)}⟧",
    f'{{"kty":"EC","crv":"P-256","d":"⟦{rnd(43)}⟧"}}',
    "my PAYMENTS_TOKEN is ⟦Zq8vT3xLk29sWm4Rb7Yc⟧",
    "CREATE USER ann IDENTIFIED BY '⟦Blau-Kiwi22⟧'",
    "echo '⟦Muffin-lampe22⟧' | sudo -S apt update",
    'requests.get(url, auth=("ann", "⟦2OnYOM88YyMS⟧"))',
    'psk="⟦Zebra-horse11⟧"',
    "ConvertTo-SecureString '⟦n4NoP1G5AT1ro⟧' -AsPlainText",
    "jdbc:oracle:thin:ann/⟦yPIA7UQ3pQA⟧@db:1521/x",
    "it is still ⟦Blau-Kiwi22⟧ as the root password",
    "Das WLAN-Passwort ist ⟦cwl6gdoq#22⟧",
    "mon mot de passe c'est ⟦cj27lur7#82⟧",
    "password: ⟦C0OzFRxh)wq9⟧",
    "Tel: ⟦(899)851-4810x7137⟧",
    "call ⟦(535) 228-2482 ext. 963⟧",
    "+ puhelin ⟦(+358) 328252027⟧",
    '"nhs_number": "⟦4857773456⟧"',
    '"passportNo": "⟦C4JYJ1FLZ⟧"',
    "Reisepass-Nr. ⟦CV5PKXWNZ⟧",
    "PAN: ⟦DWYPA7761G⟧",
    "rijksregisternummer: ⟦82061599825⟧",
    "nací el ⟦4 de marzo de 1941⟧",
    "What's your DOB? It's ⟦22-Mar-1991⟧.",
    "Author: ⟦Robert May⟧",
    "Hi, I'm ⟦Ataahua Brown⟧.",
    "⟦Tomoko Farrell⟧ wrote:\n> ok",
    "The tenant, ⟦Ria Sehgal⟧, moved out",
    "⟦75 Joe Copse, Murphyside 8436⟧",
    "⟦Flat 74V, Taylor Common, Rachaelfort, L0J 6RD⟧",
    "Send the package to ⟦321 Collins Mount, Wheelerburgh, SD 65876⟧.",
    "Adres: ⟦Romyring 1, 9895KH Foxhol⟧",
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


CLEAN = [
    f"cache key: {hexes(64)}",
    f"key id: {hexes(32)}",
    f'hash_key = "{hexes(32)}"',
    "GET /x key=users/1552e372-eee8-4a54-a7f8-e7ebe9893122",
    "password: vault:secret/data/db#password",
    "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-0FOLDJ",
    '"NextToken": "WGDY7ko8fQXdlaUZVdasFQ1RVSagyIFn770XQOzdUIcO9BY6ucBG9"',
    "hesap:parola:UID:GID:GECOS:dizin:kabuk",
    f"  keyv: {hexes(40)}",
    '"name":"a/password-prompt","version":"v8.39.3"',
    "{ 'login.password': 'Password', 'login.forgot': 'Forgot?' }",
    f"pk_live_{rnd(24)}",
    f"image: reg.example.org/app-prod:{hexes(40)}",
    f'{{"id": "chatcmpl-{rnd(29)}", "call": "call_{rnd(24)}", "toolu": "toolu_01{rnd(22)}"}}',
    "SSN: 000-00-0000",
    "I use KeePass2 as my password manager",
]


@pytest.mark.parametrize("text", CLEAN, ids=range(len(CLEAN)))
def test_what_only_looks_like_a_secret_makes_nothing_private(text: str) -> None:
    assert [f for f in DETECTOR.find(text) if f.action == "route"] == []
