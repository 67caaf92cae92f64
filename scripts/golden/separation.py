#!/usr/bin/env python3
# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy==2.4.6", "scipy==1.17.1"]
# ///
"""data/golden/separation.json: 20 small problems whose classes are separated, and 200 whose classes overlap.

    scripts/golden/separation.py

Without a penalty the first have no optimum and the others have one (Albert and Anderson 1984). Which is which is decided
by linear programming (Konis 2007), not by how a problem was made: with s = 2y - 1 and X with a column of ones,

    maximize  sum_i s_i x_i . w    subject to  0 <= s_i x_i . w <= 1 for every row

is 0 where the classes overlap, and at least 1 where they are separated, completely or but for rows on the boundary: a
gap that no rounding closes. A second program, s_i x_i . w >= 1 for every row, tells complete separation.
"""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]
import environment  # noqa: E402

environment.enter(__file__)

import golden_file  # noqa: E402
import numpy as np  # noqa: E402
from problems import Lattice, Table, make_lattice  # noqa: E402
from scipy.optimize import linprog  # noqa: E402


def verdict(table: Table) -> str:
    """overlap, quasi or complete."""
    design = np.column_stack([table.x, np.ones(len(table.y))])
    signed = (2 * table.y - 1)[:, None] * design
    rows, free = len(signed), [(None, None)] * design.shape[1]
    both = np.vstack([signed, -signed])
    found = linprog(-signed.sum(axis=0), A_ub=both, b_ub=np.append(np.ones(rows), np.zeros(rows)), bounds=free, method="highs")
    assert found.status == 0, found.message
    if -found.fun < 0.5:
        assert abs(found.fun) < 1e-6, found.fun
        return "overlap"
    assert -found.fun > 1 - 1e-6, found.fun
    strict = linprog(np.zeros(design.shape[1]), A_ub=-signed, b_ub=-np.ones(rows), bounds=free, method="highs")
    return "complete" if strict.status == 0 else "quasi"


def candidates():
    """Separated ones of three kinds, then overlapping ones from a single turned label to a quarter of them."""
    for number in range(20):
        features = 1 + number % 4
        kind = ["complete", "boundary", "level"][number % 3]
        if kind == "level":
            features += 1
        yield Lattice(50_000 + number, 30 + 10 * (number % 7), features, [2, 5, 9][number // 3 % 3], kind, 3 + number % 3)
    for number in range(400):
        rows = 30 + 10 * (number % 17)
        flips = [2, 3, 4, 6, rows // 10, rows // 4][number % 6]
        yield Lattice(51_000 + number, rows, 1 + number % 6, [2, 5, 9, 30][number // 6 % 4], "overlap", flips)


def main() -> None:
    entries = []
    wanted = {"separated": 20, "overlap": 200}
    for spec in candidates():
        table = make_lattice(spec)
        design = np.column_stack([table.x, np.ones(len(table.y))])
        # A constant or collinear feature is another matter than separation.
        if table.y.min() == table.y.max() or np.linalg.matrix_rank(design) < design.shape[1]:
            continue
        found = verdict(table)
        group = "overlap" if found == "overlap" else "separated"
        # A problem that its turned labels left separated is left out; one meant to be separated never overlaps.
        assert spec.kind == "overlap" or group == "separated", spec
        if (group == "separated") != (spec.kind != "overlap") or wanted[group] == 0:
            continue
        wanted[group] -= 1
        entries.append(vars(spec) | {"verdict": found, "inputs": table.fingerprint()})
    assert not any(wanted.values()), wanted
    golden_file.write(
        "separation", "are the classes separated? decided by linear programming (HiGHS) on integer features",
        golden_file.versions("numpy", "scipy"), "problems", entries,
    )
    for word in ("complete", "quasi", "overlap"):
        print(word, sum(entry["verdict"] == word for entry in entries))


if __name__ == "__main__":
    main()
