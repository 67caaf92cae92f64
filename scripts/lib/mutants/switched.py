"""A source file that holds all of its mutants, each behind a condition on its number.

`a < b` whose operator is to be `<=` in mutant 7 becomes `(if crate::is_mutant(7) { a <= b } else { a < b })`. Where mutants lie inside
of each other, only one of them is ever switched on, so a mutated branch needs no mutants of its own.
"""

import dataclasses

import tree_sitter
import tree_sitter_rust

PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_rust.language()))
OPERATIONS = ("binary_expression", "compound_assignment_expr", "unary_expression")

# What a library gets at its end: whether a mutant is the one that is switched on.
SWITCH = """
#[doc(hidden)]
pub fn is_mutant(number: u32) -> bool {
    static ON: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
    *ON.get_or_init(|| std::env::var("MUTANT").ok().and_then(|on| on.parse().ok()).unwrap_or(0)) == number
}
"""


@dataclasses.dataclass(frozen=True)
class Region:
    """Bytes of the written file: of one mutant's branch, or of the whole condition of several."""

    start: int
    end: int
    numbers: tuple[int, ...]


class Switched:
    """A file and its mutants."""

    def __init__(self, text: bytes, mutants: dict[int, dict]) -> None:
        """`mutants` are those of `cargo mutants --list --json`, by number."""
        self.text = text
        self.root = PARSER.parse(text).root_node
        lines = text.split(b"\n")
        self.starts = [0]
        for line in lines:
            self.starts.append(self.starts[-1] + len(line) + 1)
        self.lines = lines
        # Branches by the expression they take the place of, and conditions put in before a place.
        self.branches: dict[tuple[int, int], dict[int, bytes]] = {}
        self.insertions: dict[int, list[tuple[int, bytes]]] = {}
        self.unplaced: set[int] = {number for number, mutant in mutants.items() if not self.place(number, mutant)}

    def offset(self, at: dict) -> int:
        """The byte of a line and a column, both from 1, the column in characters."""
        line = self.lines[at["line"] - 1].decode()
        return self.starts[at["line"] - 1] + len(line[: at["column"] - 1].encode())

    def node(self, start: int, end: int, kinds: tuple[str, ...]) -> tree_sitter.Node | None:
        """The smallest node around some bytes that is of one of these kinds."""
        node = self.root.descendant_for_byte_range(start, end)
        while node is not None and node.type not in kinds:
            node = node.parent
        return node

    def place(self, number: int, mutant: dict) -> bool:
        """Takes a mutant in; false where it has no form of its own behind a condition."""
        start, end = (self.offset(mutant["span"][side]) for side in ("start", "end"))
        text, replacement = self.text, mutant["replacement"].encode()
        match mutant["genre"]:
            case "FnValue":
                returned = b"return;" if replacement == b"()" else b"return " + replacement + b";"
                condition = b"if crate::is_mutant(%d) { %s } " % (number, returned)
                self.insertions.setdefault(start, []).append((number, condition))
            case "BinaryOperator" | "UnaryOperator":
                node = self.node(start, end, (*OPERATIONS, "let_chain"))
                if node is None or node.type == "let_chain" or not any(child.start_byte == start for child in node.children):
                    return False
                own = (node.start_byte, node.end_byte)
                mutated = text[own[0] : start] + replacement + text[end : own[1]]
                self.branches.setdefault(own, {})[number] = mutated
            case "MatchArmGuard":
                self.branches.setdefault((start, end), {})[number] = replacement
            case "MatchArm":
                arm = self.node(start, end, ("match_arm",))
                pattern = arm.child_by_field_name("pattern") if arm else None
                if pattern is None:
                    return False
                guard = pattern.child_by_field_name("condition")
                if guard is not None:
                    self.branches.setdefault((guard.start_byte, guard.end_byte), {})[number] = b"false"
                else:
                    condition = b" if !crate::is_mutant(%d) " % number
                    self.insertions.setdefault(pattern.end_byte, []).append((number, condition))
            case _:
                return False
        return True

    def write(self, dropped: set[int]) -> tuple[bytes, list[Region]]:
        """The file without some of the mutants, and where the others lie in it."""
        self.ranges = sorted(
            (own for own, branches in self.branches.items() if branches.keys() - dropped), key=lambda own: (own[0], -own[1])
        )
        self.dropped = dropped
        return self.rendered(0, len(self.text), False)

    def rendered(self, start: int, end: int, is_own: bool) -> tuple[bytes, list[Region]]:
        """The bytes of a range, with what lies inside of it behind its conditions."""
        out, regions, at = bytearray(), [], start
        inner = [own for own in self.ranges if start <= own[0] and own[1] <= end and not (is_own and own == (start, end))]
        points = sorted(place for place in self.insertions if start <= place < end)

        def copy(until: int) -> None:
            nonlocal at
            for place in [place for place in points if at <= place < until]:
                out.extend(self.text[at:place])
                at = place
                for number, condition in self.insertions[place]:
                    if number not in self.dropped:
                        regions.append(Region(len(out), len(out) + len(condition), (number,)))
                        out.extend(condition)
                points.remove(place)
            out.extend(self.text[at:until])
            at = until

        for own in inner:
            if own[0] < at:
                continue
            copy(own[0])
            whole = len(out)
            branches = {number: text for number, text in self.branches[own].items() if number not in self.dropped}
            out.extend(b"(")
            for number, text in branches.items():
                out.extend(b"if crate::is_mutant(%d) { " % number)
                regions.append(Region(len(out), len(out) + len(text), (number,)))
                out.extend(text + b" } else ")
            out.extend(b"{ ")
            text, within = self.rendered(*own, True)
            regions.extend(Region(one.start + len(out), one.end + len(out), one.numbers) for one in within)
            out.extend(text + b" })")
            regions.append(Region(whole, len(out), tuple(branches)))
            points[:] = [place for place in points if not own[0] <= place < own[1]]
            at = own[1]
        copy(end)
        return bytes(out), regions


def at_fault(text: bytes, regions: list[Region], start: int, end: int) -> tuple[int, ...]:
    """The mutants that an error at some bytes of a written file is about: of the smallest region around it; else of the arms of its
    `match`, which is not exhaustive without them; else of the nearest region before it, a return that gives the function its type."""
    around = [region for region in regions if region.start <= start and end <= region.end]
    if around:
        return min(around, key=lambda region: region.end - region.start).numbers
    node = PARSER.parse(text).root_node.descendant_for_byte_range(start, end)
    while node is not None and node.type not in ("match_expression", "function_item"):
        node = node.parent
    if node is None:
        return ()
    within = [region for region in regions if node.start_byte <= region.start and region.end <= node.end_byte]
    if node.type == "match_expression":
        arms = [region for region in within if text[region.start :].startswith(b" if !crate::is_mutant(")]
        return tuple(number for region in arms for number in region.numbers)
    before = [region for region in within if region.end <= start]
    return max(before, key=lambda region: region.end).numbers if before else ()
