# SPDX-License-Identifier: MIT
"""weft policy: what it finds, what it makes of a policy, what it says that a stream would do."""
import base64
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import weftlib  # noqa: E402

if not weftlib.BACKENDS:
    weftlib.skip_all("this build has no TLS backend, which policies with certificates need")

ALL = weftlib.SOURCE / "tests" / "support" / "policies" / "all.json"
VENDOR = weftlib.SOURCE / "minimal-examples" / "policy-static" / "vendor-ca.pem"
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Wmissing-declarations",
            "-Wstrict-prototypes", "-Werror"]
MINIMAL = {"schema_version": 1, "streams": {"a": {"endpoint": "a.example"}}}


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def policy(self, *arguments, code=0):
        done = weftlib.weft("policy", *arguments)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def write(self, content, name="p.json"):
        file = self.folder / name
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        return file

    def compile(self, file, *arguments, name="out.c"):
        out = self.folder / name
        self.policy("compile", file, "-o", out, *arguments)
        return out


class Check(Case):
    def test_a_good_policy_is_counted(self):
        done = self.policy("check", ALL)
        self.assertEqual(done.stderr, "")
        self.assertEqual(done.stdout, f"{ALL}: 5 streams, 3 trust stores with 2 certificates, 2 credentials: fine\n")

    def test_all_that_is_wrong_is_told_in_one_run_with_its_place(self):
        file = self.write('{\n "schema_version": 1,\n "streams": {\n  "a": { "endpont": "x", "port": 0 },\n'
                          '  "b": { "endpoint": "y", "trust_store": "z" } } }\n')
        done = self.policy("check", file, code=1)
        self.assertEqual(done.stderr.splitlines(), [
            f'{file}:4:8: streams.a: "endpoint" is missing',
            f'{file}:4:10: streams.a.endpont: nobody knows this key; did you mean "endpoint"?',
            f"{file}:4:34: streams.a.port: is 0, expected 1 to 65535",
            f'{file}:5:27: streams.b.trust_store: there is no trust store "z"',
        ])

    def test_problems_are_counted_for_each_file(self):
        one = self.write(MINIMAL | {"product": 1}, "one.json")
        done = self.policy("check", one, ALL, self.folder / "none.json", code=1)
        lines = done.stdout.splitlines()
        self.assertEqual([lines[0], lines[2]], [f"{one}: 1 problem", f"{self.folder}/none.json: 1 problem"])
        self.assertTrue(lines[1].endswith(": fine"))

    @unittest.skipUnless("mbedtls" in weftlib.BACKENDS, "a build without mbedtls")
    def test_a_certificate_that_the_backend_cannot_read_is_told_though_nobody_uses_it(self):
        done = weftlib.run("openssl", "req", "-x509", "-config", "/dev/null", "-newkey", "ed25519", "-nodes", "-days",
                           "2", "-subj", "/CN=x", "-keyout", self.folder / "k", "-out", self.folder / "ed.pem")
        self.assertEqual(done.returncode, 0, done.stderr)
        file = self.write(MINIMAL | {"certs": {"e": {"pem_file": "ed.pem"}}, "trust_stores": {"t": {"certs": ["e"]}}})
        self.assertIn("fine", self.policy("check", "--tls", "none", file).stdout)
        done = self.policy("check", "--tls", "mbedtls", file, code=1)
        self.assertIn("cannot be read", done.stderr)

    def test_warnings_are_marked_and_no_failure(self):
        file = self.write(MINIMAL | {"trust_stores": {"os": {"system": True}}})
        done = self.policy("check", file)
        self.assertIn("warning: trust_stores.os: nobody uses this", done.stderr)
        self.assertIn("fine, with 1 warnings", done.stdout)

    def test_each_backend_builds_what_streams_trust(self):
        for backend in weftlib.BACKENDS:
            self.policy("check", "--tls", backend, ALL)

    def test_a_file_that_is_no_json_is_told_with_its_line(self):
        done = self.policy("check", self.write("{\n oops }"), code=1)
        self.assertRegex(done.stderr, r"p\.json:2:\d+: string or '\}' expected")

    def test_a_file_that_is_not_there(self):
        done = self.policy("check", self.folder / "none.json", code=1)
        self.assertIn("No such file", done.stderr)


