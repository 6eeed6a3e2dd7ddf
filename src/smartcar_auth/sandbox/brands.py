"""The brands of the brand selector: token, name, aliases, where they are offered, how their VINs begin.

Where Smartcar's own list could not be read this is the probable one, so nothing
may fail because a make is missing here: `brand_called` makes a brand of any name.
"""

from dataclasses import dataclass

NORTH_AMERICA = frozenset({"US", "CA"})
COUNTRIES = {
    "US": "United States",
    "CA": "Canada",
    "AT": "Austria",
    "BE": "Belgium",
    "CH": "Switzerland",
    "DE": "Germany",
    "DK": "Denmark",
    "ES": "Spain",
    "FI": "Finland",
    "FR": "France",
    "GB": "United Kingdom",
    "IE": "Ireland",
    "IT": "Italy",
    "LU": "Luxembourg",
    "NL": "Netherlands",
    "NO": "Norway",
    "PL": "Poland",
    "PT": "Portugal",
    "SE": "Sweden",
}

_WITH_ARTICLE = frozenset({"US", "GB", "NL"})


def country_in_prose(country: str) -> str:
    """A country's name within a sentence: "the United States", "Germany"."""
    return f"the {COUNTRIES[country]}" if country in _WITH_ARTICLE else COUNTRIES[country]


@dataclass(frozen=True, slots=True)
class Brand:
    """A make as a person sees it and as the wire spells it."""

    token: str
    name: str
    monogram: str
    region: str  # "both", "america" or "europe"
    vin_prefixes: tuple[str, ...]
    models: tuple[str, ...]
    aliases: tuple[str, ...] = ()

    def offered_in(self, country: str) -> bool:
        """Whether its owners in this country can connect today."""
        return self.region == "both" or (self.region == "america") == (country in NORTH_AMERICA)

    @property
    def search_text(self) -> str:
        """What a search looks through, in lower case."""
        return " ".join((self.name, self.token.replace("_", " "), *self.aliases)).lower()


# token | name | monogram | region | VIN prefixes | models | aliases
_TABLE = """
ACURA         | Acura         | Ac | america | 19U JH4     | MDX, RDX, TLX, ZDX              |
ALFA_ROMEO    | Alfa Romeo    | AR | europe  | ZAR         | Tonale, Giulia, Stelvio         | alfa, romeo
AUDI          | Audi          | Au | both    | WAU WA1     | Q4 e-tron, A3, Q5, A6           |
BMW           | BMW           | BM | both    | WBA WBY 5UX | i4, X3, 330i, iX                | beemer, bimmer
BUICK         | Buick         | Bu | america | 1G4 KL4     | Enclave, Encore GX, Envision    | gm
BYD           | BYD           | BY | europe  | LGX         | Atto 3, Seal, Dolphin           | build your dreams
CADILLAC      | Cadillac      | Ca | america | 1GY 1G6     | Lyriq, XT5, Escalade            | caddy, gm
CHEVROLET     | Chevrolet     | Ch | america | 1G1 1GC 2GN | Volt, Bolt EUV, Equinox         | chevy, gm
CHRYSLER      | Chrysler      | Cr | america | 2C4 2C3     | Pacifica, 300                   | stellantis
CITROEN       | Citroën       | Ci | europe  | VF7         | ë-C4, C3, Berlingo              | citroen, psa, stellantis
CUPRA         | Cupra         | Cu | europe  | VSS         | Born, Formentor, Leon           | seat
DACIA         | Dacia         | Da | europe  | UU1         | Spring, Duster, Sandero         |
DODGE         | Dodge         | Do | america | 2B3 1C3     | Hornet, Durango, Charger        | stellantis
DS            | DS            | DS | europe  | VR1         | DS 3, DS 4, DS 7                | ds automobiles, psa
FIAT          | Fiat          | Fi | europe  | ZFA         | 500e, Panda, Tipo               | stellantis
FORD          | Ford          | Fo | both    | 1FA 1FT WF0 | Mustang Mach-E, F-150, Explorer |
GMC           | GMC           | GM | america | 1GK 1GT     | Sierra, Acadia, Hummer EV       | gm, general motors
HONDA         | Honda         | Ho | america | 1HG 2HG     | Prologue, CR-V, Civic           |
HYUNDAI       | Hyundai       | Hy | both    | KMH KM8     | Ioniq 5, Kona, Tucson           |
INFINITI      | Infiniti      | In | america | JN1 5N1     | QX60, QX50, Q50                 |
JAGUAR        | Jaguar        | Ja | both    | SAJ SAD     | I-Pace, F-Pace, E-Pace          | jag, jlr
JEEP          | Jeep          | Je | both    | 1C4 1J4     | Wrangler 4xe, Compass, Avenger  | stellantis
KIA           | Kia           | Ki | both    | KND KNA     | EV6, Niro, Sportage             |
LANDROVER     | Land Rover    | LR | both    | SAL         | Range Rover, Defender, Discovery| range rover, jlr
LEXUS         | Lexus         | Le | america | JTJ 2T2     | RX 450h, RZ 450e, NX 350h       |
LINCOLN       | Lincoln       | Li | america | 5LM 2LM     | Corsair, Aviator, Nautilus      | ford
MAZDA         | Mazda         | Ma | both    | JM1 JM3     | CX-5, MX-30, CX-60              |
MERCEDES      | Mercedes-Benz | MB | both    | WDD W1K 4JG | EQB, C 300, GLC 300             | merc, mercedes benz, benz
MINI          | MINI          | Mi | both    | WMW         | Cooper SE, Countryman, Clubman  | mini cooper
MITSUBISHI    | Mitsubishi    | Mt | america | JA4 ML3     | Outlander PHEV, Eclipse Cross   |
NISSAN        | Nissan        | Ni | both    | 1N4 JN8     | Leaf, Ariya, Qashqai            |
OPEL          | Opel          | Op | europe  | W0V W0L     | Corsa-e, Mokka-e, Astra         | stellantis
PEUGEOT       | Peugeot       | Pe | europe  | VF3 VR3     | e-208, e-2008, 3008             | psa, stellantis
POLESTAR      | Polestar      | Ps | both    | LPS YSM     | Polestar 2, Polestar 3          |
PORSCHE       | Porsche       | Po | both    | WP0 WP1     | Taycan, Macan, Cayenne          |
RAM           | RAM           | Ra | america | 1C6 3C6     | 1500, 2500, ProMaster           | dodge ram, stellantis
RENAULT       | Renault       | Re | europe  | VF1         | Megane E-Tech, Zoe, Captur      |
RIVIAN        | Rivian        | Ri | america | 7FC 7PD     | R1T, R1S                        |
SEAT          | SEAT          | Se | europe  | VSE         | Leon, Ibiza, Ateca              |
SKODA         | Škoda         | Sk | europe  | TMB         | Enyaq, Octavia, Kodiaq          | skoda
SUBARU        | Subaru        | Su | america | JF1 JF2 4S4 | Solterra, Outback, Forester     |
TESLA         | Tesla         | Te | both    | 5YJ 7SA LRW | Model 3, Model Y, Model S       |
TOYOTA        | Toyota        | To | both    | JTD 4T1 2T3 | RAV4 Prime, Prius, bZ4X         |
VAUXHALL      | Vauxhall      | Vx | europe  | W0X         | Corsa Electric, Mokka, Astra    | stellantis
VOLKSWAGEN    | Volkswagen    | VW | both    | WVW WVG 1V2 | ID.4, ID.3, Golf, Tiguan        | vw, vdub, id
VOLVO         | Volvo         | Vo | both    | YV1 YV4     | XC40 Recharge, XC60, EX30       |
"""


