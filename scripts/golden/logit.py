#!/usr/bin/env python3
# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy==2.4.6", "scipy==1.17.1", "statsmodels==0.15.0"]
# ///
"""data/golden/logit.json: 24 unpenalized problems, solved by statsmodels' Logit: coefficients and standard errors.

    scripts/golden/logit.py

Standard errors come from the inverse of the Hessian at the answer. Both are compared with a Newton iteration in long
double; the largest differences are printed.
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
import statsmodels.api as sm  # noqa: E402
from problems import Spec, make  # noqa: E402


def spec(problem: int) -> Spec:
    return Spec(
        seed=20_000 + problem,
        rows=[200, 300, 500, 800][problem % 4],
        features=[1, 2, 4, 6, 9, 12][problem % 6],
        closeness=[1.0, 0.3, 0.1, 0.03][problem // 2 % 4],
        threshold=[0.0, 1.0, -1.5][problem % 3],
        scales=[(1.0,), (0.25, 1.0, 4.0)][problem // 4 % 2],
        offsets=[(0.0,), (-3.0, 0.0, 5.0)][problem // 3 % 2],
        noise=2.5,
    )


def standard_errors(x, y, w, b, fit_intercept):
    """Square roots of the inverse Hessian's diagonal, in long double."""
    design = np.column_stack([x, np.ones(len(x))]) if fit_intercept else x
    design = design.astype(exact.LONG)
    p = exact.sigmoid(x @ w + b)
    hessian = design.T @ (design * (p * (1 - p))[:, None])
    unit = np.eye(len(hessian), dtype=exact.LONG)
    return np.sqrt(np.array([exact.solve(hessian, column)[j] for j, column in enumerate(unit)]))


def main() -> None:
    entries, worst, worst_error = [], 0.0, 0.0
    for problem in range(24):
        table = make(spec(problem))
        fit_intercept = problem % 6 != 5
        design = np.column_stack([table.x, np.ones(len(table.y))]) if fit_intercept else table.x
        result = sm.Logit(table.y, design).fit(method="newton", tol=1e-12, maxiter=200, disp=0)
        params, errors = result.params, result.bse
        w, b = (params[:-1], float(params[-1])) if fit_intercept else (params, 0.0)

        truth, intercept, left = exact.newton(table.x, table.y, np.ones(len(table.y)), w, b, 0.0, fit_intercept=fit_intercept)
        assert left < 1e-16, (problem, left)
        both = np.append(truth, intercept) if fit_intercept else truth
        worst = max(worst, float(np.max(np.abs(both - params)) / np.abs(both).max()))
        true_errors = standard_errors(table.x, table.y, truth, intercept, fit_intercept)
        worst_error = max(worst_error, float(np.max(np.abs(true_errors - errors) / true_errors)))
        entries.append(vars(spec(problem)) | {
            "fit_intercept": fit_intercept,
            "inputs": table.fingerprint(),
            "coef": w.tolist(),
            "intercept": b,
            "bse": errors.tolist(),
            "llf": float(result.llf),
        })
    golden_file.write(
        "logit", "statsmodels Logit without penalty, raw features; bse: standard errors, the intercept's last",
        golden_file.versions("numpy", "scipy", "statsmodels"), "problems", entries,
    )
    print(f"largest difference from long double, relative to a fit's largest coefficient, {worst:.1e}; "
          f"of standard errors, relative, {worst_error:.1e}")


if __name__ == "__main__":
    main()
