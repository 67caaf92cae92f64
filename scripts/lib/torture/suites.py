"""Figures that the test programs make, as they reach further in than the command line does."""

import os
import pathlib
import re
import subprocess

from .sandbox import Bench, Case

ROOT = pathlib.Path(__file__).resolve().parents[3]
POWER_CUTS = 10_000
FUZZ_SECONDS = 60


def power_cuts(bench: Bench) -> list[Case]:
    """Power cuts at random points of a store's life, on a simulated disk: what comes back is a state that was."""
    output = test(bench, "--lib", "power::tests::ten_thousand_power_cuts", {"TORTURE_CASES": str(POWER_CUTS)})
    found = re.search(r"^passed (\d+)/(\d+)$", output, re.MULTILINE)
    if found is None:
        return [Case("the test itself", output[-2000:])]
    return counted(int(found[1]), int(found[2]), re.findall(r"^failed (.*)$", output, re.MULTILINE))


def fuzz(target: str):
    """A figure of one fuzz target: mutated inputs are an error or what they say, and never a panic."""

    def figure(bench: Bench) -> list[Case]:
        environment = {"FUZZ_SECONDS": str(FUZZ_SECONDS), "FUZZ_ONLY": target}
        output = test(bench, "--test=it", "fuzz::every_target_for_long", environment)
        found = re.search(r"^fuzz: .* (\d+)/(\d+)$", output, re.MULTILINE)
        if found is None:
            return [Case("the test itself", output[-2000:])]
        return counted(int(found[1]), int(found[2]), re.findall(r"^failed (.*)$", output, re.MULTILINE))

    return figure


def test(bench: Bench, kind: str, name: str, environment: dict[str, str]) -> str:
    """What a test that is only run when it is asked for prints."""
    command = ["cargo", "test", "--release", "--workspace", kind, name, "--", "--ignored", "--nocapture", "--exact"]
    environment = os.environ | environment | {"TORTURE_SEED": str(bench.seed), "RUST_BACKTRACE": "0"}
    outcome = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    return outcome.stdout + (outcome.stderr if outcome.returncode else "")


def counted(passed: int, total: int, complaints: list[str]) -> list[Case]:
    """As many cases as were counted; those that failed come with what is known of them."""
    failed = [Case("", complaint) for complaint in complaints]
    failed += [Case("", "not shown")] * (total - passed - len(failed))
    return [*failed, *[Case("", "")] * passed]
