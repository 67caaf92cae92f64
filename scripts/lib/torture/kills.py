"""kill -9 at times that nobody chose."""

from .sandbox import CONFIG, Bench, Case, Sandbox

# Long enough that most kills fall into training.
EPOCHS = 400

# Short intervals, so that most kills fall behind a checkpoint.
OFTEN = 'threads = 1\ncheckpoint_every = "5ms"\n'
PLAIN = CONFIG.format(epochs=EPOCHS)
# Runs between others along C, kinks, one without a penalty; both solvers that converge.
CONVERGING = (
    CONFIG.format(epochs=60)
    .replace("batch_rows = 64\nrestarts = 2\n", "tol = 1e-9\n")
    .replace('init = { kind = "normal", std = 0.1 }\n', "")
    .replace('"adam", "sgd", "lbfgs"', '"lbfgs", "newton"')
    .replace("[0.1, 10.0]", "[1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0, 1e3, 1e4, 1e5, inf]\nmodel.l1_ratio = [0.0, 0.5]")
)
# Cohorts of two kinds that wait for each other at the rungs.
HALVED = (
    CONFIG.format(epochs=EPOCHS)
    .replace("[sweep.parameters]", "[sweep]\nhalving = { factor = 3, min_epochs = 5 }\n[sweep.parameters]")
    .replace(', "lbfgs"', "")
    .replace("[0.1, 10.0]", '[0.1, 1.0, 10.0]\ntrain.learning_rate = [0.003, 0.03, 0.3]\ntrain.batch_rows = [32, "full"]')
)
# Trials that follow from the scores of those before.
SCORED = (
    CONFIG.format(epochs=60)
    .replace("[sweep.parameters]", '[sweep]\nmethod = "tpe"\ntrials = 50\n[sweep.parameters]')
    .replace(', "lbfgs"', "")
    .replace("[0.1, 10.0]", "{ min = 1e-3, max = 1e3, log = true }\ntrain.learning_rate = { min = 1e-3, max = 0.3, log = true }")
)
# The kinds of sweeps that kills and signals are tried on; half of the cases are of the first.
KINDS = {
    "steps": PLAIN,
    "steps, checkpoints often": PLAIN.replace("threads = 1\n", OFTEN),
    "lbfgs and newton": CONVERGING.replace("threads = 1\n", OFTEN),
    "halving": HALVED.replace("threads = 1\n", OFTEN),
    "tpe": SCORED.replace("threads = 1\n", OFTEN),
    "target": HALVED.replace("halving = { factor = 3, min_epochs = 5 }", "target = 0.42").replace("threads = 1\n", OFTEN),
}


def kind_of(index: int) -> str:
    """The kind of sweep of a case."""
    names = list(KINDS)
    return names[0] if index % 2 == 0 else names[1 + index // 2 % (len(names) - 1)]


def undisturbed(bench: Bench) -> dict:
    """What a sweep of each kind leaves that nothing happens to, and the seconds it takes."""
    return {name: bench.undisturbed(f"kind-{place}", config) for place, (name, config) in enumerate(KINDS.items())}


def anywhere(bench: Bench) -> list[Case]:
    """Kills a sweep, and up to three times what resumes it, each at a random time and with a random number of threads."""
    kinds = undisturbed(bench)

    def judge(index: int, _: object) -> Case:
        rng = bench.rng("anywhere", index)
        kind = kind_of(index)
        whole, duration = kinds[kind]
        box = bench.sandbox(f"time-{index}", KINDS[kind])
        killed = []
        for _ in range(rng.randint(1, 4)):
            killed.append(kill_once(box, rng.choice([1, 2, 3, 8]), rng.uniform(0, duration)))
        if rng.random() < 0.3 and (box.store / "manifest.json").exists():
            # A reader that dies must leave no trace either.
            kill(box, ["compare", "store"], rng.uniform(0, 0.2))
        outcome = box.finish()
        complaint = whole.differences(box.store) if outcome.returncode == 0 else f"{outcome.returncode}: {outcome.stderr}"
        box.clear()
        return Case(f"case {index}, {kind}, killed after {', '.join(killed)}", complaint)

    return bench.each(list(range(bench.size(10, 200))), judge)


def extended(bench: Bench) -> list[Case]:
    """Gives a finished sweep more epochs and kills what trains them: the end is that of a sweep which had as many at once."""
    # Where a target or scores decided what is trained, more epochs are refused.
    kinds = {name: config for name, config in KINDS.items() if name not in ("target", "tpe")}
    # Where runs had all of their epochs, there is something to go on with.
    short = {name: config.replace("epochs = 60", "epochs = 7") for name, config in kinds.items()}
    longer = {"400": "500", "7": "60"}
    more = {name: longer["7" if "epochs = 7" in config else "400"] for name, config in short.items()}
    wholes = {}
    for place, (name, config) in enumerate(short.items()):
        epochs = "epochs = 7\n" if "epochs = 7\n" in config else f"epochs = {EPOCHS}\n"
        wholes[name] = bench.undisturbed(f"more-{place}", config.replace(epochs, f"epochs = {more[name]}\n"))

    def judge(index: int, _: object) -> Case:
        rng = bench.rng("extended", index)
        name = list(short)[index % len(short)]
        whole, duration = wholes[name]
        box = bench.sandbox(f"more-case-{index}", short[name])
        first = box.finish()
        command = ["run", "sweep.toml", "--quiet", "--set", f"train.epochs={more[name]}"]
        seconds = rng.uniform(0, duration)
        kill(box, command, seconds)
        outcome = first if first.returncode != 0 else box.run(*command)
        complaint = whole.differences(box.store) if outcome.returncode == 0 else f"{outcome.returncode}: {outcome.stderr}"
        box.clear()
        return Case(f"case {index}, {name}, killed after {seconds:.3f} s of more epochs", complaint)

    return bench.each(list(range(bench.size(4, 60))), judge)


def kill_once(box: Sandbox, threads: int, seconds: float) -> str:
    """Starts or resumes the sweep and kills it."""
    if (box.store / "manifest.json").exists():
        command = ["resume", "store", "--quiet", "--threads", str(threads)]
    else:
        command = ["run", "sweep.toml", "--quiet", "--set", f"run.threads={threads}"]
    return f"{kill(box, command, seconds):.3f} s on {threads}"


def kill(box: Sandbox, command: list[str], seconds: float) -> float:
    """Starts a command and kills it after so many seconds."""
    process = box.start(*command)
    try:
        process.wait(seconds)
    except Exception:  # noqa: BLE001  (it is still running: that is the point)
        process.kill()
    process.communicate()
    return seconds
