#!/usr/bin/env python3
# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy==2.4.6", "scipy==1.17.1", "scikit-learn==1.9.1"]
# ///
"""data/golden/folds.csv and folds.json: scikit-learn's Pipeline fitted on each fold's training rows.

    scripts/golden/folds.py

A table of 420 rows with gaps, rare levels, levels that one fold alone has, booleans, a fold column and integer weights;
what `Pipeline(SimpleImputer, StandardScaler, OneHotEncoder, LogisticRegression)` makes of it, fold by fold and C by C:
coefficients of the preprocessed features, taken to the optimum in long double (`scikit_learn` is how far from it
newton-cholesky stopped at tol 1e-12), and scores of the held-out rows. Numbers and booleans are standardized, one-hot
and indicator columns stay 0/1, a null category is the level (missing).

Weights are 0 to 3. A weight of k means the row k times, so the weighted answers are those of the plain Pipeline on the
rows repeated: nothing here computes a weighted statistic by hand.
"""

import csv
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]
import environment  # noqa: E402

environment.enter(__file__)

import exact  # noqa: E402
import golden_file  # noqa: E402
import numpy as np  # noqa: E402
from problems import Stream  # noqa: E402
from sklearn.impute import MissingIndicator, SimpleImputer  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.metrics import (  # noqa: E402
    accuracy_score,
    average_precision_score,
    brier_score_loss,
    log_loss,
    roc_auc_score,
)
from sklearn.pipeline import Pipeline  # noqa: E402
from sklearn.preprocessing import OneHotEncoder, StandardScaler  # noqa: E402

ROWS, FOLDS, MIN_FREQUENCY = 420, 4, 10
NUMBERS = ["age", "income", "visits", "rate", "member", "insured"]
CATEGORIES = ["city", "tier", "agent"]
STRENGTHS = [0.01, 1.0, 100.0]
MISSING = "(missing)"


def table() -> dict[str, list[str]]:
    """Columns of text, as they stand in the file."""
    stream = Stream(80_000)
    normal, uniform = stream.normal(ROWS, 4), stream.uniform(ROWS, 13)
    cities = ["Oslo", "Rome", "Lima", "Quito", "Accra", "Hanoi", "Turin", "Bergen"]
    shares = np.cumsum([0.34, 0.22, 0.16, 0.10, 0.08, 0.05, 0.03, 0.02])
    columns = {name: [] for name in [*NUMBERS, *CATEGORIES, "part", "weight", "late"]}
    for row in range(ROWS):
        u, g = uniform[row], normal[row]
        age, income = round(45 + 12 * g[0], 1), round(52_000 + 9_000 * (0.4 * g[0] + g[1]), 2)
        visits, rate = int(6 * u[0] * u[0] * u[0] * 4), round(1e-5 * (3 + g[2]), 9)
        member, insured = u[1] < 0.4, u[2] < 0.7
        city = cities[int(np.searchsorted(shares, u[3]))]
        tier = ["basic", "plus", "pro"][int(u[4] * 3)]
        part = row * 7 % FOLDS
        # a1 to a6 everywhere, rarer and rarer; three agents work in one fold only.
        agent = f"a{1 + int(6 * u[5] * u[5])}" if u[5] < 0.93 else f"only{part % 3}"
        z = (0.6 * g[0] - 0.5 * g[1] + 0.3 * g[2] + 0.08 * visits + 0.7 * member - 0.4 * insured - 0.6
             + {"Oslo": 0.8, "Lima": -0.9, "Hanoi": 1.5}.get(city, 0.0) + 0.5 * (tier == "pro") + 0.4 * (agent == "a2"))
        late = z + 1.6 * g[3] > 0
        gaps = {"age": u[6] < 0.12, "income": u[7] < 0.06, "visits": u[8] < 0.03, "insured": u[9] < 0.10,
                "city": u[10] < 0.07, "tier": u[11] < 0.01}
        cells = {
            "age": f"{age}", "income": f"{income}", "visits": f"{visits}", "rate": f"{rate:.9f}",
            "member": str(bool(member)).lower(), "insured": str(bool(insured)).lower(),
            "city": city, "tier": tier, "agent": agent, "part": f"{part}", "weight": f"{[0, 1, 1, 2, 2, 3][int(u[12] * 6)]}",
            "late": "yes" if late else "no",
        }
        for name, cell in cells.items():
            columns[name].append("" if gaps.get(name) else cell)
    return columns


def number(cell: str) -> float:
    words = {"": np.nan, "true": 1.0, "false": 0.0}
    return words[cell] if cell in words else float(cell)


def parts(columns, rows):
    """Numbers with NaN, categories with (missing), and labels of some rows."""
    numbers = np.array([[number(columns[name][row]) for name in NUMBERS] for row in rows])
    categories = np.array([[columns[name][row] or MISSING for name in CATEGORIES] for row in rows], dtype=object)
    return numbers, categories, np.array([columns["late"][row] == "yes" for row in rows], dtype=int)


