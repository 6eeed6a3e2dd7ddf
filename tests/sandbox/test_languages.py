"""The languages of Connect: complete, chosen by the browser or the person, and never in the way."""

import re
import string
from pathlib import Path

import pytest

import smartcar_auth.sandbox
from smartcar_auth.sandbox.brands import COUNTRIES
from smartcar_auth.sandbox.flow import SCREENS
from smartcar_auth.sandbox.languages import ENGLISH, LANGUAGES, catalogue, preferred, translator
from smartcar_auth.sandbox.permissions import WORDS
from smartcar_auth.sandbox.stops import COMPLAINTS, STOPS

from .conftest import Person

TRANSLATED = sorted(LANGUAGES.keys() - {ENGLISH})
SOURCES = Path(smartcar_auth.sandbox.__file__).parent


def sentences() -> set[str]:
    """Everything that Connect says to a person, in English."""
    said = {found for page in SOURCES.glob("templates/*.html") for found in literals(page)}
    said |= {text for stop in STOPS.values() for text in (stop.heading, stop.text, stop.leave)}
    said |= {screen.step for screen in SCREENS.values() if screen.step}
    said |= {"your brand", "Simulated mode", "Test mode", "Back", "Return to brands"}
    return said | {*COMPLAINTS.values(), *WORDS.values(), *COUNTRIES.values()}


def literals(page: Path) -> list[str]:
    """The sentences that a template translates."""
    return re.findall(r'\bt\("([^"]+)"', page.read_text(encoding="utf-8"))


def placeholders(sentence: str) -> set[str]:
    """The names between braces."""
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_sentence_is_translated(language: str) -> None:
    """Each language has each sentence, no other one, and the same placeholders in it."""
    assert catalogue(language).keys() == sentences()
    for english, other in catalogue(language).items():
        assert placeholders(english) == placeholders(other), english


def test_sentence_without_translation_stays_english() -> None:
    """A sentence that nobody translated is shown as it is."""
    assert translator("de")("Never {seen}", seen="heard") == "Never heard"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("fr-CA,fr;q=0.9,en;q=0.8", "fr"),
        ("en;q=0.5, es-MX", "es"),
        ("nl, de;q=0.2, en;q=0.1", "de"),
        ("ja", "en"),
        ("*;q=x,,;;q=", "en"),
    ],
)
def test_browser_language(accepted: str, language: str) -> None:
    """The browser's first language that we have is the one; English if we have none."""
    assert preferred(accepted) == language


def test_connect_in_the_browser_language(person: Person) -> None:
    """Connect begins in the browser's language, and says so to screen readers."""
    person.client.headers["accept-language"] = "de-AT,de;q=0.9"
    page = person.opens()
    assert '<html lang="de">' in page.text
    assert "möchte sich mit Ihrem Auto verbinden" in page.text
    assert '<option value="US" selected>Vereinigte Staaten' in page.text
    assert "Folgt später (Vereinigte Staaten)" in person.submits().text


def test_language_chosen_by_the_person(person: Person) -> None:
    """The person chooses another language before anything else, and every screen follows."""
    person.opens()
    assert "souhaite se connecter" in person.submits(language="fr").text
    assert person.screen == "welcome"
    assert "Connexion à Tesla" in follow_to_login(person)
    assert (
        "ne correspondent pas"
        in person.submits(username="smartcar@invalid-credentials.com", password="x").text
    )
    page = person.submits(username="owner@example.com", password="x").text
    assert "Voir où se trouve votre véhicule" in page
    assert 'id="approval-button"' in page


def follow_to_login(person: Person) -> str:
    """From the welcome screen to the login of Tesla."""
    person.submits()
    return person.submits(brand="TESLA").text


def test_language_unknown(person: Person) -> None:
    """A language that nobody has is ignored, and the form does what it does."""
    person.opens()
    person.submits(language="tlh")
    assert person.screen == "brands"


def test_sandbox_words_stay_english(person: Person) -> None:
    """What only a developer reads is English in every language, and marked as such."""
    person.opens()
    page = person.submits(language="es").text
    assert '<details class="controls" lang="en">' in page
    assert 'role="note" lang="en"' in page
