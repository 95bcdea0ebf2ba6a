"""Words of streets, boxes and flats in many languages, and words that announce an address."""

from __future__ import annotations

from typing import Final

SUFFIXES: Final = (
    "straße", "strasse", "str.", "weg", "platz", "allee", "gasse", "ring", "damm", "ufer", "chaussee", "laan", "straat", "gracht", "plein", "kade", "dijk", "singel", "vägen", "gatan",
    "vej", "vejen", "gade", "gata", "gate", "veien", "vei", "katu", "tie", "kuja", "polku", "gränd", "stíg", "utca", "u.", "út", "tér", "stræde", "bakken", "väg", "gården", "stien", "plads", "torv", "gärde", "bygata", "holm",
)  # fmt: skip
WORDS_AFTER: Final = frozenset(
    """
    street st avenue ave road rd boulevard blvd lane ln drive dr court ct place pl square sq terrace way
    parkway pkwy highway hwy circle cir close crescent gardens grove mews walk row alley hill park view
    trail loop plaza esplanade quay rise vale summit junction crossing ridge forge field fields meadows
    island islands point common chowk nagar marg heights bridge station village creek canyon manor isle cove
    haven hollow landing mall path pass pike run springs union unions valley valleys views villages vista
    wells squares streets roads stravenue turnpike rue causeway mews wynd quad copse outlook
    """.split()  # noqa: SIM905
)
WORDS_BEFORE: Final = frozenset(
    """
    rue avenue av boulevard bd chemin allée impasse quai route cours passage sentier voie via viale piazza
    corso largo vicolo contrada strada calle avenida paseo plaza camino carrer ronda rua travessa alameda
    rodovia praça estrada vila rúa loteamento feira ul al pl ulica ulice trg utca str calea bulevardul
    circunvalación callejón privada andador prolongación retorno acceso pasaje vial urbanización rambla
    jalan jl gang soi ул улица просп проспект пер вул вулиця бул residencial conjunto aeroporto colônia
    favela fazenda jardim lago lagoa morro núcleo parque pátio sítio trecho trevo vale vereda viaduto viela canale rotonda borgo stretto incrocio piazzetta cañada glorieta pasadizo cuesta
    esplanada estação distrito condomínio chácara campo área quadra setor
    """.split()  # noqa: SIM905
)
BOX_WORDS: Final = frozenset(["box", "postfach", "apartado", "casella", "boîte", "postbus", "psc", "cmr"])
CUES: Final = frozenset(
    """
    address adresse anschrift dirección direccion direção indirizzo endereço endereco morada adres adress
    osoite adresa cím lakcím domicilio adresi адрес адреса διεύθυνση alamat chỉ lives live living reside
    resides residing located moved wohnhaft office delivered deliver shipped ship shipping meet send one
    mail bill wohne habite vivo abito moro resido woon bor mieszkam проживаю живу enter adresim adresem alamatku residence moved house taxi osoitteessa osoitteeni lieferadresse rechnungsadresse lieferanschrift wohnadresse livraison addr domicile factuuradres bezorgadres ubicación
    """.split()  # noqa: SIM905
)
UNIT_WORDS: Final = frozenset(["apt", "apartment", "suite", "ste", "flat", "appt", "apto"])