class Preprocess:
    """The three preprocessing steps, with names for what comes out."""

    def __init__(self, impute: str, indicator: bool, other: str):
        imputer = SimpleImputer(strategy="constant", fill_value=0.0) if impute == "zero" else SimpleImputer(strategy=impute)
        self.numeric = Pipeline([("impute", imputer), ("scale", StandardScaler())])
        self.indicator = MissingIndicator(features="missing-only") if indicator else None
        self.encoder = OneHotEncoder(
            min_frequency=MIN_FREQUENCY, handle_unknown="infrequent_if_exist", sparse_output=False, dtype=np.float64
        )
        self.other = other

    def fit(self, numbers, categories):
        self.numeric.fit(numbers)
        self.encoder.fit(categories)
        self.names = list(NUMBERS)
        if self.indicator:
            self.indicator.fit(numbers)
            self.names += [f"{NUMBERS[place]}={MISSING}" for place in self.indicator.features_]
        kept = []
        for place, column in enumerate(CATEGORIES):
            rare = self.encoder.infrequent_categories_[place]
            rare = set() if rare is None else set(rare)
            kept += [(f"{column}={level}", True) for level in self.encoder.categories_[place] if level not in rare]
            if rare:  # scikit-learn's shared column comes last
                kept.append((f"{column}=(other)", self.other == "group"))
        self.is_kept = np.array([keep for _, keep in kept])
        self.names += [name for name, keep in kept if keep]
        return self

    def transform(self, numbers, categories):
        blocks = [self.numeric.transform(numbers)]
        if self.indicator:
            blocks.append(self.indicator.transform(numbers).astype(np.float64))
        return np.column_stack([*blocks, self.encoder.transform(categories)[:, self.is_kept]])


def fold(columns, held_out, impute, indicator, other, weighted) -> list[dict]:
    """All C of one fold."""
    def repeated(wanted):
        counts = [int(columns["weight"][row]) if weighted else 1 for row in range(ROWS)]
        return [row for row in range(ROWS) for _ in range(counts[row]) if (columns["part"][row] == str(held_out)) == wanted]

    numbers, categories, y = parts(columns, repeated(False))
    val_numbers, val_categories, val_y = parts(columns, repeated(True))
    preprocess = Preprocess(impute, indicator, other).fit(numbers, categories)
    x, val_x = preprocess.transform(numbers, categories), preprocess.transform(val_numbers, val_categories)
    assert x.shape[1] == len(preprocess.names)
    made = []
    for strength in STRENGTHS:
        model = LogisticRegression(C=strength, solver="newton-cholesky", tol=1e-12, max_iter=1000).fit(x, y)
        # scikit-learn stops some 1e-9 short; the scores are to be compared that closely.
        stopped = np.append(model.coef_[0], model.intercept_[0])
        w, b, _ = exact.newton(x, y, np.ones(len(y)), stopped[:-1], stopped[-1], 1 / (strength * len(y)))
        model.coef_[0], model.intercept_[0] = w, b
        w, b = model.coef_[0], float(model.intercept_[0])
        off = float(np.abs(np.append(w, b) - stopped).max())
        assert off < 1e-7, off
        prob = model.predict_proba(val_x)[:, 1]
        made.append({
            "C": strength, "fold": held_out, "scikit_learn": float(f"{off:.1e}"),
            "coef": dict(zip(preprocess.names, w.tolist())) | {"(intercept)": b},
            "val": {
                "log_loss": float(log_loss(val_y, prob)), "brier_score": float(brier_score_loss(val_y, prob)),
                "accuracy": float(accuracy_score(val_y, prob > 0.5)), "roc_auc": float(roc_auc_score(val_y, prob)),
                "average_precision": float(average_precision_score(val_y, prob)),
            },
        })
    return made


def main() -> None:
    columns = table()
    path = golden_file.FOLDER / "folds.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values()))
    levels = {name: sorted({cell or MISSING for cell in columns[name]}) for name in CATEGORIES}
    print(f"{path.name}: {ROWS} rows, late {columns['late'].count('yes')}, levels {levels}")

    variants = [
        {"impute": impute, "indicator": False, "other": "group", "weighted": weighted}
        for impute in ("mean", "median", "zero") for weighted in (False, True)
    ] + [
        {"impute": "mean", "indicator": True, "other": "group", "weighted": False},
        {"impute": "median", "indicator": True, "other": "ignore", "weighted": True},
    ]
    entries = []
    for variant in variants:
        fits = [fit for held_out in range(FOLDS) for fit in fold(columns, held_out, **variant)]
        entries.append(variant | {"min_frequency": MIN_FREQUENCY, "fits": fits})
        names = [set(fit["coef"]) for fit in fits[:: len(STRENGTHS)]]
        off = max(fit["scikit_learn"] for fit in fits)
        print(variant, f"scikit-learn stopped within {off:.1e};", f"{len(set.intersection(*names))} features in all folds, {len(set.union(*names))} in some")
    golden_file.write(
        "folds", "scikit-learn's Pipeline on each fold's training rows: coefficients of preprocessed features, scores of "
        "held-out rows; scikit_learn = how far from the optimum it stopped, fold = the label in column `part`",
        golden_file.versions("numpy", "scipy", "scikit-learn"), "variants", entries,
    )


if __name__ == "__main__":
    main()
