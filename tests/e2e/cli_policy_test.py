# SPDX-License-Identifier: MIT
"""`weft get --policy`: streams by their names, what they ask for, and what it tells of trust stores."""
import json
import os
import resource
import socket
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import weftlib  # noqa: E402
from cases import GetCase, Peer  # noqa: E402


class PolicyCase(GetCase):
    """Writes policies, and opens their streams."""

    def setUp(self):
        super().setUp()
        self.files = weftlib.Certificates(self.folder) if weftlib.BACKENDS else None

    def write(self, streams, **rest):
        policy = {"schema_version": 1, "product": "test", "release": "1", "streams": streams} | rest
        path = self.folder / "policy.json"
        path.write_text(json.dumps(policy, indent=1))
        return path

    @staticmethod
    def stream(port, **rest):
        return {"endpoint": "localhost", "port": port, "protocol": "h1", "tls": False, "share": "pool"} | rest

    def open(self, streams, name, *arguments, code=0, rest=None, **options):
        return self.get("--policy", self.write(streams, **(rest or {})), "--stream", name, *arguments, code=code,
                        **options)


class Streams(PolicyCase):
    def test_a_stream_brings_its_body(self):
        for loop in weftlib.LOOPS:
            with weftlib.serve("--event", loop) as server:
                done = self.open({"a": self.stream(server.port, path="/hello")}, "a", "--event", loop, "--count", "2")
                self.assertEqual((done.stdout, done.stderr), ("Hello, World\n" * 2, ""))

    def test_several_streams_take_turns(self):
        with weftlib.serve() as server:
            streams = {"a": self.stream(server.port, path="/hello"), "b": self.stream(server.port, path="/bytes/10")}
            done = self.open(streams, "a", "--stream", "b", "--json", "--count", "2")
            report = json.loads(done.stdout)
            self.assertEqual((report["ok"], report["bytes"], report["conns_opened"]), (4, 46, 1))

    def test_data_comes_back_whole_and_streamed(self):
        with weftlib.serve() as server:
            streams = {"a": self.stream(server.port, path="/echo")}
            self.assertEqual(self.open(streams, "a", "--data", "word").stdout, "word")
            done = self.open(streams, "a", "--data-file", "-", stdin=None, input="from a pipe")
            self.assertEqual(done.stdout, "from a pipe")

    def test_a_raw_stream_sends_its_data_and_ends(self):
        def echo(listener):
            with listener, listener.accept()[0] as sock:
                while (got := sock.recv(4096)):
                    sock.sendall(got)
        for data, want in ((["--data", "word"], "word"), ([], "")):
            listener = socket.create_server(("127.0.0.1", 0))
            port = listener.getsockname()[1]
            threading.Thread(target=echo, args=(listener,), daemon=True).start()
            stream = {"endpoint": "127.0.0.1", "port": port, "protocol": "raw", "tls": False}
            self.assertEqual(self.open({"a": stream}, "a", *data).stdout, want)

    def test_metadata_goes_where_the_policy_says(self):
        peer = Peer(b"HTTP/1.1 200 OK\r\nServer: somebody\r\nContent-Length: 0\r\n\r\n")
        port = int(peer.url.rsplit(":", 1)[1].strip("/"))
        stream = self.stream(port, endpoint="${where}", path="/of/${who}", metadata={
            "where": {}, "who": {}, "key": {"header": "x-key"}, "by": {"response_header": "server"}})
        done = self.open({"a": stream}, "a", "--explain", "--metadata", "where=localhost", "--metadata", "who=a b",
                         "--metadata", "key=s=t")
        self.assertTrue(peer.head.startswith("GET /of/a%20b HTTP/1.1\r\n"), peer.head)
        self.assertIn("x-key: s=t\r\n", peer.head.lower())
        self.assertIn("metadata by: somebody\n", done.stderr)

    def test_the_policys_verdict_is_told(self):
        with weftlib.serve() as server:
            streams = {"a": self.stream(server.port, path="/hello", expect={"200-299": "ok"}),
                       "b": self.stream(server.port, path="/none", expect={"200": "ok"}),
                       "c": self.stream(server.port, path="/hello")}
            self.assertIn("the policy expects 200: ok\n", self.open(streams, "a", "--explain").stderr)
            # complete, all the same
            self.assertIn("the policy does not expect 404\n", self.open(streams, "b", "--explain").stderr)
            self.assertNotIn("the policy", self.open(streams, "c", "--explain").stderr)


