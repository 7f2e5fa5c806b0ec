# SPDX-License-Identifier: MIT
"""bench/trust: idle trust stores cost nothing, measured with a few of them; and that its verdict can be the other one."""
import json
import os
import pathlib
import sys
import tempfile
import unittest
import xml.etree.ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import weftlib  # noqa: E402

BENCH = weftlib.SOURCE / "bench"
PROGRAM = weftlib.BUILD / "bench" / "bench-trust"
STORES = (1, 3)
KEYS = {"backend", "hold", "stores", "idle", "one", "all", "after", "build_us_median", "build_us_p99"}
SVG = "{http://www.w3.org/2000/svg}"


def make_bundle(path, count):
    """As many certificates, where the machine has no bundle of its own."""
    for _ in range(count):
        weftlib.run("openssl", "req", "-x509", "-config", "/dev/null", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=some CA", "-keyout", "/dev/null",
                    "-out", path.with_suffix(".one"))
        with open(path, "a", encoding="ascii") as bundle:
            bundle.write(path.with_suffix(".one").read_text())


class Trust(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.bundle = cls.folder / "bundle.pem"
        make_bundle(cls.bundle, 10)
        cls.kept = cls.folder / "kept.json"
        words = [word for n in STORES for word in ("--stores", n)]
        cls.done = weftlib.run(BENCH / "trust", "--build", weftlib.BUILD, "--bundle", cls.bundle, *words, "--rounds", "40",
                               "--check", "--json", "--save", cls.kept, timeout=10 * weftlib.SECONDS)

    def read(self, change=None, *arguments):
        """Shows what was kept, with some figures changed."""
        kept = json.loads(self.kept.read_text())
        for row in kept["rows"]:
            if change:
                change(row)
        other = self.folder / "other.json"
        other.write_text(json.dumps(kept))
        return weftlib.run(BENCH / "trust", "--read", other, *arguments)

    def test_idle_stores_cost_nothing_and_one_in_use_costs_one(self):
        self.assertEqual((self.done.returncode, self.done.stderr), (0, ""))

    def test_each_run_is_a_line_of_json(self):
        rows = [json.loads(line) for line in self.done.stdout.splitlines()]
        self.assertEqual([(row["backend"], row["hold"], row["stores"]) for row in rows],
                         [(tls, hold, n) for tls in weftlib.BACKENDS for hold in ("stream", "connection", "policy")
                          for n in STORES])
        for row in rows:
            self.assertLessEqual(KEYS, set(row))
            self.assertGreaterEqual(row["build_us_p99"], row["build_us_median"])

    def test_what_should_not_be_is_found(self):
        def grows(row):
            row["idle"] += 8 * row["stores"] * (row["hold"] == "stream")

        def leaks(row):
            row["after"] += 2000 * (row["hold"] == "connection")

        def drifts(row):
            row["drift"] += 2000 * (row["hold"] == "stream")

        def all_built(row):
            row["one"] = row["all"] if row["hold"] == "stream" else row["one"]

        def not_measured(row):
            row["all"] = row["one"]

        def control_fails(row):
            row["idle"] = 0 if row["hold"] == "policy" else row["idle"]
        for change, words in ((grows, "idle is 24 bytes, and 8 with 1"), (leaks, "after all were in use, +2000 bytes"),
                              (drifts, "between rounds, +2000 bytes"), (all_built, "hold: stream, 3 stores: one in use takes"),
                              (not_measured, "3 in use take"), (control_fails, "expected it to rise")):
            done = self.read(change, "--check")
            self.assertEqual(done.returncode, 1, change)
            self.assertIn(words, done.stderr)
        self.assertEqual(self.read(None, "--check").returncode, 0)

    def test_a_table_is_shown(self):
        lines = self.read().stdout.splitlines()
        self.assertEqual(len(lines), 1 + 3 * len(STORES) * len(weftlib.BACKENDS))
        self.assertTrue(lines[0].startswith("backend"))

    def test_the_picture_has_a_line_for_each_way_and_backend(self):
        picture = self.folder / "trust.svg"
        self.assertEqual(self.read(None, "--svg", picture).returncode, 0)
        lines = list(xml.etree.ElementTree.parse(picture).getroot().iter(f"{SVG}polyline"))
        self.assertEqual(len(lines), 4 * len(weftlib.BACKENDS))

    def test_the_page_keeps_what_stands_around(self):
        page = self.folder / "page.md"
        page.write_text("# Mine\n\n<!-- bench/trust: begin -->\nWords of before\n<!-- bench/trust: end -->\n\nNotes.\n")
        self.assertEqual(self.read(None, "--markdown", page).returncode, 0)
        text = page.read_text()
        self.assertTrue(text.startswith("# Mine\n") and text.endswith("\nNotes.\n"))
        self.assertNotIn("Words of before", text)
        self.assertIn("| policy | 3 |", text)
        self.assertTrue((self.folder / "trust.svg").exists())

    def test_a_bundle_that_is_not_there_is_told(self):
        done = weftlib.run(BENCH / "trust", "--build", weftlib.BUILD, "--bundle", "/nowhere", "--stores", "1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("/nowhere is not there", done.stderr)


if not PROGRAM.exists():
    weftlib.skip_all("built without benchmarks, or without a loader of policies")
if not weftlib.BACKENDS:
    weftlib.skip_all("a build without TLS")
if __name__ == "__main__":
    weftlib.main()
