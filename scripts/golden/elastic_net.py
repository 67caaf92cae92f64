#!/usr/bin/env python3
# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy==2.4.6", "scipy==1.17.1", "scikit-learn==1.9.1"]
# ///
"""data/golden/elastic_net.json: 32 problems with L1, solved by glmnet and by scikit-learn's saga.

    scripts/golden/elastic_net.py                 needs R with glmnet (Debian: r-cran-glmnet)

glmnet: standardize=FALSE, lambda = 1 / (C * sum of weights), alpha = l1_ratio, at thresh 1e-14 and at 1e-24 (thresh
is a squared change: 1e-14 leaves some 1e-6). saga: tol 1e-10. Neither stops exactly at the optimum, so `coef` is the
optimum itself: Newton in long double over the weights that glmnet leaves in, with their signs, and then the subgradient
of every weight is checked (`residual`). `glmnet_1e-14`, `glmnet_1e-24` and `saga` are the largest absolute differences
of the programs' coefficients from it.
"""

import pathlib
import subprocess
import sys
import tempfile
import warnings

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]
import environment  # noqa: E402

environment.enter(__file__)

import exact  # noqa: E402
import golden_file  # noqa: E402
import numpy as np  # noqa: E402
from problems import Spec, make  # noqa: E402
from sklearn.exceptions import ConvergenceWarning  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402

PROBLEMS = 32


def spec(problem: int) -> Spec:
    """Every fourth has more features than rows."""
    wide = problem % 4 == 3
    return Spec(
        seed=30_000 + problem,
        rows=40 if wide else [120, 200, 300][problem % 3],
        features=60 if wide else [4, 10, 20, 30][problem // 4 % 4],
        closeness=[1.0, 0.5, 0.2][problem // 2 % 3],
        threshold=[0.0, 0.7][problem % 2],
    )


def setting(problem: int) -> tuple[float, float, bool, bool]:
    """C, l1_ratio, fit_intercept, weighted."""
    strength = [0.02, 0.1, 0.5, 2.0][problem // 8 % 4]
    return strength, [0.25, 0.5, 0.9, 1.0][(problem + problem // 4) % 4], problem % 7 != 6, problem % 5 == 2


def answers_of_glmnet(folder: pathlib.Path) -> tuple[list[np.ndarray], list[str]]:
    for problem in range(PROBLEMS):
        table, (strength, l1_ratio, fit_intercept, weighted) = make(spec(problem)), setting(problem)
        s = table.weight if weighted else np.ones(len(table.y))
        np.savetxt(folder / f"{problem:02}.csv", np.column_stack([table.y, s, table.x]), delimiter=",", fmt="%.17g")
        (folder / f"{problem:02}.txt").write_text(f"{1 / (strength * s.sum()):.17g} {l1_ratio} {int(fit_intercept)}\n")
    done = subprocess.run(["Rscript", str(HERE / "elastic_net.R"), str(folder)], check=True, capture_output=True, text=True)
    return [np.loadtxt(folder / f"{problem:02}.out").T for problem in range(PROBLEMS)], done.stdout.split("\n")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        of_glmnet, (r, glmnet, *_) = answers_of_glmnet(pathlib.Path(folder))
    entries = []
    for problem, (coarse, answer) in enumerate(of_glmnet):
        table, (strength, l1_ratio, fit_intercept, weighted) = make(spec(problem)), setting(problem)
        s = table.weight if weighted else np.ones(len(table.y))
        l2, l1 = (1 - l1_ratio) / (strength * s.sum()), l1_ratio / (strength * s.sum())
        keep = np.where(np.abs(answer[1:]) > 1e-9, answer[1:], 0.0)
        w, b, _ = exact.newton(table.x, table.y, s, keep, answer[0], l2, l1, fit_intercept)
        left = exact.residual(table.x, table.y, s, w, b, l2, l1, fit_intercept)
        assert left < 1e-15, (problem, left)
        # How far the nearest weight that is 0 is from leaving it: the support is certain where this is not tiny.
        slope = np.abs(exact.gradient(*(np.asarray(part, dtype=exact.LONG) for part in (table.x, table.y, s, w)), b, l2)[0])
        margin = float(np.min(l1 - slope[w == 0], initial=np.inf))

        with warnings.catch_warnings():
            warnings.simplefilter("error", ConvergenceWarning)
            saga = LogisticRegression(
                C=strength, l1_ratio=l1_ratio, solver="saga", tol=1e-10, max_iter=2_000_000, fit_intercept=fit_intercept,
                random_state=0,
            ).fit(table.x, table.y, sample_weight=s if weighted else None)
        truth = np.append(b, w).astype(np.float64)
        from_saga = np.append(saga.intercept_, saga.coef_[0])
        entries.append(vars(spec(problem)) | {
            "C": strength, "l1_ratio": l1_ratio, "fit_intercept": fit_intercept, "weighted": weighted,
            "inputs": table.fingerprint(),
            "intercept": float(b), "coef": w.astype(np.float64).tolist(),
            "residual": float(f"{left:.1e}"), "margin": float(f"{margin:.2e}") if np.isfinite(margin) else None,
        } | {
            name: float(f"{np.abs(found - truth).max():.1e}")
            for name, found in (("glmnet_1e-14", coarse), ("glmnet_1e-24", answer), ("saga", from_saga))
        })
    golden_file.write(
        "elastic_net", "optima of L1 and elastic net, refined from glmnet's answers to a subgradient of 0 in long double; "
        "glmnet_…, saga: the programs' largest absolute differences from them",
        golden_file.versions("numpy", "scipy", "scikit-learn") | {"R": r.split(" (")[0], "glmnet": glmnet}, "problems", entries,
    )
    worst = ", ".join(f"{name} {max(e[name] for e in entries):.1e}" for name in ("glmnet_1e-14", "glmnet_1e-24", "saga"))
    print(f"largest differences: {worst}; smallest margin {min(e['margin'] or 1 for e in entries):.1e}")


if __name__ == "__main__":
    main()
