#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docs/http1-conformance.md: each rule names its tests, and each of these tests is there and is run."""
import os
import pathlib
import re
import unittest

ROOT = pathlib.Path(os.environ.get("WEFT_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
PAGE = ROOT / "docs" / "http1-conformance.md"
COLUMNS = 4


def tests_of_the_tree():
    """The names that are handed to cmocka: a function that nobody lists is no test."""
    names = set()
    for folder in ("unit", "contract", "e2e", "interop"):
        for path in (ROOT / "tests" / folder).glob("*.c"):
            names |= set(re.findall(r"cmocka_unit_test\w*\(\s*(\w+)", path.read_text()))
    return names


def findings(page, known):
    """What is wrong with the page, line by line."""
    rules = 0
    for number, line in enumerate(page.splitlines(), 1):
        cells = [c.strip() for c in line.strip("|").split("|")] if line.startswith("|") else []
        if not cells or cells[0] in ("Section", "---"):
            continue
        if len(cells) != COLUMNS:
            yield f"{number}: {len(cells)} columns, expected {COLUMNS}"
            continue
        rules += 1
        section, _, side, pinned = cells
        named = re.findall(r"`(\w+)`", pinned)
        if not re.match(r"\d+(\.\d+)*( \(\d\))?$", section):
            yield f"{number}: section \"{section}\""
        if side not in ("S", "C", "both"):
            yield f"{number}: side \"{side}\", expected S, C or both"
        if not named and not pinned.startswith("Not ours: "):
            yield f"{number}: neither a test nor whose it is"
        for name in named:
            if name not in known:
                yield f"{number}: there is no test {name}"
    if not rules:
        yield "no rules at all"


def checks_itself(known):
    """A check that finds nothing must be able to find something."""
    some = sorted(known)[0]
    good = f"| 2.2 | a rule | S | `{some}` |"
    for bad in ("", good.replace(some, "no_such_test"), good.replace("| S |", "| X |"),
                good.replace(f"`{some}`", "surely"), good + " more |", good.replace("2.2", "two")):
        assert list(findings(bad, known)), bad
    assert not list(findings(good, known))


class Conformance(unittest.TestCase):
    def test_the_check_finds_what_is_wrong(self):
        checks_itself(tests_of_the_tree())

    def test_each_rule_names_tests_that_exist(self):
        self.assertEqual(list(findings(PAGE.read_text(), tests_of_the_tree())), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
