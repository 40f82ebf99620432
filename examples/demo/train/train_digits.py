"""Trains the digit classifier on scikit-learn's 8x8 digits (UCI, CC BY 4.0) and writes ../digits.

A network of two hidden layers on slightly turned, sheared, scaled and shifted copies of each training image.
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # the order of additions, and so the bytes, must not depend on the cores

import warnings

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from scipy.ndimage import affine_transform
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from demo_folder import to_score, write_json, write_metrics, write_model

SIDE = 8
INK = 16.0  # the darkest value
HIDDEN = (256, 96)
COPIES = 30
EPOCHS = 30
CLASSES = [str(digit) for digit in range(10)]
EXAMPLES_PER_DIGIT = 1
DESCRIPTION = "Reads one handwritten digit from an 8x8 image, 0 (paper) to 16 (ink)."


def main():
    digits = load_digits()
    images, truth = digits.images.astype(np.float32), digits.target
    rows = np.arange(len(images))
    training, held_out = train_test_split(rows, test_size=0.2, stratify=truth, random_state=0)
    session = write_graph(fit_network(images[training], truth[training]))
    labels, probabilities = run(session, images[held_out])

    last_fifth = len(rows) * 4 // 5
    in_file_order = fit_network(images[:last_fifth], truth[:last_fifth])
    metrics = {
        "trained_on": len(training),
        "held_out": {
            "images": len(held_out),
            "accuracy": to_score(np.mean(labels == truth[held_out])),
            "mean_top_probability": to_score(probabilities.max(axis=1).mean()),
        },
        "held_out_shifted_1_pixel": to_score(
            np.mean([run(session, shifted)[0] == truth[held_out] for shifted in shift_4_ways(images[held_out])])
        ),
        "last_fifth_held_out": {
            "images": len(rows) - last_fifth,
            "accuracy": to_score(in_file_order.score(to_vectors(images[last_fifth:]), truth[last_fifth:])),
        },
    }
    write_examples(images[held_out].astype(int), truth[held_out])
    write_metrics("digits", metrics, to_tables(metrics))


def to_vectors(images):
    return images.reshape(-1, SIDE * SIDE) / INK


def fit_network(images, truth):
    warped = np.concatenate([images, *warp(images, COPIES, np.random.default_rng(0))])
    network = MLPClassifier(
        HIDDEN, alpha=1e-3, batch_size=128, learning_rate_init=2e-3, max_iter=EPOCHS, n_iter_no_change=EPOCHS, random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # it trains a fixed number of epochs
        return network.fit(to_vectors(warped), np.tile(truth, COPIES + 1))


def warp(images, copies, random):
    """Yields `copies` versions of all images: turned about 9 degrees, sheared, scaled about 8 %, shifted up to 1 pixel."""
    center = np.full(2, (SIDE - 1) / 2)
    for _ in range(copies):
        version = np.empty_like(images)
        for row, image in enumerate(images):
            angle, shear = random.normal(0, 0.15, 2)
            width, height = np.exp(random.normal(0, 0.08, 2))
            turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
            matrix = turn @ np.array([[width, 0], [shear, height]])
            offset = center - matrix @ center + random.uniform(-1, 1, 2)
            version[row] = np.clip(affine_transform(image, matrix, offset, order=1), 0, INK)
        yield version


def shift_4_ways(images):
    """The images moved one pixel down, up, right and left; paper comes in at the edge."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    return [padded[:, y : y + SIDE, x : x + SIDE] for y, x in ((0, 1), (2, 1), (1, 0), (1, 2))]


def write_graph(network):
    initializers = [numpy_helper.from_array(np.float32(1 / INK), "scale")]
    nodes = [
        helper.make_node("Flatten", ["image"], ["pixels"], axis=1),
        helper.make_node("Mul", ["pixels", "scale"], ["layer_0"]),
    ]
    for number, (weights, bias) in enumerate(zip(network.coefs_, network.intercepts_)):
        is_last = number == len(network.coefs_) - 1
        initializers += [
            numpy_helper.from_array(np.round(weights, 5).astype(np.float32), f"weights_{number}"),
            numpy_helper.from_array(np.round(bias, 5).astype(np.float32), f"bias_{number}"),
        ]
        total = "logits" if is_last else f"total_{number}"
        nodes.append(helper.make_node("Gemm", [f"layer_{number}", f"weights_{number}", f"bias_{number}"], [total]))
        if not is_last:
            nodes.append(helper.make_node("Relu", [total], [f"layer_{number + 1}"]))
    nodes += [
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        helper.make_node("ArgMax", ["logits"], ["label"], axis=1, keepdims=0),
    ]
    return write_model(
        "digits",
        nodes,
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, SIDE, SIDE])],
        [
            helper.make_tensor_value_info("label", TensorProto.INT64, ["N"]),
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", len(CLASSES)]),
        ],
        initializers,
        description=DESCRIPTION,
        labels=CLASSES,
    )


def run(session, images):
    return session.run(["label", "probabilities"], {"image": images[:, None].astype(np.float32)})


def write_examples(images, truth):
    """The first held-out image of each digit; the example asks for the 3. And how pictures become such images."""
    first = [int(np.flatnonzero(truth == digit)[0]) for digit in range(len(CLASSES))]
    write_json("digits", "held_out_digits.json", {"image": [[images[row].tolist()] for row in first], "label": truth[first].tolist()})
    write_json("digits", "preprocessor_config.json", {"rescale_factor": INK / 255, "do_normalize": False})
    write_json("digits", "labels.json", {"probabilities": CLASSES})
    write_json("digits", "example.json", {"inputs": {"image": [[images[first[3]].tolist()]]}})


def to_tables(metrics):
    held_out, last_fifth = metrics["held_out"], metrics["last_fifth_held_out"]
    return {
        "accuracy": (
            ("held out", "images", "accuracy"),
            [
                ("a random fifth", held_out["images"], held_out["accuracy"]),
                (
                    "the same, moved by a pixel in each of 4 directions",
                    4 * held_out["images"],
                    metrics["held_out_shifted_1_pixel"],
                ),
                ("the last fifth of the file (same training, not kept)", last_fifth["images"], last_fifth["accuracy"]),
            ],
        )
    }


if __name__ == "__main__":
    main()
