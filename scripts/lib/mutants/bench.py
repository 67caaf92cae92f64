"""Builds a library with its mutants in it, and runs its tests once for each of them."""

import concurrent.futures
import dataclasses
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from .switched import SWITCH, Switched, at_fault

# A mutant that takes so many times as long as the tests do without it, and at least so many seconds, is noticed.
PATIENCE = 20
LEAST_SECONDS = 20


@dataclasses.dataclass
class Area:
    """Some files of a crate, and what guards them."""

    crate: str
    files: list[str]
    # Others that make cargo resolve the features of the whole workspace: what is built of it stays built.
    beside: list[str]
    # Parts of the names of the tests that each mutant faces, and of those that face the ones that survive them; all if none.
    tests: list[str]
    beyond: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Verdict:
    """What became of the mutants of an area, by name."""

    killed: list[str]
    survived: list[str]
    # Those that do not compile behind a condition; by themselves most of them would not compile either.
    not_compiled: list[str]


class Bench:
    """A copy of the sources, as old as these, so that cargo takes crates without mutants as they are built."""

    def __init__(self, root: pathlib.Path, target: pathlib.Path, jobs: int) -> None:
        self.root, self.jobs = root, jobs
        self.tree = pathlib.Path(tempfile.mkdtemp(prefix="gradsweep-mutants-"))
        self.environment = os.environ | {"CARGO_TARGET_DIR": str(target), "PROPTEST_CASES": "48", "RUST_BACKTRACE": "0"}
        self.environment |= {"INSTA_UPDATE": "no", "INSTA_FORCE_PASS": "0"}
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=True).stdout
        for name in listed.decode().split("\0"):
            if name and (root / name).is_file():
                (self.tree / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(root / name, self.tree / name)

    def close(self) -> None:
        """Removes the copy."""
        shutil.rmtree(self.tree, ignore_errors=True)

    def mutants(self, area: Area) -> dict[int, dict]:
        """The mutants that there are, by number."""
        command = ["cargo", "mutants", "--list", "--json", *[f"--file={file}" for file in area.files]]
        listed = subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=True).stdout
        return dict(enumerate(json.loads(listed), 1))

    def judge(self, area: Area, share: tuple[int, int]) -> Verdict:
        """Runs the tests of an area for every mutant of a share of them."""
        mutants = {number: mutant for number, mutant in self.mutants(area).items() if number % share[1] == share[0] - 1}
        program, dropped = self.build(area, mutants)
        package = self.tree / "crates" / area.crate

        def run(number: int, tests: list[str], seconds: float | None) -> bool:
            environment = self.environment | {"MUTANT": str(number), "CARGO_MANIFEST_DIR": str(package)}
            try:
                done = subprocess.run(
                    [program, *tests], cwd=package, env=environment, capture_output=True, timeout=seconds, check=False
                )
            except subprocess.TimeoutExpired:
                return False
            return done.returncode == 0

        left = [number for number in mutants if number not in dropped]
        for tests in (area.tests, area.beyond):
            if not left:
                break
            start = time.monotonic()
            if not run(0, tests, None):
                sys.exit(f"the tests of {area.crate} fail without any mutant")
            seconds = max(LEAST_SECONDS, PATIENCE * (time.monotonic() - start))
            with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
                passed = list(pool.map(lambda number: run(number, tests, seconds), left))
            left = [number for number, has_passed in zip(left, passed, strict=True) if has_passed]
        names = {number: mutant["name"] for number, mutant in mutants.items()}
        return Verdict(
            [name for number, name in names.items() if number not in left and number not in dropped],
            [names[number] for number in left],
            [names[number] for number in sorted(dropped)],
        )

    def build(self, area: Area, mutants: dict[int, dict]) -> tuple[str, set[int]]:
        """The program of a crate's unit tests with the mutants in it that compile, and those that do not."""
        of_files: dict[str, dict[int, dict]] = {}
        for number, mutant in mutants.items():
            of_files.setdefault(mutant["file"], {})[number] = mutant
        originals = {file: (self.root / file).read_bytes() for file in of_files}
        switched = {file: Switched(originals[file], own) for file, own in of_files.items()}
        dropped = {number for one in switched.values() for number in one.unplaced}
        library = f"crates/{area.crate}/src/lib.rs"
        (self.tree / library).write_bytes((self.root / library).read_bytes() + SWITCH.encode())
        try:
            while True:
                written = {file: one.write(dropped) for file, one in switched.items()}
                for file, (text, _) in written.items():
                    (self.tree / file).write_bytes(text)
                program, errors = self.compile(area)
                if program:
                    return program, dropped
                found = {
                    number
                    for error in errors
                    for span in sorted(error["spans"], key=lambda span: not span["is_primary"])[:1]
                    if span["file_name"] in written
                    for number in at_fault(*written[span["file_name"]], span["byte_start"], span["byte_end"])
                }
                if not found - dropped:
                    sys.exit("\n".join(error["rendered"] for error in errors) or "cargo failed")
                dropped |= found
        finally:
            for file in [*originals, library]:
                shutil.copy2(self.root / file, self.tree / file)

    def compile(self, area: Area) -> tuple[str | None, list[dict]]:
        """The program, or the errors. The crate is not optimized: most of the time would go into that."""
        fast = f"--config=profile.release.package.gradsweep-{area.crate}.opt-level=0"
        packages = [f"--package=gradsweep-{crate}" for crate in [area.crate, *area.beside]]
        command = ["cargo", "test", "--release", "--no-run", "--lib", "--message-format=json", fast, *packages]
        done = subprocess.run(command, cwd=self.tree, env=self.environment, stdout=subprocess.PIPE, text=True, check=False)
        messages = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        errors = [one["message"] for one in messages if one["reason"] == "compiler-message"]
        errors = [error for error in errors if error["level"] == "error" and error["spans"]]
        name = f"gradsweep_{area.crate}"
        for one in messages:
            if one["reason"] == "compiler-artifact" and one["target"]["name"] == name and one["executable"]:
                return (one["executable"] if done.returncode == 0 else None), errors
        return None, errors