class Compile(Case):
    def cc(self, file, compiler="cc"):
        return weftlib.run(compiler, "-std=c11", f"-I{weftlib.SOURCE / 'include'}", *WARNINGS, "-c", file,
                           "-o", file.with_suffix(".o"))

    def test_compiled_tables_are_those_of_the_file_and_another_schema_is_refused(self):
        done = weftlib.run(weftlib.BUILD / "tests" / "policy_same", ALL)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("schema 2, this Weft", done.stdout)

    def assert_same_tables(self, content):
        """Compiled and loaded, this policy is the same, and its C has no warning."""
        file = self.write(content)
        library = self.folder / "tables.so"
        out = self.compile(file, "--symbol", "compiled")
        for compiler in ("clang", "gcc"):
            if shutil.which(compiler):
                done = weftlib.run(compiler, "-std=c11", f"-I{weftlib.SOURCE / 'include'}", *WARNINGS, "-fPIC",
                                   "-shared", out, "-o", library)
                self.assertEqual(done.returncode, 0, done.stderr)
        done = weftlib.run(weftlib.BUILD / "tests" / "policy_same", file, library)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_revocation_lists_pins_and_several_certificates_are_the_same_compiled(self):
        files = weftlib.Certificates(self.folder)
        revoked, _ = files.issue("revoked", "DNS:x")
        for command in (("-revoke", revoked), ("-gencrl", "-crldays", "2", "-out", self.folder / "crl.pem")):
            done = weftlib.run("openssl", "ca", "-config", self.folder / "ca.cnf", "-cert", files.ca, "-keyfile",
                               files.ca_key, *command)
            self.assertEqual(done.returncode, 0, done.stderr)
        pins = [base64.b64encode(bytes([n] * 32)).decode() for n in (7, 1, 200, 7)]
        self.assert_same_tables({
            "schema_version": 1,
            "certs": {"ca": {"pem_file": str(files.ca)}, "vendor": {"pem_file": str(VENDOR)}},
            "trust_stores": {"a": {"certs": ["ca", "vendor"], "crl_file": "crl.pem", "pins_sha256": pins},
                             "b": {"certs": ["vendor"], "crl_file": "crl.pem"}},
            "streams": {"a": {"endpoint": "x", "trust_store": "a"}, "b": {"endpoint": "x", "trust_store": "b"}}})

    def test_long_and_strange_texts_are_the_same_compiled(self):
        self.assert_same_tables({"schema_version": 1, "product": "".join(map(chr, range(1, 0x180))),
                                 "release": "??=??/\\\"%s\t1\u00017",
                                 "streams": {"a": {"endpoint": "x", "path": "/" + "y" * 5000,
                                                   "headers": {"x-1": "a??/b \\ \"c\""}}}})

    def test_a_policy_without_streams_is_the_same_compiled(self):
        self.assert_same_tables({"schema_version": 1, "streams": {}})

    def test_a_pipe_is_written_to_and_not_replaced(self):
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        with subprocess.Popen([weftlib.BIN, "policy", "compile", ALL, "-o", pipe]) as compiler:
            self.assertEqual(pipe.read_bytes(), self.compile(ALL).read_bytes())
            self.assertEqual(compiler.wait(weftlib.SECONDS), 0)
        self.assertTrue(pipe.is_fifo())

    def test_paths_in_a_depfile_are_as_make_reads_them(self):
        folder = self.folder / "a b$c#d"
        folder.mkdir()
        self.folder = folder
        shutil.copy(VENDOR, folder / "v ca.pem")
        file = self.write(MINIMAL | {"certs": {"v": {"pem_file": "v ca.pem"}},
                                     "trust_stores": {"t": {"certs": ["v"]}},
                                     "streams": {"a": {"endpoint": "x", "trust_store": "t"}}})
        out = self.compile(file, "--depfile", folder / "d")
        escaped = str(folder).replace("$", "$$").replace("#", "\\#").replace(" ", "\\ ")
        self.assertEqual((folder / "d").read_text(),
                         f"{escaped}/out.c: \\\n  {escaped}/p.json \\\n  {escaped}/v\\ ca.pem\n")
        self.assertTrue(out.exists())
        done = self.policy("compile", file, "-o", "-", "--depfile", folder / "d", code=2)
        self.assertIn("--depfile needs -o FILE", done.stderr)

    def test_it_compiles_without_a_warning(self):
        out = self.compile(ALL)
        for compiler in ("gcc", "clang"):
            if shutil.which(compiler):
                done = self.cc(out, compiler)
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_one_made_for_another_schema_does_not_compile(self):
        out = self.compile(ALL)
        out.write_text(out.read_text().replace("WEFT_POLICY_SCHEMA != 1", "WEFT_POLICY_SCHEMA != 2"))
        done = self.cc(out)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("compile it again", done.stderr)

    def test_nothing_in_it_is_written_at_run_time(self):
        out = self.compile(ALL)
        self.assertEqual(self.cc(out).returncode, 0)
        sizes = weftlib.run("size", "-A", out.with_suffix(".o")).stdout
        for line in sizes.splitlines():
            if line.startswith((".data ", ".bss ")):
                self.assertEqual(line.split()[1], "0", line)

    def test_the_same_policy_gives_the_same_text_wherever_it_is(self):
        copy = self.folder / "elsewhere" / "tests" / "support" / "policies"
        copy.mkdir(parents=True)
        shutil.copy(ALL, copy)
        example = self.folder / "elsewhere" / "minimal-examples" / "policy-static"
        example.mkdir(parents=True)
        shutil.copy(weftlib.SOURCE / "minimal-examples" / "policy-static" / "vendor-ca.pem", example)
        self.assertEqual(self.compile(ALL).read_bytes(),
                         self.compile(copy / "all.json", name="other.c").read_bytes())

    def test_what_would_be_the_same_is_left_alone(self):
        out = self.compile(ALL)
        os.utime(out, (1, 1))
        self.compile(ALL)
        self.assertEqual(out.stat().st_mtime, 1)

    def test_symbol_standard_output_and_depfile(self):
        done = self.policy("compile", ALL, "-o", "-", "--symbol", "mine")
        self.assertIn("const struct weft_policy mine = {", done.stdout)
        self.policy("compile", ALL, "-o", "-", "--symbol", "1x", code=2)
        self.compile(ALL, "--depfile", self.folder / "d")
        rule = (self.folder / "d").read_text()
        self.assertIn(str(ALL), rule)
        self.assertIn("vendor-ca.pem", rule)

    def test_a_wrong_policy_leaves_what_was_there(self):
        out = self.compile(ALL)
        before = out.read_bytes()
        self.policy("compile", self.write({"schema_version": 2}), "-o", out, code=1)
        self.assertEqual(out.read_bytes(), before)
        self.assertEqual(sorted(f.name for f in self.folder.iterdir()), ["out.c", "p.json"])

    def test_hold_policy_is_for_loaded_ones_only(self):
        content = json.loads(ALL.read_text())
        file = self.write({"schema_version": 1,
                           "trust_stores": {"os": {"system": True, "hold": "policy"}},
                           "streams": {"a": {"endpoint": "x", "trust_store": "os"}}})
        self.policy("check", file)
        done = self.policy("compile", file, "-o", self.folder / "x.c", code=1)
        self.assertIn("trust_stores.os.hold: a compiled policy makes nothing up front", done.stderr)
        self.assertTrue(content)

    def test_no_private_key_goes_into_it(self):
        files = weftlib.Certificates(self.folder)
        file = self.write(MINIMAL | {
            "credentials": {"d": {"cert": f"file:{files.cert}", "key": f"file:{files.key}"}},
            "streams": {"a": {"endpoint": "x", "credential": "d"}}})
        text = self.compile(file).read_text()
        self.assertIn(f"file:{files.key}", text)
        self.assertNotIn("PRIVATE", text)
        self.assertNotIn("der_0", text)