def _read_table(table: str) -> dict[str, Brand]:
    brands = {}
    for line in table.strip().splitlines():
        token, name, monogram, region, prefixes, models, aliases = (cell.strip() for cell in line.split("|"))
        brands[token] = Brand(
            token, name, monogram, region, tuple(prefixes.split()), _listed(models), _listed(aliases)
        )
    return brands


def _listed(cell: str) -> tuple[str, ...]:
    return tuple(entry.strip() for entry in cell.split(",") if entry.strip())


BRANDS = _read_table(_TABLE)
_BY_VIN_PREFIX = {prefix: brand for brand in BRANDS.values() for prefix in brand.vin_prefixes}
# "MERCEDES_BENZ" and "LAND_ROVER" are seen beside "MERCEDES" and "LANDROVER".
_BY_OTHER_TOKEN = {"MERCEDES_BENZ": "MERCEDES", "MERCEDES-BENZ": "MERCEDES", "LAND_ROVER": "LANDROVER"}
# Test VINs read 0SC + brand + eight or nine hexadecimal digits.
_TEST_VIN_BRANDS = {"LR": "LANDROVER", "AUDI": "AUDI"}

_MAKE_LIMIT = 40


def brand_called(make: str) -> Brand:
    """The brand with this token, in any case; an unknown one under its own name, never an error."""
    token = "_".join(make.upper().split())[:_MAKE_LIMIT]
    known = BRANDS.get(_BY_OTHER_TOKEN.get(token, token))
    if known is not None:
        return known
    name = token.replace("_", " ").title() or "Your brand"
    return Brand(token, name, name[:2], "both", ("1ZZ",), ("Sedan", "Wagon"))


def brand_of_vin(vin: str) -> Brand | None:
    """The brand that a VIN's first letters name; None if we can't tell."""
    vin = vin.upper()
    if vin.startswith("0SC"):
        for letters, token in _TEST_VIN_BRANDS.items():
            if vin.startswith(letters, 3):
                return BRANDS[token]
        return next((brand for brand in BRANDS.values() if vin.startswith(brand.token, 3)), None)
    return _BY_VIN_PREFIX.get(vin[:3])


def brands_matching(search: str) -> list[Brand]:
    """The brands whose name or alias contains every word searched for, in alphabetical order."""
    words = search.lower().split()
    return [brand for brand in BRANDS.values() if all(word in brand.search_text for word in words)]
