"""Makes the model in the JSON file of this script's name a fitted scikit-learn pipeline.

    from model import load          # model.py and model.json lie side by side

    pipeline = load()
    pipeline.predict_proba(pandas.read_parquet("new.parquet"))

Written by `gradsweep export --to sklearn`. Needs scikit-learn 1.5 or newer and pandas; nothing is unpickled.
"""

import decimal
import json
import pathlib

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler


def load(path=None):
    """The pipeline of a model file; of the one beside this script if none is named."""
    path = pathlib.Path(path) if path else pathlib.Path(__file__).with_suffix(".json")
    return pipeline(json.loads(path.read_text(encoding="utf-8")))


def pipeline(model):
    """A pipeline from a frame with the raw columns to probabilities, fitted already."""
    numeric, categorical = model["numeric"], model["categorical"]
    marked = [column for column in numeric if column["indicator"] is not None]
    refusing = [column["name"] for column in numeric if column["refuses_missing"]]
    parts, coefficients = [], []
    if numeric:
        as_numbers = FunctionTransformer(numbers, kw_args={"refusing": refusing})
        steps = [("numbers", as_numbers), ("impute", SimpleImputer()), ("scale", StandardScaler())]
        parts.append(("numeric", Pipeline(steps), names(numeric)))
        coefficients += [column["coefficient"] for column in numeric]
    if marked:
        steps = [("numbers", FunctionTransformer(numbers)), ("mark", MissingIndicator(features="all"))]
        parts.append(("missing", Pipeline(steps), names(marked)))
        coefficients += [column["indicator"] for column in marked]
    if categorical:
        as_levels = FunctionTransformer(levels, kw_args={"columns": categorical})
        features = [np.array(column["features"], dtype=object) for column in categorical]
        one_hot = OneHotEncoder(categories=features, handle_unknown="ignore")
        parts.append(("categorical", Pipeline([("levels", as_levels), ("one_hot", one_hot)]), names(categorical)))
        coefficients += [weight for column in categorical for weight in column["coefficients"]]

    # One row is enough for all parts to learn their columns; the mean of one value is that value.
    row = {column["name"]: [column["impute"]] for column in numeric}
    row |= {column["name"]: [next(iter(column["levels"]), None)] for column in categorical}
    columns = ColumnTransformer(parts).fit(pd.DataFrame(row))
    if numeric:
        scaler = columns.named_transformers_["numeric"].named_steps["scale"]
        scaler.mean_ = np.array([column["mean"] for column in numeric])
        scaler.scale_ = np.array([column["scale"] for column in numeric])
        scaler.var_ = scaler.scale_**2

    classifier = LogisticRegression()
    classifier.classes_ = np.array(model["classes"])
    classifier.coef_ = np.array([coefficients])
    classifier.intercept_ = np.array([model["intercept"]])
    classifier.n_features_in_ = len(coefficients)
    if model["threshold"] != 0.5:
        fixed = FixedThresholdClassifier(
            classifier,
            threshold=model["threshold"],
            pos_label=model["classes"][1],
            response_method="predict_proba",
        )
        fixed.estimator_ = classifier
        fixed.n_features_in_ = classifier.n_features_in_
        classifier = fixed
    return Pipeline([("columns", columns), ("classifier", classifier)])


def names(columns):
    """The names of columns."""
    return [column["name"] for column in columns]


def numbers(frame, refusing=()):
    """Columns as doubles, NaN where a value is missing."""
    values = np.column_stack([frame[name].to_numpy(dtype="float64", na_value=np.nan) for name in frame.columns])
    for name, column in zip(frame.columns, values.T):
        if name in refusing and np.isnan(column).any():
            raise ValueError(f"column {name!r} has a missing value in row {int(np.isnan(column).argmax())}")
    return values


def levels(frame, columns):
    """Columns as the names of their features; what has none becomes a text that is no feature's."""
    found = {}
    for column in columns:
        codes, cells = pd.factorize(frame[column["name"]])
        features = [feature_of(cell, column) for cell in cells]
        # A missing cell has the code -1, and so the last entry.
        missing = meaning(column["missing"], column, "a missing value") if (codes < 0).any() else ""
        found[column["name"]] = np.array([*features, missing], dtype=object)[codes]
    return pd.DataFrame(found, index=frame.index, dtype=object)


def feature_of(cell, column):
    """The feature of a level, however the frame writes it."""
    for text in spellings(cell, column["texts"]):
        if text in column["levels"]:
            feature = column["levels"][text]
            return nothing(column) if feature is None else feature
    return meaning(column["unseen"], column, f"the new level {cell!r}")


def meaning(rule, column, what):
    """The feature that a rule names."""
    if rule == "error":
        raise ValueError(f"column {column['name']!r} has {what}")
    return nothing(column) if rule["feature"] is None else rule["feature"]


def nothing(column):
    """A text that is none of the column's features, and so becomes zeros."""
    text = "(none)"
    while text in column["features"]:
        text += "_"
    return text


def spellings(cell, texts):
    """The texts a cell may have as a level: numbers and bools have one each, whatever their type."""
    if isinstance(cell, (bool, np.bool_)):
        yield "true" if cell else "false"
    elif isinstance(cell, (int, float, np.number)):
        yield number_text(cell)
    else:
        yield str(cell)
        if texts == "bools":
            yield str(cell).lower()
        elif texts == "numbers":
            try:
                yield number_text(float(cell))
            except ValueError:
                return


def number_text(value):
    """`1` for 1.0, and never an exponent."""
    if float(value).is_integer():
        return str(int(value))
    return format(decimal.Decimal(repr(float(value))), "f")
