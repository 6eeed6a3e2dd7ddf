"""The languages in which Connect speaks to a person. Sandbox controls and errors for developers stay English.

The English sentence is the key to its translations, in `languages/*.toml`; a sentence that has none stays
English, so that a missing translation never keeps anybody from the next screen.
"""

import tomllib
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path

ENGLISH = "en"
LANGUAGES = {ENGLISH: "English", "de": "Deutsch", "es": "Español", "fr": "Français"}

_FOLDER = Path(__file__).parent / "languages"


@lru_cache
def catalogue(language: str) -> Mapping[str, str]:
    """English sentence -> the same in this language."""
    if language == ENGLISH:
        return {}
    found: dict[str, str] = tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    return found


@lru_cache
def translator(language: str) -> Callable[..., str]:
    """A function from an English sentence, and what its {placeholders} stand for, to the person's language."""
    sentences = catalogue(language)

    def translated(sentence: str, **names: object) -> str:
        return sentences.get(sentence, sentence).format_map(names)

    return translated


@lru_cache(maxsize=256)
def preferred(accept_language: str) -> str:
    """The first of the browser's languages that we have; English if there is none."""
    ranked = []
    for part in accept_language.split(","):
        name, _, quality = part.strip().partition(";q=")
        try:
            ranked.append((-float(quality or 1), name.partition("-")[0].lower()))
        except ValueError:
            continue
    return next((name for _, name in sorted(ranked, key=lambda pair: pair[0]) if name in LANGUAGES), ENGLISH)
