#!/usr/bin/env python3
# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy==2.4.6", "torch==2.15.0"]
# ///
"""data/golden/trajectories.csv: 200 steps of PyTorch's optimizers in float64, every weight after every step.

    scripts/golden/trajectories.py

Full batches of data/golden/trajectories-rows.csv: 48 rows, 5 features, multiples of 1/64. The loss is the mean log loss
plus l2/2 |w|^2; the intercept is not penalized and, for adamw, does not decay (a parameter group of its own). All start
from w_j = (j - 2) / 8, b = 1/4. Not torch's defaults: adagrad's epsilon (1e-10 there), rmsprop's rho (alpha = 0.99) and
adamw's weight decay (1e-2). rmsprop has a large epsilon: near the optimum its step is otherwise the sign of the gradient,
and programs part that differ in the last bit.
"""

import pathlib
import platform
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]
import environment  # noqa: E402

environment.enter(__file__)

import numpy as np  # noqa: E402
import torch  # noqa: E402
from golden_file import FOLDER  # noqa: E402
from problems import Stream  # noqa: E402

ROWS, FEATURES, STEPS, L2 = 48, 5, 200, 0.01

OPTIMIZERS = {
    "sgd": lambda groups: torch.optim.SGD(groups, lr=0.5),
    "sgd-momentum": lambda groups: torch.optim.SGD(groups, lr=0.1, momentum=0.9),
    "sgd-nesterov": lambda groups: torch.optim.SGD(groups, lr=0.1, momentum=0.9, nesterov=True),
    "adam": lambda groups: torch.optim.Adam(groups, lr=0.05, betas=(0.9, 0.999), eps=1e-8),
    "adamw": lambda groups: torch.optim.AdamW(groups, lr=0.05, betas=(0.8, 0.99), eps=1e-6),
    "adagrad": lambda groups: torch.optim.Adagrad(groups, lr=0.3, eps=1e-8),
    "rmsprop": lambda groups: torch.optim.RMSprop(groups, lr=0.02, alpha=0.9, eps=1e-2),
}


def rows() -> tuple[np.ndarray, np.ndarray]:
    """Features and labels that are not separated."""
    stream = Stream(70_000)
    x = np.round(stream.normal(ROWS, FEATURES) * 64) / 64
    y = (x @ np.array([1.0, -0.5, 0.25, 0.0, -1.0]) + 1.5 * stream.normal(ROWS) > 0.25).astype(np.float64)
    return x, y


def trajectory(build, decay: float, x: torch.Tensor, y: torch.Tensor) -> np.ndarray:
    """(STEPS, FEATURES + 1): the weights and the intercept after each step."""
    w = ((torch.arange(FEATURES, dtype=torch.float64) - 2) / 8).requires_grad_()
    b = torch.tensor(0.25, dtype=torch.float64, requires_grad=True)
    groups = [{"params": [w]}, {"params": [b]}]
    if decay:
        groups[0]["weight_decay"], groups[1]["weight_decay"] = decay, 0.0
    optimizer = build(groups)
    made = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(x @ w + b, y) + L2 / 2 * (w * w).sum()
        loss.backward()
        optimizer.step()
        made.append(np.append(w.detach().numpy().copy(), b.item()))
    return np.array(made)


def main() -> None:
    x, y = rows()
    made_with = f"python {platform.python_version()}, torch {torch.__version__}, numpy {np.__version__}"
    lines = [f"# features and label of the problem of trajectories.csv; made by scripts/golden/trajectories.py, {made_with}"]
    lines += [",".join([*(repr(float(value)) for value in row), str(int(label))]) for row, label in zip(x, y)]
    (FOLDER / "trajectories-rows.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")

    lines = [f"# optimizer,step,weights...,intercept; made by scripts/golden/trajectories.py, {made_with}"]
    for name, build in OPTIMIZERS.items():
        made = trajectory(build, 0.1 if name == "adamw" else 0.0, torch.from_numpy(x), torch.from_numpy(y))
        assert np.isfinite(made).all()
        lines += [",".join([name, str(step + 1), *(repr(float(value)) for value in point)]) for step, point in enumerate(made)]
        print(f"{name:13} after {STEPS} steps {np.round(made[-1], 4)}")
    path = FOLDER / "trajectories.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(OPTIMIZERS)} optimizers, {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
