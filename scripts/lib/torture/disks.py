"""Disks that are really full."""

from .sandbox import Bench, Case

# A run, on a disk of a size that is then enlarged, and its continuation; the store is copied out for comparison.
SCRIPT = """
mkdir -p store && mount -t tmpfs -o size={size}k none store || exit 97
"$0" run sweep.toml --quiet >/dev/null 2>first.err; echo $? >first
mount -o remount,size=64m store || exit 98
if [ -e store/manifest.json ]; then "$0" resume store --quiet >/dev/null 2>second.err
else "$0" run sweep.toml --quiet >/dev/null 2>second.err; fi
echo $? >second
cp -a store copy
"""


def full(bench: Bench) -> list[Case]:
    """Disks of twelve sizes, from one that holds nothing to one that holds nearly all."""
    needed = sum(file.stat().st_size for file in (bench.scratch / "whole" / "store").rglob("*") if file.is_file()) // 1024
    sizes = [4 * max(1, round(needed * share / 11 / 4)) for share in range(12)]

    def judge(index: int, size: int) -> Case:
        box = bench.sandbox(f"disk-{index}")
        command = ["unshare", "--mount", "--map-root-user", "sh", "-c", SCRIPT.format(size=size)]
        outcome = box.run(wrap=command)
        name = f"a disk of {size} KiB"
        if outcome.returncode != 0:
            return Case(name, f"could not be made: {outcome.stderr.strip()}")
        first, second = ((box.folder / which).read_text().strip() for which in ("first", "second"))
        said = (box.folder / "first.err").read_text()
        if first not in ("0", "4"):
            complaint = f"ends with {first}: {said}"
        elif first == "4" and "store" not in said:
            complaint = f"names no path: {said}"
        elif second != "0":
            complaint = f"going on ends with {second}: {(box.folder / 'second.err').read_text()}"
        else:
            complaint = bench.whole.differences(box.folder / "copy")
        return Case(name, complaint)

    chosen = sizes[:: bench.size(4, 1)]
    return bench.each(chosen, judge)