class Explain(Case):
    METADATA = ["--metadata", "region=eu", "--metadata", "device=a/b", "--metadata", "api_key=k"]

    def test_all_of_it_in_words(self):
        text = self.policy("explain", ALL, "full", *self.METADATA).stdout
        for part in ("connects to    a-eu.example.com, port 8443",
                     "through        socks5://127.0.0.1:1080", "from           127.0.0.1",
                     "https://a-eu.example.com:8443/v1/a%2Fb?x=1", "offering http/1.1 x",
                     "trust store everything: file, inline (1 certificates)", "one of 1 pinned keys",
                     "dates once the clock is set", "allows         expired weak",
                     "other.example.com (SNI)", "credential device: app:device-cert, app:device-key",
                     "says           PUT", 'x-note: a "quoted" a/b', "x-api-key: k",
                     "401,403: auth_failed", "no connection open", "not by idle ones",
                     "stays for 1500 ms", "3 tickets outlive it", "written and not sent: 9 bytes",
                     "as default says, 3 waits from 1000 ms on", "nailed up", "opportunistic"):
            self.assertIn(part, text)

    def test_the_same_for_machines(self):
        told = json.loads(self.policy("explain", ALL, "full", *self.METADATA, "--json").stdout)
        self.assertEqual(told["host"], "a-eu.example.com")
        self.assertEqual(told["method"], "PUT")
        self.assertEqual(told["trust"]["hold"], "stream")
        self.assertIn(["x-api-key", "k"], told["fields"])
        self.assertEqual(told["trust"]["authorities"], [
            {"subject": "CN=Vendor CA of an example", "not_before": 1795644290, "not_after": 2741724290}])
        self.assertEqual(told["trust"]["allow"], ["expired", "weak"])
        self.assertEqual(told["trust"]["pins_sha256"], ["AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="])
        self.assertEqual(told["limits"]["timeout_ms"], 7)
        self.assertEqual((told["keep_warm_ms"], told["warm_holds"], told["retry"]), (0, False, "default"))
        told = json.loads(self.policy("explain", ALL, "system", "--json").stdout)
        self.assertEqual((told["trust"]["authorities"], told["trust"]["allow"], told["limits"]), ([], [], {}))
        self.assertIsNone(told["keep_warm_ms"])

    def test_authorities_are_told_by_subject_and_end_whichever_backend_reads_them(self):
        for backend in weftlib.BACKENDS:
            text = self.policy("explain", ALL, "mixed", "--tls", backend).stdout
            self.assertIn("\n                 CN=Vendor CA of an example, valid until 2056-11-17\n", text)

    def test_who_would_share_the_connection(self):
        streams = {"a": {"endpoint": "${host}", "metadata": {"host": {}}},
                   "b": {"endpoint": "x.example", "path": "/other"},
                   "c": {"endpoint": "x.example", "allow": ["expired"]},
                   "d": {"endpoint": "x.example", "share": "alone"},
                   "e": {"endpoint": "${else}", "metadata": {"else": {}}},
                   "f": {"endpoint": "y.example"}}
        file = self.write({"schema_version": 1, "streams": streams})
        told = json.loads(self.policy("explain", file, "a", "--metadata", "host=x.example", "--json").stdout)
        self.assertEqual(told["shares_with"], ["b"])
        self.assertEqual(told["may_share_with"], ["e"])

    def test_what_cannot_be_is_said(self):
        for arguments, text in (
                (["full"], "stream full needs metadata region"),
                (["ful"], 'did you mean "full"?'),
                (["full", "--metadata", "regoin=x"], 'no metadata "regoin"; did you mean "region"?'),
                (["full", "--metadata", "region=a/b"], "in an endpoint, expected letters")):
            done = self.policy("explain", ALL, *arguments, code=1)
            self.assertIn(text, done.stderr)


