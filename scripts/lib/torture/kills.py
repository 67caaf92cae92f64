"""kill -9 at times that nobody chose."""

from .sandbox import CONFIG, Bench, Case, Sandbox

# Long enough that most kills fall into training.
EPOCHS = 400


def anywhere(bench: Bench) -> list[Case]:
    """Kills a sweep, and up to three times what resumes it, each at a random time and with a random number of threads."""
    config = CONFIG.format(epochs=EPOCHS)
    whole, duration = bench.undisturbed("times", config)

    def judge(index: int, _: object) -> Case:
        rng = bench.rng("anywhere", index)
        box = bench.sandbox(f"time-{index}", config)
        killed = []
        for _ in range(rng.randint(1, 4)):
            killed.append(kill_once(box, rng.choice([1, 2, 3, 8]), rng.uniform(0, duration)))
        if rng.random() < 0.3 and (box.store / "manifest.json").exists():
            # A reader that dies must leave no trace either.
            kill(box, ["compare", "store"], rng.uniform(0, 0.2))
        outcome = box.finish()
        complaint = whole.differences(box.store) if outcome.returncode == 0 else f"{outcome.returncode}: {outcome.stderr}"
        box.clear()
        return Case(f"case {index}, killed after {', '.join(killed)}", complaint)

    return bench.each(list(range(bench.size(8, 200))), judge)


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
