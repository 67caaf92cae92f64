#!/usr/bin/env python3
# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy==2.4.6", "polars==2.1.0", "scikit-learn==1.9.1"]
# ///
"""The scikit-learn half of docs/from-scikit-learn.md, as it stands there: GridSearchCV over a Pipeline.

    scripts/peers/from_scikit_learn.py [cancer] [flights]          in the repository's folder
"""

import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "lib")]
import environment  # noqa: E402

environment.enter(__file__)

import numpy as np  # noqa: E402
import polars as pl  # noqa: E402
from sklearn.compose import ColumnTransformer  # noqa: E402
from sklearn.impute import SimpleImputer  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.model_selection import GridSearchCV, PredefinedSplit, StratifiedKFold  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import OneHotEncoder, StandardScaler  # noqa: E402


def cancer() -> GridSearchCV:
    frame = pl.read_csv("data/breast-cancer.csv")
    x, y = frame.drop("diagnosis"), frame["diagnosis"] == "malignant"

    search = GridSearchCV(
        make_pipeline(StandardScaler(), LogisticRegression(solver="newton-cholesky", tol=1e-8)),
        {"logisticregression__C": np.geomspace(1e-3, 1e2, 6)},
        cv=StratifiedKFold(5),
        scoring=["neg_log_loss", "roc_auc", "accuracy"],
        refit="neg_log_loss",
        n_jobs=-1,
    )
    return search.fit(x, y.to_numpy())


def flights() -> GridSearchCV:
    frame = pl.read_parquet("data/flights.parquet")
    texts = ["carrier", "dest", "plane_engine"]
    numbers = [name for name in frame.columns if name not in [*texts, "late", "origin", "time_hour"]]
    x = frame.select(pl.col(numbers).cast(pl.Float64), pl.col(texts).fill_null("(missing)"))
    y = frame["late"] == "yes"

    preprocess = ColumnTransformer([
        ("numbers", make_pipeline(SimpleImputer(strategy="mean"), StandardScaler()), numbers),
        ("texts", OneHotEncoder(min_frequency=500, handle_unknown="infrequent_if_exist", sparse_output=False), texts),
    ])
    search = GridSearchCV(
        make_pipeline(preprocess, LogisticRegression(solver="newton-cholesky", tol=1e-8)),
        {"logisticregression__C": np.geomspace(1e-4, 1.0, 5)},
        cv=PredefinedSplit(frame["origin"].rank("dense")),
        scoring=["neg_log_loss", "roc_auc", "accuracy"],
        refit=False,
        n_jobs=-1,
    )
    return search.fit(x, y.to_numpy())


def main() -> None:
    for name in sys.argv[1:] or ["cancer", "flights"]:
        start = time.perf_counter()
        search = {"cancer": cancer, "flights": flights}[name]()
        print(f"{name}: {time.perf_counter() - start:.1f} s")
        found = search.cv_results_
        for place, strength in enumerate(found["param_logisticregression__C"]):
            scores = [f"{abs(found[f'mean_test_{metric}'][place]):.9f}" for metric in ("neg_log_loss", "roc_auc", "accuracy")]
            print(f"  C {strength:8g}  log_loss {scores[0]}  roc_auc {scores[1]}  accuracy {scores[2]}")


if __name__ == "__main__":
    main()
