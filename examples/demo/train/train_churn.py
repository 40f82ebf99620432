"""Trains the churn model on customers drawn from a made-up rule with chance, and writes ../churn."""

import numpy as np
from onnx import TensorProto, helper
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from demo_folder import to_score, write_json, write_metrics, write_model

PLANS = ["free", "basic", "pro", "enterprise"]
REGIONS = ["eu", "us", "apac", "latam"]
CLASSES = ["stay", "churn"]
CUSTOMERS = 3000
TRAINING_ROWS = 2500
DESCRIPTION = "Estimates whether a customer leaves, from plan, region, hours of use a month and months as a customer."


def main():
    columns, has_churned = draw_customers()
    features = to_features(columns)
    training, held_out = slice(TRAINING_ROWS), slice(TRAINING_ROWS, None)
    regression = LogisticRegression(tol=1e-8, max_iter=2000).fit(features[training], has_churned[training])
    session = write_graph(np.round(regression.coef_[0], 7), round(float(regression.intercept_[0]), 7))
    feeds = {name: column[held_out, None] for name, column in columns.items()}
    labels, scores = session.run(["label", "scores"], feeds)
    truth = has_churned[held_out]
    metrics = {
        "trained_on": TRAINING_ROWS,
        "held_out": {
            "customers": len(truth),
            "accuracy": to_score(np.mean((labels == "churn") == truth)),
            "always_the_commoner_answer": to_score(max(truth.mean(), 1 - truth.mean())),
            "roc_auc": to_score(roc_auc_score(truth, scores[:, CLASSES.index("churn")])),
        },
    }
    write_json("churn", "labels.json", {"scores": CLASSES})
    clear_case = {"plan": [["free"]], "region": [["apac"]], "usage_hours": [[1.5]], "tenure_months": [[2]]}
    write_json("churn", "example.json", {"inputs": clear_case})
    header = ("held-out customers", "accuracy", "always the commoner answer", "ROC AUC")
    write_metrics("churn", metrics, {"accuracy": (header, [tuple(metrics["held_out"].values())])})


def draw_customers():
    """(columns, has_churned [CUSTOMERS] bool): free plans, little use and short tenure make leaving likelier."""
    random = np.random.RandomState(1)
    plan = random.choice(PLANS, CUSTOMERS, p=[0.4, 0.3, 0.2, 0.1])
    region = random.choice(REGIONS, CUSTOMERS)
    usage_hours = random.gamma(2, 10, CUSTOMERS).astype(np.float32)
    tenure_months = random.randint(0, 60, CUSTOMERS)
    log_odds = 1 + 1.2 * (plan == "free") - 1.0 * (plan == "enterprise") + 0.4 * (region == "apac")
    log_odds = log_odds - 0.05 * usage_hours - 0.04 * tenure_months
    has_churned = random.rand(CUSTOMERS) < 1 / (1 + np.exp(-log_odds))
    columns = {
        "plan": plan.astype(object),
        "region": region.astype(object),
        "usage_hours": usage_hours,
        "tenure_months": tenure_months.astype(np.int64),
    }
    return columns, has_churned


def to_features(columns):
    one_hot = [columns["plan"] == plan for plan in PLANS] + [columns["region"] == region for region in REGIONS]
    return np.stack([*one_hot, columns["usage_hours"], columns["tenure_months"]], axis=1).astype(np.float32)


def write_graph(weights, intercept):
    nodes = [
        helper.make_node("OneHotEncoder", ["plan"], ["plan_one_hot"], domain="ai.onnx.ml", cats_strings=PLANS, zeros=1),
        helper.make_node("OneHotEncoder", ["region"], ["region_one_hot"], domain="ai.onnx.ml", cats_strings=REGIONS, zeros=1),
        helper.make_node("Flatten", ["plan_one_hot"], ["plan_columns"], axis=1),
        helper.make_node("Flatten", ["region_one_hot"], ["region_columns"], axis=1),
        helper.make_node("Cast", ["tenure_months"], ["tenure"], to=TensorProto.FLOAT),
        helper.make_node("Concat", ["plan_columns", "region_columns", "usage_hours", "tenure"], ["features"], axis=1),
        helper.make_node(
            "LinearClassifier",
            ["features"],
            ["label", "scores"],
            domain="ai.onnx.ml",
            coefficients=[*-weights, *weights],
            intercepts=[-intercept, intercept],
            classlabels_strings=CLASSES,
            multi_class=0,
            post_transform="LOGISTIC",
        ),
    ]
    inputs = {
        "plan": TensorProto.STRING,
        "region": TensorProto.STRING,
        "usage_hours": TensorProto.FLOAT,
        "tenure_months": TensorProto.INT64,
    }
    return write_model(
        "churn",
        nodes,
        [helper.make_tensor_value_info(name, datatype, ["N", 1]) for name, datatype in inputs.items()],
        [
            helper.make_tensor_value_info("label", TensorProto.STRING, ["N"]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", len(CLASSES)]),
        ],
        description=DESCRIPTION,
        labels=CLASSES,
    )


if __name__ == "__main__":
    main()