class Diff(Case):
    def test_the_same_meaning_is_no_difference(self):
        content = json.loads(ALL.read_text())
        content["certs"]["inline"], content["certs"]["file"]["pem_file"] = \
            content["certs"]["inline"], str(ALL.parent / content["certs"]["file"]["pem_file"])
        self.assertEqual(self.policy("diff", ALL, self.write(content)).stdout, "")

    def test_each_difference_is_a_line(self):
        first = self.write(MINIMAL, "a.json")
        second = self.write({"schema_version": 1, "streams": {"a": {"endpoint": "b.example", "port": 1},
                                                              "n": {"endpoint": "x"}}}, "b.json")
        lines = self.policy("diff", first, second, code=1).stdout.splitlines()
        self.assertIn("! streams.a.endpoint: a.example -> b.example", lines)
        self.assertIn("! streams.a.port: 0 -> 1", lines)
        self.assertIn("+ streams.n.endpoint: x", lines)

    def test_a_store_under_another_name_is_told(self):
        a = MINIMAL | {"trust_stores": {"os": {"system": True}}}
        b = MINIMAL | {"trust_stores": {"sys": {"system": True}}}
        done = self.policy("diff", self.write(a, "a.json"), self.write(b, "b.json"), code=1)
        self.assertIn("= trust_stores.os believes what trust_stores.sys does", done.stdout)

    def differences(self, a, b):
        return self.policy("diff", self.write(a, "a.json"), self.write(b, "b.json"), code=1).stdout.splitlines()

    def test_pins_that_differ_in_their_last_byte_are_different(self):
        def pinned(last):
            pin = base64.b64encode(bytes(31) + bytes([last])).decode()
            return pin, {"schema_version": 1, "trust_stores": {"t": {"system": True, "pins_sha256": [pin]}},
                         "streams": {"a": {"endpoint": "x", "trust_store": "t"}}}
        (a, first), (b, second) = pinned(1), pinned(2)
        self.assertEqual(self.differences(first, second),
                         [f"- trust_stores.t.pins_sha256: {a}", f"+ trust_stores.t.pins_sha256: {b}"])

    def test_long_lists_that_differ_at_their_end_are_different(self):
        def retrying(last):
            return MINIMAL | {"retry": {"r": {"backoff_ms": [1000000 + n for n in range(100)] + [last]}}}
        line, = self.differences(retrying(5), retrying(6))
        self.assertTrue(line.startswith("! retry.r.backoff_ms: 1000000, "))
        self.assertTrue(line.endswith(", 6"))

    def test_certificates_are_told_by_their_subjects_and_apart_by_their_content(self):
        one, two = weftlib.Certificates(self.folder), self.folder / "two"
        two.mkdir()
        two = weftlib.Certificates(two)  # the same subject and dates, another key

        def trusting(*files):
            return {"schema_version": 1, "certs": {"c": {"pem_file": str(files[0])}, "d": {"pem_file": str(files[1])}},
                    "trust_stores": {"t": {"certs": ["c", "d"]}},
                    "streams": {"a": {"endpoint": "x", "trust_store": "t"}}}
        lines = self.differences(trusting(VENDOR, one.ca), trusting(VENDOR, two.ca))
        self.assertEqual(sorted(line[0] for line in lines), ["+", "-"])
        for line in lines:
            self.assertRegex(line, r"^. trust_stores\.t\.certs: CN=weft test CA, valid until \d{4}-\d\d-\d\d$")
        done = self.policy("diff", self.write(trusting(one.ca, VENDOR), "a.json"),
                           self.write(trusting(VENDOR, one.ca), "b.json"))
        self.assertEqual(done.stdout, "")

    def test_a_store_that_kept_its_name_was_not_renamed(self):
        stores = {"os": {"system": True}, "sys": {"system": True}}
        lines = self.differences(MINIMAL | {"trust_stores": stores}, MINIMAL | {"trust_stores": stores, "release": "2"})
        self.assertEqual(lines, ["! release:  -> 2"])

    def test_trouble_has_a_code_of_its_own(self):
        self.policy("diff", ALL, self.folder / "none.json", code=2)


