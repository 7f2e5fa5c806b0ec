# SPDX-License-Identifier: MIT
"""bench/run measures, with a little work: what it prints, keeps and writes. No figure is judged."""
import json
import os
import pathlib
import shutil
import sys
import tempfile
import unittest
import xml.etree.ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import weftlib  # noqa: E402

BENCH = weftlib.SOURCE / "bench"
PROGRAMS = weftlib.BUILD / "bench"
LEAST = ("--build", weftlib.BUILD, "--rounds", "1", "--scale", "0.001", "--generator", "own")
LOOP = "weft libevent" if "libevent" in weftlib.LOOPS else f"weft {weftlib.LOOPS[0]}"


def bench(*arguments):
    """Runs it with the least work; what it kept."""
    with tempfile.TemporaryDirectory() as folder:
        kept = pathlib.Path(folder) / "kept.json"
        done = weftlib.run(BENCH / "run", *LEAST, "--json", kept, *arguments)
        if done.returncode:
            raise AssertionError(f"bench/run: {done.stdout}{done.stderr}")
        return json.loads(kept.read_text())


def value(kept, server):
    """The first figure of a server."""
    return kept["results"][0]["seen"][server][0]["value"]


class Bench(unittest.TestCase):
    def seen(self, result):
        """Servers with figures; those without must have said why, and that is a skip of theirs."""
        for note in result["notes"]:
            self.assertIn("scripts/setup bench", note)
        return set(result["seen"])

    def test_floor_and_weft_answer_on_kept_connections(self):
        kept = bench("--case", "keepalive", "--server", "floor", "--server", LOOP)
        self.assertEqual(self.seen(kept["results"][0]), {"floor", LOOP})
        self.assertGreater(value(kept, LOOP), 0)

    def test_pipelined_requests_are_all_answered(self):
        kept = bench("--case", "pipelined", "--server", "floor", "--server", LOOP)
        self.assertEqual(self.seen(kept["results"][0]), {"floor", LOOP})

    def test_each_peer_that_is_there_is_measured_beside(self):
        there = {name for name, program in (("nginx", "nginx"), ("h2o", "h2o"),
                                            ("libwebsockets", str(PROGRAMS.resolve() / "bench-lws")))
                 if shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin")}
        if not there:
            self.skipTest("no peer is installed: scripts/setup bench")
        kept = bench("--case", "keepalive", "--case", "handshake", "--case", "file", "--server", "nginx",
                     "--server", "h2o", "--server", "libwebsockets")
        for result in kept["results"]:
            with self.subTest(result["case"]):
                self.assertEqual(self.seen(result), there)

    def test_every_tls_backend_is_measured_over_each_loop(self):
        if not weftlib.BACKENDS:
            self.skipTest("this build has no TLS")
        kept = bench("--case", "tls", "--server", "weft*")
        self.assertEqual(self.seen(kept["results"][0]), {f"weft {loop}+{backend}" for loop, backend in weftlib.pairs()})

    def test_idle_memory_is_that_of_the_connections(self):
        if weftlib.SANITIZED:
            self.skipTest("a sanitizer's allocator is another's")
        kept = bench("--case", "idle", "--server", LOOP, "--scale", "0.1")
        # a connection cannot be had for nothing, and costs no buffers
        self.assertGreater(value(kept, LOOP), 100)
        self.assertLess(value(kept, LOOP), 8192)

    def test_busy_ones_are_served_among_idle_ones(self):
        kept = bench("--case", "crowd", "--server", "weft*")
        self.assertEqual(self.seen(kept["results"][0]), {f"weft {loop}" for loop in weftlib.LOOPS})

    def test_a_server_that_is_not_there_is_named_with_what_brings_it(self):
        with tempfile.TemporaryDirectory() as path:
            for program in ("env", "python3", "openssl", "wrk", "ldd"):
                if shutil.which(program):
                    os.symlink(shutil.which(program), f"{path}/{program}")
            done = weftlib.run(BENCH / "run", *LEAST, "--case", "keepalive", "--server", "h2o",
                               env=os.environ | {"PATH": path})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("no h2o: scripts/setup bench", done.stdout)

    def test_an_unknown_case_is_refused_with_those_that_are(self):
        done = weftlib.run(BENCH / "run", "--case", "warp")
        self.assertEqual(done.returncode, 2)
        self.assertIn("keepalive", done.stderr)


class Page(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.kept = self.folder / "kept.json"
        self.page = self.folder / "page.md"

    def write(self, weft):
        """A page from figures in which nginx needs 10."""
        result = {"case": "keepalive", "title": "small & many", "unit": "µs", "notes": ["h2o: not there"],
                  "seen": {"nginx": [{"value": 9, "rate": 1}, {"value": 10, "rate": 2}, {"value": 40, "rate": 3}],
                           "weft libevent": [{"value": weft, "rate": 5}]}}
        self.kept.write_text(json.dumps({"command": "bench/run", "rounds": 3, "machine": "This one.",
                                         "results": [result]}))
        done = weftlib.run(BENCH / "run", "--read", self.kept, "--markdown", self.page)
        self.assertEqual(done.returncode, 0, done.stderr)
        return self.page.read_text()

    def test_medians_ratios_and_verdicts_stand_in_the_page(self):
        text = self.write(8)
        self.assertIn("| weft libevent | 8.00 | 0.80 | 5 |", text)
        self.assertIn("| nginx | 10.00 | 1.00 | 2 |", text)
        self.assertIn("| met |", text)
        self.assertIn("- h2o: not there", text)
        self.assertIn("| within 1.3 × |", self.write(12))
        self.assertIn("| **missed** |", self.write(14))

    def test_later_figures_of_a_case_replace_earlier_ones(self):
        self.write(8)
        later = self.folder / "later.json"
        later.write_text(self.kept.read_text().replace('"bench/run"', '"bench/run --later"'))
        self.write(12)
        done = weftlib.run(BENCH / "run", "--read", self.kept, "--read", later, "--markdown", self.page)
        self.assertEqual(done.returncode, 0, done.stderr)
        text = self.page.read_text()
        self.assertIn("| weft libevent | 8.00 |", text)
        self.assertNotIn("12.00", text)
        self.assertIn("`bench/run`, `bench/run --later`", text)

    def test_what_stands_around_the_figures_stays(self):
        self.page.write_text("# Mine\n\n<!-- bench/run: begin -->\nold\n<!-- bench/run: end -->\n\nNotes.\n")
        text = self.write(8)
        self.assertTrue(text.startswith("# Mine\n"))
        self.assertTrue(text.endswith("\nNotes.\n"))
        self.assertNotIn("old", text)

    def test_a_page_without_a_place_for_figures_is_left_alone(self):
        self.page.write_text("# Mine\n")
        with self.assertRaises(AssertionError) as failed:
            self.write(8)
        self.assertIn("no lines", str(failed.exception))
        self.assertEqual(self.page.read_text(), "# Mine\n")

    def test_the_picture_is_an_svg_with_a_bar_a_server(self):
        self.write(5)
        root = xml.etree.ElementTree.parse(self.page.with_suffix(".svg")).getroot()
        bars = [float(e.get("width")) for e in root.iter("{http://www.w3.org/2000/svg}rect")]
        self.assertEqual(len(bars), 2)
        self.assertAlmostEqual(bars[0] / bars[1], 2, places=2)


if not PROGRAMS.is_dir():
    weftlib.skip_all("built without benchmarks: WEFT_BUILD_BENCH is off")
weftlib.main()
