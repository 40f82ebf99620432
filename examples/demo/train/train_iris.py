"""Trains a random forest on Fisher's iris flowers (scikit-learn's copy) and writes ../iris."""

import numpy as np
from onnx import TensorProto, helper
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

from demo_folder import to_score, write_json, write_metrics, write_model

SPECIES = ["setosa", "versicolor", "virginica"]
TRAINING_ROWS = 110
DESCRIPTION = "Names the iris species from sepal length, sepal width, petal length and petal width in cm."


def main():
    measures, truth = load_iris(return_X_y=True)
    measures = measures.astype(np.float32)
    order = np.random.RandomState(0).permutation(len(measures))
    training, held_out = order[:TRAINING_ROWS], order[TRAINING_ROWS:]
    forest = RandomForestClassifier(12, max_depth=4, random_state=0).fit(measures[training], truth[training])
    session = write_graph(forest)
    labels, _ = session.run(["label", "probabilities"], {"X": measures[held_out]})
    metrics = {
        "trained_on": len(training),
        "held_out": {"flowers": len(held_out), "accuracy": to_score(np.mean(labels == truth[held_out]))},
    }
    write_json("iris", "labels.json", SPECIES)
    write_json("iris", "example.json", {"inputs": {"X": [[5.1, 3.5, 1.4, 0.2]]}})
    write_metrics("iris", metrics, {"accuracy": (("held-out flowers", "accuracy"), [tuple(metrics["held_out"].values())])})


def write_graph(forest):
    trees = helper.make_node(
        "TreeEnsembleClassifier",
        ["X"],
        ["label", "probabilities"],
        domain="ai.onnx.ml",
        classlabels_int64s=list(range(len(SPECIES))),
        post_transform="NONE",
        **to_attributes([estimator.tree_ for estimator in forest.estimators_]),
    )
    return write_model(
        "iris",
        [trees],
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, ["N", 4])],
        [
            helper.make_tensor_value_info("label", TensorProto.INT64, ["N"]),
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", len(SPECIES)]),
        ],
        description=DESCRIPTION,
        labels=SPECIES,
    )


def to_attributes(trees):
    """The forest as the parallel lists of TreeEnsembleClassifier (ai.onnx.ml 3); a leaf votes with its class shares."""
    nodes, votes = [], []
    for tree_id, tree in enumerate(trees):
        for node in range(tree.node_count):
            left, right = int(tree.children_left[node]), int(tree.children_right[node])
            is_leaf = left < 0
            nodes.append(
                (tree_id, node, 0, 0.0, "LEAF", 0, 0)
                if is_leaf
                else (tree_id, node, int(tree.feature[node]), round_down(tree.threshold[node]), "BRANCH_LEQ", left, right)
            )
            if is_leaf:
                shares = tree.value[node][0] / tree.value[node][0].sum()
                votes += [(tree_id, node, species, float(share) / len(trees)) for species, share in enumerate(shares)]
    node_names = ("treeids", "nodeids", "featureids", "values", "modes", "truenodeids", "falsenodeids")
    vote_names = ("treeids", "nodeids", "ids", "weights")
    return {
        **{f"nodes_{name}": list(column) for name, column in zip(node_names, zip(*nodes))},
        **{f"class_{name}": list(column) for name, column in zip(vote_names, zip(*votes))},
    }


def round_down(threshold):
    """The float32 at or below a float64 threshold: float32 inputs then fall on the side scikit-learn puts them."""
    nearest = np.float32(threshold)
    return float(nearest if nearest <= threshold else np.nextafter(nearest, np.float32(-np.inf)))


if __name__ == "__main__":
    main()
