# SPDX-License-Identifier: MIT
"""scripts/summary: adds up single cases, tells failures and skips, and is not content with nothing."""
import os
import pathlib
import sys
import tempfile
import unittest
from xml.sax.saxutils import escape

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import weftlib  # noqa: E402

SUMMARY = weftlib.SOURCE / "scripts" / "summary"
CMOCKA = """[==========] Running 3 test(s).
[ RUN      ] one
[       OK ] one
[ RUN      ] two
[       OK ] two
[ RUN      ] three
[       OK ] three
[==========] 3 test(s) run.
[  PASSED  ] 3 test(s).
"""
CMOCKA_FAILED = CMOCKA.replace("[       OK ] two", "[  FAILED  ] two") + " 1 FAILED TEST(S)\n"
CMOCKA_SKIPPED = CMOCKA + "[  SKIPPED ] 1 test(s), listed below:\n[  SKIPPED ] two\n"
UNITTEST = "test_one ... ok\ntest_two ... ok\n\nRan 2 tests in 0.1s\n\nOK\n"
UNITTEST_SKIPPED = ("test_one ... ok\ntest_two ... skipped 'no browser'\n\nRan 2 tests in 0.1s\n\n"
                    "OK (skipped=1)\n")
UNITTEST_FAILED = "Ran 4 tests in 0.1s\n\nFAILED (failures=1, errors=1, skipped=1)\n"


class Summary(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.results = pathlib.Path(folder.name)

    def verdict(self, name, word):
        (self.results / f"{name}.verdict").write_text(word + "\n")

    def report(self, name, *programs):
        cases = "".join(f'<testcase name="{test}" status="{status}"><system-out>{escape(output)}'
                        "</system-out></testcase>" for test, status, output in programs)
        (self.results / f"{name}.xml").write_text(f"<testsuite>{cases}</testsuite>")

    def summary(self, code):
        done = weftlib.run(sys.executable, str(SUMMARY), str(self.results))
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout.splitlines()

    def test_cases_are_counted_not_programs(self):
        self.report("dev", ("unit.a", "run", CMOCKA), ("e2e.b", "run", UNITTEST),
                    ("fuzz.c", "run", ""))
        self.verdict("rules", "pass")
        self.assertEqual(self.summary(0), ["7 passed, 0 failed, 0 skipped"])

    def test_several_groups_of_one_program_are_added_up(self):
        self.report("dev", ("unit.a", "run", CMOCKA + CMOCKA))
        self.assertEqual(self.summary(0), ["6 passed, 0 failed, 0 skipped"])

    def test_failures_are_told_and_fail(self):
        self.report("dev", ("unit.a", "fail", CMOCKA_FAILED), ("e2e.b", "fail", UNITTEST_FAILED))
        self.verdict("rules", "fail")
        self.assertEqual(self.summary(1), ["FAILED rules", "FAILED dev: unit.a",
                                           "FAILED dev: e2e.b",
                                           "skipped dev: e2e.b: 1 ()",
                                           "3 passed, 4 failed, 1 skipped"])

    def test_skips_are_told_with_their_reasons_and_do_not_fail(self):
        self.report("dev", ("unit.a", "run", CMOCKA_SKIPPED), ("e2e.b", "run", UNITTEST_SKIPPED),
                    ("interop.c", "notrun", "skipped: no nginx\n"))
        self.assertEqual(self.summary(0), ["skipped dev: unit.a: 1 (two)",
                                           "skipped dev: e2e.b: 1 (no browser)",
                                           "skipped dev: interop.c: 1 (no nginx)",
                                           "3 passed, 0 failed, 3 skipped"])

    def test_a_program_that_crashed_or_was_cut_off_failed(self):
        begun = CMOCKA[:CMOCKA.index("[==========] 3")]
        self.report("dev", ("unit.a", "fail", CMOCKA + begun), ("unit.b", "fail", CMOCKA),
                    ("unit.c", "fail", begun))
        lines = self.summary(1)
        self.assertEqual(lines, ["FAILED dev: unit.a", "FAILED dev: unit.b", "FAILED dev: unit.c",
                                 "4 passed, 3 failed, 0 skipped"])

    def test_a_program_that_ran_nothing_failed(self):
        self.report("dev", ("unit.a", "run", ""), ("unit.b", "notrun", ""))
        self.assertEqual(self.summary(1)[-1], "0 passed, 2 failed, 0 skipped")

    def test_no_results_at_all_fail(self):
        self.assertEqual(self.summary(1), ["0 passed, 0 failed, 0 skipped"])

    def test_a_folder_that_is_missing_fails(self):
        self.results = self.results / "gone"
        self.assertEqual(self.summary(1), ["0 passed, 0 failed, 0 skipped"])

    def test_a_report_that_is_cut_off_fails(self):
        (self.results / "dev.xml").write_text("<testsuite><testcase")
        done = weftlib.run(sys.executable, str(SUMMARY), str(self.results))
        self.assertNotEqual(done.returncode, 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
