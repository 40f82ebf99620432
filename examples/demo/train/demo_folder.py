"""Writes one demo folder: model.onnx, labels.json, example.json, metrics.json and its tables in README.md."""

import json
from pathlib import Path

import onnx
import onnxruntime
from onnx import helper

DEMO = Path(__file__).resolve().parent.parent
AUTHOR = "The nimify authors"
LICENSE = "Apache-2.0"
LINE_WIDTH = 110


def write_model(name, nodes, inputs, outputs, initializers=(), *, description, labels, domains=()):
    """Checks and writes <name>/model.onnx with its metadata, and returns a session that runs it on one thread.

    inputs and outputs are ONNX value infos; labels are the class names in the order of the scores.
    """
    graph = helper.make_graph(nodes, name, inputs, outputs, list(initializers), doc_string=description)
    opsets = [("", 17), ("ai.onnx.ml", 3), *domains]
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid(*opset) for opset in opsets],
        ir_version=8,
        producer_name="nimify",
        doc_string=description,
    )
    helper.set_model_props(
        model,
        {
            "description": description,
            "author": AUTHOR,
            "license": LICENSE,
            "labels": json.dumps(labels, ensure_ascii=False),
        },
    )
    onnx.checker.check_model(model)
    path = DEMO / name / "model.onnx"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(model.SerializeToString(deterministic=True))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options)


def write_json(name, file, content):
    (DEMO / name / file).write_text(to_json(content) + "\n", encoding="utf-8")


def to_json(content, indent="", key=""):
    """JSON as the repository's formatter lays it out: an array on one line if it fits and is no table of rows."""
    inner = indent + "  "
    if isinstance(content, dict):
        lines = [f"{inner}{json.dumps(name)}: {to_json(value, inner, name)}" for name, value in content.items()]
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    line = json.dumps(content, ensure_ascii=False)
    if not isinstance(content, list):
        return line
    is_table = len(content) > 1 and all(isinstance(row, list) and len(row) > 1 for row in content)
    is_short = len(indent) + len(f'"{key}": {line},') <= LINE_WIDTH
    if is_short and not is_table and "{" not in line:
        return line
    return "[\n" + ",\n".join(inner + to_json(value, inner) for value in content) + f"\n{indent}]"


def write_metrics(name, metrics, tables):
    """Writes <name>/metrics.json, prints it, and puts each table where README.md marks its place.

    tables maps a marker to (header, rows); the place is between `<!-- table: NAME MARKER -->` and `<!-- end -->`.
    """
    write_json(name, "metrics.json", metrics)
    print(f"{name}: {to_json(metrics)}")
    readme = DEMO / "README.md"
    text = readme.read_text(encoding="utf-8")
    for marker, (header, rows) in tables.items():
        start = f"<!-- table: {name} {marker} -->\n"
        before, found, rest = text.partition(start)
        if not found:
            raise SystemExit(f"README.md has no line {start!r}")
        after = rest[rest.index("<!-- end -->") :]
        text = before + start + to_markdown(header, rows) + after
    readme.write_text(text, encoding="utf-8")


def to_markdown(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(str(cell) for cell in line) + " |\n" for line in lines)


def to_score(value):
    """Three decimals: what is published, and what a re-run must print again."""
    return round(float(value), 3)
