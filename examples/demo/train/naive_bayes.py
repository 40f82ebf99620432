"""Naive Bayes over character 1-4-grams, and the temperature that makes its scores honest."""

from collections import Counter

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.preprocessing import normalize

from language_texts import LANGUAGES, to_ngrams

VOCABULARY_SIZE = 15000
DECLARATION_SHARE = 0.7  # of a language's n-gram mass; the rest is its common words
SMOOTHING = 3e-7  # added to every n-gram's share of its language
TEMPERATURES = (0.5, 0.7, 1, 1.5, 2, 3, 5, 8)


def count_ngrams(texts):
    counts = Counter()
    for text in texts:
        counts.update(to_ngrams(text))
    return counts


def fit_naive_bayes(paragraphs, words, declaration_share=DECLARATION_SHARE, smoothing=SMOOTHING):
    """(vocabulary, weights [languages, vocabulary]): the log of each n-gram's share, centred over languages."""
    sources = [(count_ngrams(paragraphs[language]), count_ngrams(words[language])) for language in LANGUAGES]
    seen = Counter()
    for declared, common in sources:
        seen.update(declared)
        if declaration_share < 1:
            seen.update(common)
    ngrams = sorted(ngram for ngram, count in seen.items() if count > 1)
    shares = np.array(
        [
            declaration_share * to_shares(declared, ngrams) + (1 - declaration_share) * to_shares(common, ngrams)
            for declared, common in sources
        ]
    )
    chosen = choose_vocabulary(shares)
    smoothed = shares[:, chosen] + smoothing
    weights = np.log(smoothed / smoothed.sum(axis=1, keepdims=True))
    return [ngrams[i] for i in chosen], weights - weights.mean(axis=0)


def to_shares(counts, ngrams):
    return np.array([counts[ngram] for ngram in ngrams]) / counts.total()


def choose_vocabulary(shares):
    """The n-grams that tell most: their mass times their divergence from an even spread over the languages."""
    mass = shares.sum(axis=0)
    posterior = shares / mass
    terms = posterior * np.log(np.where(posterior > 0, posterior, 1) * len(LANGUAGES))
    return np.sort(np.argsort(-(terms.sum(axis=0) * mass), kind="stable")[:VOCABULARY_SIZE])


def to_features(vocabulary, texts):
    """What Tokenizer, TfIdfVectorizer and Normalizer give: counts of known n-grams, scaled to length 1."""
    index = {ngram: i for i, ngram in enumerate(vocabulary)}
    cells = [(row, index[ngram]) for row, text in enumerate(texts) for ngram in to_ngrams(text) if ngram in index]
    rows, columns = zip(*cells)
    return normalize(csr_matrix((np.ones(len(cells)), (rows, columns)), shape=(len(texts), len(vocabulary))))


def fit_temperature(scores, truth):
    """The factor on the scores that gives the least log loss on texts which the fitted model has not seen."""
    return min(TEMPERATURES, key=lambda temperature: log_loss(scores * temperature, truth))


def log_loss(scores, truth):
    shifted = scores - scores.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -np.mean([logs[row, LANGUAGES.index(language)] for row, language in enumerate(truth)])
