#!/usr/bin/env python3
# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy==2.4.6", "scipy==1.17.1", "scikit-learn==1.9.1"]
# ///
"""data/golden/newton.json: 50 problems x 5 values of C, solved by scikit-learn's newton-cholesky at tol 1e-12.

    scripts/golden/newton.py

Every answer is compared with a Newton iteration in long double; the largest differences are printed. `gradient` is the
largest component of the mean objective's gradient at scikit-learn's answer, in long double.
"""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]
import environment  # noqa: E402

environment.enter(__file__)

import exact  # noqa: E402
import golden_file  # noqa: E402
import numpy as np  # noqa: E402
from problems import Spec, make  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.utils.class_weight import compute_class_weight  # noqa: E402

STRENGTHS = [1e-3, 1e-1, 1.0, 1e1, 1e3]


def spec(problem: int) -> Spec:
    return Spec(
        seed=10_000 + problem,
        rows=[60, 90, 150, 250, 400][problem % 5],
        features=[1, 2, 3, 5, 8, 13, 20][problem % 7],
        closeness=[1.0, 0.1, 0.01, 0.001][problem // 2 % 4],
        threshold=[0.0, 1.0, -2.0][problem % 3],
        scales=[(1.0,), (0.25, 1.0, 4.0)][problem // 5 % 2],
        offsets=[(0.0,), (-3.0, 0.0, 5.0)][problem // 3 % 2],
    )


def main() -> None:
    entries, worst, worst_gradient = [], 0.0, 0.0
    for problem in range(50):
        table = make(spec(problem))
        fit_intercept = problem % 5 != 4
        balanced = problem % 8 in (3, 6)
        weighted = problem % 6 in (1, 3)
        count = int(table.y.sum())
        assert 5 <= count <= len(table.y) - 5, (problem, count)

        s = table.weight if weighted else np.ones(len(table.y))
        full = s.copy()
        if balanced:
            of_class = compute_class_weight("balanced", classes=np.array([0.0, 1.0]), y=table.y, sample_weight=s)
            full = s * of_class[table.y.astype(int)]
        fits = []
        for strength in STRENGTHS:
            model = LogisticRegression(
                C=strength, solver="newton-cholesky", tol=1e-12, max_iter=1000, fit_intercept=fit_intercept,
                class_weight="balanced" if balanced else None,
            ).fit(table.x, table.y, sample_weight=s if weighted else None)
            w, b = model.coef_[0], float(model.intercept_[0])
            l2 = 1 / (strength * full.sum())
            found = exact.residual(table.x, table.y, full, w, b, l2, fit_intercept=fit_intercept)
            truth, intercept, left = exact.newton(table.x, table.y, full, w, b, l2, fit_intercept=fit_intercept)
            assert left < 1e-16, (problem, strength, left)
            scale = max(np.abs(truth).max(), abs(intercept))
            worst = max(worst, float(np.max(np.abs(np.append(truth - w, intercept - b))) / scale))
            worst_gradient = max(worst_gradient, found)
            fits.append({"C": strength, "coef": w.tolist(), "intercept": b, "gradient": float(f"{found:.2e}")})
        entries.append(vars(spec(problem)) | {
            "fit_intercept": fit_intercept,
            "class_weight": "balanced" if balanced else "none",
            "weighted": weighted,
            "inputs": table.fingerprint(),
            "fits": fits,
        })
    golden_file.write(
        "newton", "coefficients of scikit-learn's LogisticRegression(solver='newton-cholesky', tol=1e-12), raw features",
        golden_file.versions("numpy", "scipy", "scikit-learn"), "problems", entries,
    )
    print(f"largest gradient {worst_gradient:.1e}; largest difference from long double, relative to a fit's largest "
          f"coefficient, {worst:.1e}")


if __name__ == "__main__":
    main()
