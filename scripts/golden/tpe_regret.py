"""The search `tpe` beside Optuna's TPESampler on five functions: the smallest value after so many trials, mean of the seeds.

    pip install optuna
    python3 scripts/golden/tpe_regret.py           # runs Optuna and writes data/golden/tpe_regret.json
    cargo test --release --workspace --lib regret -- --nocapture | python3 scripts/golden/tpe_regret.py draw

The second command takes gradsweep's own curves from a test, which compares them with the file, and makes the table on
standard output and docs/tpe-regret.svg. Optuna is asked for the same cohorts as gradsweep ("in cohorts", with its constant
liar), and for one trial at a time. The functions are those of crates/runner/src/search/regret.rs; their smallest value is 0.
"""

import json
import math
import sys

import golden_file

TRIALS, STARTUP, SEEDS = 96, 16, 20
AT = (16, 32, 48, 64, 96)


def valley(t):
    x, y = 4 * t.suggest_float("a", 0, 1) - 2, 4 * t.suggest_float("b", 0, 1) - 1
    return math.log1p((1 - x) ** 2 + 100 * (y - x * x) ** 2)


def mixed(t):
    offset = {"adam": 0.0, "sgd": 0.1}.get(t.suggest_categorical("solver", ["adam", "sgd", "rmsprop", "adagrad"]), 0.3)
    return offset + (math.log10(t.suggest_float("rate", 1e-4, 1, log=True)) + 2.5) ** 2 / 4


PROBLEMS = {
    "sphere": lambda t: (t.suggest_float("a", 0, 1) - 0.3) ** 2 + (t.suggest_float("b", 0, 1) - 0.8) ** 2,
    "valley": valley,
    "log scales": lambda t: (math.log10(t.suggest_float("c", 1e-4, 1e4, log=True)) - 1.5) ** 2 / 16
    + (math.log10(t.suggest_float("rate", 1e-4, 1, log=True)) + 1.2) ** 2 / 4,
    "mixed": mixed,
    "six dimensions": lambda t: sum((t.suggest_float(str(i), 0, 1) - 0.1 - 0.15 * i) ** 2 for i in range(6)),
}


def cohort(told):
    return STARTUP if told == 0 else min(max(told // 3, 16), 64)


def curve(optuna, seed, function, width):
    """The smallest value after 1, 2, ... trials."""
    sampler = optuna.samplers.TPESampler(n_startup_trials=STARTUP, constant_liar=True, seed=seed)
    study = optuna.create_study(sampler=sampler)
    best = []
    while len(best) < TRIALS:
        asked = [study.ask() for _ in range(min(width(len(best)), TRIALS - len(best)))]
        scores = [function(trial) for trial in asked]
        for trial, score in zip(asked, scores):
            study.tell(trial, score)
            best.append(min([score, *best[-1:]]))
    return best


def run():
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    entries = []
    for name, function in PROBLEMS.items():
        for how, width in (("in cohorts", cohort), ("one at a time", lambda told: 1)):
            curves = [curve(optuna, seed, function, width) for seed in range(SEEDS)]
            means = [sum(column) / SEEDS for column in zip(*curves)]
            spread = sum((own[-1] - means[-1]) ** 2 for own in curves) / (SEEDS - 1)
            entries.append({"problem": name, "how": how, "mean": means, "se_of_last": math.sqrt(spread / SEEDS)})
            print(f"{name:14}  {how:13}  " + "  ".join(f"{means[at - 1]:.5f}" for at in AT), flush=True)
    what = f"smallest values by optuna.samplers.TPESampler after 1 to {TRIALS} trials, means of {SEEDS} seeds"
    golden_file.write("tpe_regret", what, golden_file.versions("optuna"), "entries", entries)


COLORS = {"tpe": "#0b6e99", "random": "#999999", "in cohorts": "#d1603d", "one at a time": "#e9b872"}
NAMES = {
    "tpe": "gradsweep tpe",
    "random": "gradsweep random",
    "in cohorts": "Optuna, same cohorts",
    "one at a time": "Optuna, one at a time",
}


def panel(name, curves, left, top, wide=250, high=150):
    """The curves of a problem on a logarithmic scale."""
    values = [value for curve in curves.values() for value in curve[STARTUP - 1 :]]
    low, top_value = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    x = lambda trials: left + wide * (trials - STARTUP) / (TRIALS - STARTUP)
    y = lambda value: top + high * (top_value - math.log10(value)) / (top_value - low)
    parts = [f'<text x="{left}" y="{top - 8}" font-weight="bold">{name}</text>']
    for power in range(low, top_value + 1):
        at = y(10.0**power)
        parts.append(f'<path d="M{left} {at:.1f}h{wide}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 4}" y="{at + 4:.1f}" text-anchor="end">1e{power}</text>')
    for at in AT:
        parts.append(f'<text x="{x(at):.1f}" y="{top + high + 14}" text-anchor="middle">{at}</text>')
    for how, curve in curves.items():
        line = " ".join(f"{x(i + 1):.1f},{y(curve[i]):.1f}" for i in range(STARTUP - 1, TRIALS))
        parts.append(f'<polyline points="{line}" fill="none" stroke="{COLORS[how]}" stroke-width="1.8"/>')
    return parts


def draw():
    golden = json.loads((golden_file.ROOT / "data/golden/tpe_regret.json").read_text())
    curves = {name: {} for name in PROBLEMS}
    for line in sys.stdin:
        # The test runner may have begun the line.
        if "curve;" in line:
            name, how, means = line.strip().split("curve;")[1].split(";")
            curves[name][how] = [float(mean) for mean in means.split()]
    for entry in golden["entries"]:
        curves[entry["problem"]][entry["how"]] = entry["mean"]
    print("| problem | method | " + " | ".join(f"{at} trials" for at in AT) + " |")
    print("|---|---|" + "---|" * len(AT))
    for name, own in curves.items():
        for how in NAMES:
            cells = " | ".join(f"{own[how][at - 1]:.2g}" for at in AT)
            print(f"| {name} | {NAMES[how]} | {cells} |")
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 920 440" font-family="sans-serif" font-size="11">',
        '<rect width="920" height="440" fill="white"/>',
    ]
    for index, (name, own) in enumerate(curves.items()):
        parts += panel(name, {how: own[how] for how in NAMES}, 50 + 300 * (index % 3), 30 + 210 * (index // 3))
    for index, how in enumerate(NAMES):
        at = 280 + 22 * index
        parts.append(f'<path d="M650 {at}h24" stroke="{COLORS[how]}" stroke-width="2.5"/>')
        parts.append(f'<text x="682" y="{at + 4}">{NAMES[how]}</text>')
    parts.append(f'<text x="650" y="{280 + 22 * len(NAMES)}">smallest value by trials, mean of {SEEDS} seeds</text>')
    (golden_file.ROOT / "docs/tpe-regret.svg").write_text("\n".join([*parts, "</svg>"]) + "\n")


draw() if sys.argv[1:] == ["draw"] else run()