class Schema(Case):
    def test_the_schema_that_is_installed_is_what_the_tables_say(self):
        if not {"h1", "raw"} <= {p["name"] for p in json.loads(weftlib.weft("plugins", "--json").stdout)}:
            self.skipTest("a build without all roles")
        done = self.policy("schema")
        self.assertEqual(done.stdout, (weftlib.SOURCE / "share" / "weft" / "policy.schema.json").read_text())

    def test_good_policies_fit_it_and_misspelt_ones_do_not(self):
        try:
            import jsonschema
        except ImportError:
            self.skipTest("python3-jsonschema is not installed")
        schema = json.loads(self.policy("schema").stdout)
        jsonschema.validate(json.loads(ALL.read_text()), schema)
        wrong = MINIMAL | {"streams": {"a": {"endpont": "x"}}}
        with self.assertRaises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)


class CommandLine(Case):
    def test_an_option_of_another_command_is_refused(self):
        for command, option in (("check", "--json"), ("diff", "--symbol=x"), ("explain", "-o=x"), ("compile", "--metadata=a=b"),
                                ("schema", "--depfile=x")):
            words = option.split("=", 1)
            owner = "explain" if words[0] in ("--json", "--metadata") else "compile"
            done = self.policy(command, *words, code=2)
            self.assertEqual(done.stderr, f"weft policy {command}: {words[0]} is an option of weft policy {owner}\n")

    def test_a_command_that_is_none_is_told_first(self):
        done = self.policy("chek", "--json", code=2)
        self.assertEqual(done.stderr, 'weft policy: no command "chek"; see weft policy --help\n')


class Static(Case):
    def test_a_program_with_a_compiled_policy_asks_for_no_loader(self):
        program = weftlib.BUILD / "bin" / "policy-static"
        if not program.exists():
            self.skipTest("this build has no examples")
        names = subprocess.run(["nm", program], capture_output=True, text=True, check=True).stdout
        self.assertNotIn("weft_policy_load", names)
        self.assertNotIn("json_loadb", names)
        self.assertIn("weft_policy_open", names)


if __name__ == "__main__":
    weftlib.main()
