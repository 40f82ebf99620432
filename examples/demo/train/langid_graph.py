"""The language detector as an ONNX graph: characters -> n-gram counts -> length 1 -> linear scores.

Case and word boundaries are folded inside the graph: all spellings of an n-gram ("The", "the", start-of-text + "the")
share one coordinate of the TfIdfVectorizer. So it needs no lower-casing operator, which would need a locale.
"""

import numpy as np
from onnx import TensorProto, helper

from demo_folder import write_model
from language_texts import KEPT_PUNCTUATION, LANGUAGES, fold_char

START, END = "\x02", "\x03"  # what the Tokenizer puts around a text with mark=1
PAD = "\ue000"  # a private-use character: in no n-gram, so that shorter texts of a batch count nothing there
LETTERS_AND_KEPT = r"[^\pP\pN\pS]|['’‐-]"
DESCRIPTION = "Says which of 25 languages a text is written in."


def write_graph(vocabulary, weights):
    known = set(vocabulary)
    pool = sorted(
        (len(spelling), spelling, index)
        for index, ngram in enumerate(vocabulary)
        for spelling in to_spellings(ngram, may_start_word=" " + ngram[:3] in known)
    )
    lengths = [length for length, _, _ in pool]
    starts = [sum(length * lengths.count(length) for length in range(1, upto)) for upto in (1, 2, 3, 4)]
    nodes = [
        helper.make_node(
            "Tokenizer", ["text"], ["characters"], domain="com.microsoft",
            mark=1, mincharnum=1, pad_value=PAD, tokenexp=LETTERS_AND_KEPT,
        ),
        helper.make_node(
            "TfIdfVectorizer", ["characters"], ["counts"], mode="TF", min_gram_length=1, max_gram_length=4,
            max_skip_count=0, ngram_counts=starts, ngram_indexes=[index for _, _, index in pool],
            pool_strings=[char for _, spelling, _ in pool for char in spelling],
        ),
        helper.make_node("Normalizer", ["counts"], ["features"], domain="ai.onnx.ml", norm="L2"),
        helper.make_node(
            "LinearClassifier", ["features"], ["label", "scores"], domain="ai.onnx.ml",
            coefficients=np.round(weights, 4).astype(np.float32).ravel(), intercepts=[0.0] * len(LANGUAGES),
            classlabels_strings=LANGUAGES, multi_class=0, post_transform="SOFTMAX",
        ),
    ]  # fmt: skip
    return write_model(
        "langid",
        nodes,
        [helper.make_tensor_value_info("text", TensorProto.STRING, ["N"])],
        [
            helper.make_tensor_value_info("label", TensorProto.STRING, ["N"]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", len(LANGUAGES)]),
        ],
        description=DESCRIPTION,
        labels=LANGUAGES,
        domains=[("com.microsoft", 1)],
    )


def to_spellings(ngram, may_start_word):
    """The n-gram as the Tokenizer may hand it over: lower, Title and UPPER case; a text's ends for a space."""
    upper = "".join(char.upper() for char in ngram)
    title = "".join(char.upper() if i and ngram[i - 1] == " " else char for i, char in enumerate(ngram))
    spellings = {ngram, upper, title}
    if may_start_word:
        spellings.add(ngram[0].upper() + title[1:])
    spellings = {s for s in spellings if len(s) == len(ngram) and "".join(map(fold_char, s)) == ngram}
    if ngram[0] == " ":
        spellings |= {START + s[1:] for s in spellings}
    if ngram[-1] == " ":
        spellings |= {s[:-1] + END for s in spellings}
    for one, other in KEPT_PUNCTUATION.items():
        spellings |= {s.replace(one, other) for s in spellings}
    return spellings