class Mistakes(PolicyCase):
    def check(self, arguments, *words):
        done = self.get(*arguments, code=2)
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertEqual(done.stdout, "")

    def test_what_the_policy_decides_excludes_it(self):
        path = self.write({"a": self.stream(1)})
        base = ["--policy", path, "--stream", "a"]
        pin = "sha256//" + "A" * 43 + "="
        for own in (["--cacert", "x"], ["--cert", "x"], ["--key", "x"], ["--pin", pin], ["--insecure"],
                    ["--method", "PUT"], ["--header", "a: b"], ["--http", "1.1"], ["--coalesce"]):
            self.check(base + own, f"--policy and {own[0]} exclude each other: the policy decides that")
        self.check(base + ["http://localhost/"], "--policy and URLs exclude each other")
        self.check(base + ["--data", "a", "--data-file", "b"], "--data and --data-file exclude each other")

    def test_what_goes_with_a_policy_is_no_use_without(self):
        for arguments in (["--stream", "a"], ["--metadata", "a=b", "http://localhost/"],
                          ["--provide", "a=b", "http://localhost/"]):
            self.check(arguments, "--stream, --metadata and --provide go with --policy")
        self.check(["--policy", "x"], "--policy: expected --stream NAME")

    def test_metadata_and_provided_need_a_name(self):
        self.check(["--metadata", "what"], '--metadata "what": expected NAME=VALUE')
        self.check(["--metadata", "=what"], '--metadata "=what": expected NAME=VALUE')
        self.check(["--metadata", "a=1", "--metadata", "a=2"], '--metadata "a=2": a was given before')
        self.check(["--provide", "what"], '--provide "what": expected NAME=FILE')

    def test_too_many_are_refused(self):
        words = [w for i in range(65) for w in ("--metadata", f"m{i}=1")]
        self.check(words, "more than 64 times --metadata")
        self.check([w for i in range(33) for w in ("--provide", f"m{i}=1")], "more than 32 times --provide")

    def test_all_problems_of_a_policy_are_told(self):
        path = self.write({"a": self.stream(99999), "b": self.stream(1, pth="/")})
        self.check(["--policy", path, "--stream", "a"], f"{path}:", ": streams.a.port: ", ": streams.b.pth: ", '"path"')

    def test_a_policy_that_is_not_there(self):
        path = self.folder / "none.json"
        self.check(["--policy", path, "--stream", "a"], f"{path}: No such file or directory")

    def test_streams_and_metadata_are_looked_up_before_anything_is_sent(self):
        path = self.write({"first": self.stream(1, path="/${device}", metadata={"device": {}})})
        self.check(["--policy", path, "--stream", "frist"], 'no stream "frist"; did you mean "first"?')
        self.check(["--policy", path, "--stream", "first", "--metadata", "devcie=1"],
                   'no metadata "devcie"; did you mean "device"?')
        self.check(["--policy", path, "--stream", "first"], "needs metadata device")

    def test_a_provided_file_must_be_there_and_no_giant(self):
        path = self.write({"a": self.stream(1)})
        base = ["--policy", path, "--stream", "a", "--provide"]
        self.check(base + ["k=/nowhere/key"], "--provide k=/nowhere/key: No such file or directory")
        self.check(base + ["k=/dev/null"], "--provide k=/dev/null: is empty")
        with open(self.folder / "giant", "wb") as giant:
            giant.truncate(2 << 20)
        self.check(base + [f"k={self.folder}/giant"], "giant: is larger than 1 MiB")


@unittest.skipUnless(weftlib.BACKENDS, "a build without TLS")
class TrustStores(PolicyCase):
    def rest(self, **store):
        return {"certs": {"ours": {"pem_file": str(self.files.ca)}},
                "trust_stores": {"own": {"certs": ["ours"]} | store}}

    def secure(self, port, **rest):
        return self.stream(port, tls=True, trust_store="own", path="/hello", **rest)

    def serve(self, *arguments):
        return weftlib.serve("--cert", self.files.cert, "--key", self.files.key, *arguments,
                             listen=["https://127.0.0.1:0"])

    def report_of(self, streams, *arguments, rest, **options):
        return json.loads(self.open(streams, "a", "--json", *arguments, rest=rest, **options).stdout)

    def test_a_store_lives_while_it_is_held(self):
        for loop, backend in weftlib.pairs():
            with self.serve("--tls", backend) as server:
                for hold, kind in (("stream", "streams"), ("connection", "conns")):
                    vhosts = self.report_of({"a": self.secure(server.port)}, "--event", loop, "--tls", backend,
                                            "--count", "3", rest=self.rest(hold=hold))["vhosts"]
                    self.assertEqual([vhosts[when]["live"] for when in ("before", "during", "after")], [0, 1, 0])
                    store, = vhosts["stores"]
                    self.assertEqual((store["name"], store["state"], store["refs"], store["made"]),
                                     ("own", "gone", 0, 1))
                    self.assertGreater(store["build_us"], 0)
                    self.assertEqual((store["during"]["state"], store["during"]["conns"]), ("live", 1))
                    self.assertEqual(store["during"][kind], 1)
                    kinds = [event["kind"] for event in vhosts["events"]]
                    self.assertEqual((kinds[0], kinds[-1]), ("made", "freed"))
                    self.assertEqual({event["name"] for event in vhosts["events"]}, {"own"})

    def test_a_store_of_the_policys_is_there_before_and_after(self):
        with self.serve() as server:
            vhosts = self.report_of({"a": self.secure(server.port)}, rest=self.rest(hold="policy"))["vhosts"]
            self.assertEqual([vhosts[when]["live"] for when in ("before", "during", "after")], [1, 1, 1])
            store, = vhosts["stores"]
            self.assertEqual((store["state"], store["policies"], store["conns"]), ("live", 1, 0))

    def test_explain_tells_who_held_a_store_and_when(self):
        with self.serve() as server:
            done = self.open({"a": self.secure(server.port, keep_warm_ms=0)}, "a", "--explain",
                             rest=self.rest(hold="connection"))
        self.assertRegex(done.stderr, r"trust store own: made 1 time; the last time \d+\.\d ms, \d+ bytes of heap\n"
                         r"  during: live, 1 reference: 1 connection\n  after: gone, 0 references\n"
                         r" +\d+\.\d ms  made     own, 1 reference\n +\d+\.\d ms  freed    own, 0 references\n")
        made, freed = (float(line.split()[0]) for line in done.stderr.splitlines()[-2:])
        self.assertLessEqual(made, freed)

    def test_streams_without_tls_have_no_store_to_tell_of(self):
        with weftlib.serve() as server:
            done = self.open({"a": self.stream(server.port, path="/hello")}, "a", "--explain")
        self.assertNotIn("trust store", done.stderr)
        self.assertNotIn("made  ", done.stderr)

    def test_a_wrong_store_ends_with_its_words(self):
        (self.folder / "stranger").mkdir()
        stranger = weftlib.Certificates(self.folder / "stranger")
        rest = self.rest() | {"certs": {"ours": {"pem_file": str(stranger.ca)}}}
        for loop, backend in weftlib.pairs():
            with self.serve("--tls", backend) as server:
                done = self.open({"a": self.secure(server.port)}, "a", "--event", loop, "--tls", backend, rest=rest,
                                 code=3)
                self.assertIn("a: verify: certificate issuer is unknown", done.stderr)

    def credential(self):
        return self.rest(hold="stream") | {"credentials": {"me": {"cert": "app:card", "key": "app:secret"}}}

    def test_a_credential_of_the_applications_is_provided(self):
        cert, key = self.files.issue("visitor", "DNS:visitor.test", usage="clientAuth")
        for backend in weftlib.BACKENDS:
            with self.serve("--tls", backend, "--client-ca", self.files.ca, "--client-cert", "required") as server:
                done = self.open({"a": self.secure(server.port, credential="me")}, "a", "--tls", backend, "--provide",
                                 f"card={cert}", "--provide", f"secret={key}", rest=self.credential())
                self.assertEqual(done.stdout, "Hello, World\n")

    def test_what_is_not_provided_fails_the_stream(self):
        with self.serve() as server:
            done = self.open({"a": self.secure(server.port, credential="me")}, "a", rest=self.credential(), code=1)
            self.assertIn("credential me, app:card: it is not provided: --provide card=FILE", done.stderr)

    def test_streams_that_cannot_be_opened_leave_no_descriptor(self):
        with open(self.folder / "data", "wb") as data:
            data.truncate(17 << 20)  # not read at once
        names = [f"s{i}" for i in range(60)]
        words = [word for name in names for word in ("--stream", name)]
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        done = self.open({name: self.secure(1, credential="me") for name in ["a"] + names}, "a", *words, "--json",
                         "--data-file", self.folder / "data", rest=self.credential(), code=1,
                         preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (40, most)))
        self.assertNotIn("Too many open files", done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual((report["failed"], {e["status"] for e in report["errors"]}), (61, {"not_found"}))


if __name__ == "__main__":
    weftlib.main()
