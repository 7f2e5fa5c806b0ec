# SPDX-License-Identifier: MIT
"""Policies against nginx: private CAs that know only their own server, client certificates, the system's store."""
import functools
import json
import os
import pathlib
import shutil
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import peers  # noqa: E402
import scenarios  # noqa: E402
import weftlib  # noqa: E402

if not peers.Nginx.program:
    weftlib.skip_all("no nginx on this machine")
if not weftlib.BACKENDS:
    weftlib.skip_all("a build without TLS")

CLOUDS = {"red": "connection", "green": "stream", "blue": "connection"}  # how each store is held
NAMES = "DNS:localhost,IP:127.0.0.1"
BUNDLE = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")


def everywhere(test):
    """A test that is given each event loop with each backend, as arguments of `weft get`."""
    @functools.wraps(test)
    def run(self):
        for loop, backend in weftlib.pairs():
            with self.subTest(loop=loop, tls=backend):
                test(self, ["--event", loop, "--tls", backend])
    return run


def start(test, folder, files, **options):
    """An nginx with a folder of its own, until the class is done; it serves page.html."""
    here = folder / "server"
    here.mkdir()
    here.chmod(0o777)
    (folder / "page.html").write_text(scenarios.PAGE)
    server = peers.Nginx(here, files=files, root=folder, **options)
    test.addClassCleanup(server.stop)
    return server


def another(folder, port, cert, key):
    """A server with another certificate, for nginx's configuration."""
    return f"""
	server {{
		listen 127.0.0.1:{port} ssl;
		ssl_certificate {cert};
		ssl_certificate_key {key};
		root {folder};
	}}"""


class PolicyCase(unittest.TestCase):
    """A policy that is written once, and its streams."""

    @classmethod
    def setUpClass(cls):
        cls.folder = weftlib.class_folder(cls)
        cls.policy = {"schema_version": 1, "product": "test", "release": "1", "certs": {}, "trust_stores": {},
                      "credentials": {}, "streams": {}}
        cls.prepare()
        cls.file = cls.folder / "policy.json"
        cls.file.write_text(json.dumps(cls.policy, indent=1))

    @classmethod
    def prepare(cls):
        """Starts servers, and says in the policy how they are reached."""
        raise NotImplementedError

    @classmethod
    def own_ca(cls, name):
        """A CA with a folder of its own, known to the policy by that name."""
        here = cls.folder / name
        here.mkdir()
        here.chmod(0o755)
        files = weftlib.Certificates(here)
        cls.policy["certs"][name] = {"pem_file": str(files.ca)}
        return files

    @classmethod
    def stream(cls, name, port, store=None, **rest):
        stream = {"endpoint": "localhost", "port": port, "protocol": "h1", "tls": True, "share": "pool",
                  "path": "/page.html"}
        cls.policy["streams"][name] = stream | ({"trust_store": store} if store else {}) | rest

    def get(self, *arguments, code=0, before=()):
        done = weftlib.run(*before, weftlib.BIN, "get", "--policy", self.file, *arguments)
        self.assertEqual(done.returncode, code, f"{arguments}: {done.stderr}")
        return done

    def report(self, *arguments, **options):
        return json.loads(self.get("--json", *arguments, **options).stdout)


class Clouds(PolicyCase):
    """Servers of several owners, each with a CA that nobody else knows; they even have the same name."""

    @classmethod
    def prepare(cls):
        cls.servers = {}
        for name, hold in CLOUDS.items():
            files = cls.own_ca(name)
            cls.policy["trust_stores"][name] = {"certs": [name], "hold": hold}
            cls.servers[name] = start(cls, cls.folder / name, files)
        for store in CLOUDS:
            for server in CLOUDS:
                cls.stream(f"{store}-to-{server}", cls.servers[server].tls, store, keep_warm_ms=0)

    @everywhere
    def test_each_store_reaches_its_own_server(self, arguments):
        for name in CLOUDS:
            marks = {other: self.servers[other].mark() for other in CLOUDS}
            done = self.get(*arguments, "--stream", f"{name}-to-{name}")
            self.assertEqual(done.stdout, scenarios.PAGE)
            self.assertEqual(self.servers[name].requests(marks[name], 1)[0]["path"], "/page.html")
            for other in CLOUDS:
                self.assertEqual(self.servers[other].mark() - marks[other], other == name)

    @everywhere
    def test_and_no_other(self, arguments):
        for store in CLOUDS:
            for server in sorted(set(CLOUDS) - {store}):
                mark = self.servers[server].mark()
                name = f"{store}-to-{server}"
                done = self.get(*arguments, "--stream", name, code=3)
                self.assertEqual(done.stderr, f"weft get: {name}: verify: certificate issuer is unknown\n")
                self.assertEqual((done.stdout, self.servers[server].mark()), ("", mark))

    @everywhere
    def test_stores_come_and_go_in_turn(self, arguments):
        streams = [word for name in CLOUDS for word in ("--stream", f"{name}-to-{name}")]
        vhosts = self.report(*arguments, *streams, "--count", "2")["vhosts"]
        self.assertEqual((vhosts["before"]["live"], vhosts["after"]["live"]), (0, 0))
        stores = {store["name"]: store for store in vhosts["stores"]}
        self.assertEqual(set(stores), set(CLOUDS))
        for store in stores.values():
            self.assertEqual((store["state"], store["refs"]), ("gone", 0))
            self.assertGreaterEqual(store["made"], 1)
        self.assertEqual(vhosts["created"], vhosts["freed"])


class Faults(PolicyCase):
    """One CA, and servers with something wrong: each is told by its name."""

    @classmethod
    def prepare(cls):
        files = cls.own_ca("own")
        folder = cls.folder / "own"
        issued = {
            "certificate expired": files.issue("old", NAMES, end="20210101000000Z"),
            "certificate not yet valid": files.issue("young", NAMES, start="20480101000000Z"),
            "certificate is for another host": files.issue("other", "DNS:elsewhere.test"),
            "certificate revoked": files.issue("gone", NAMES),
        }
        revoked, _ = issued["certificate revoked"]
        cls.ca(folder, files, "-revoke", revoked)
        cls.ca(folder, files, "-gencrl", "-crldays", "30", "-out", folder / "list.crl")
        stores = cls.policy["trust_stores"]
        stores["own"] = {"certs": ["own"], "crl_file": str(folder / "list.crl")}
        stores["all"] = {"certs": ["own"]}
        stores["right-pin"] = {"certs": ["own"], "pins_sha256": [cls.pin(files.cert)]}
        stores["wrong-pin"] = {"certs": ["own"], "pins_sha256": [cls.pin(revoked)]}
        ports = peers.free_ports(len(issued))
        cls.server = start(cls, folder, files, http="".join(
            another(folder, port, *pair) for port, pair in zip(ports, issued.values())))
        cls.faults = {}
        for number, (words, port) in enumerate(zip(issued, ports)):
            cls.faults[words] = f"bad{number}"
            cls.stream(f"bad{number}", port, "own")
        cls.stream("good", cls.server.tls, "own")
        cls.stream("by-number", cls.server.tls, "own", endpoint="127.0.0.1")
        cls.stream("revoked-unknown", ports[3], "all")
        cls.stream("expired-allowed", ports[0], "own", allow=["expired"])
        cls.stream("right-pin", cls.server.tls, "right-pin")
        cls.stream("wrong-pin", cls.server.tls, "wrong-pin")

    @staticmethod
    def ca(folder, files, *arguments):
        done = weftlib.run("openssl", "ca", "-config", folder / "ca.cnf", "-cert", files.ca, "-keyfile", files.ca_key,
                           *arguments)
        if done.returncode:
            raise AssertionError(done.stderr)

    @staticmethod
    def pin(cert):
        return weftlib.Certificates.pin(cert).removeprefix("sha256//")

    @everywhere
    def test_each_fault_is_told(self, arguments):
        for words, name in self.faults.items():
            done = self.get(*arguments, "--stream", name, code=3)
            self.assertEqual((done.stdout, done.stderr), ("", f"weft get: {name}: verify: {words}\n"))

    @everywhere
    def test_what_is_right_is_accepted(self, arguments):
        for name in ("good", "by-number", "right-pin"):
            done = self.get(*arguments, "--stream", name)
            self.assertEqual((done.stdout, done.stderr), (scenarios.PAGE, ""))

    @everywhere
    def test_a_list_of_revoked_ones_is_the_stores(self, arguments):
        self.assertEqual(self.get(*arguments, "--stream", "revoked-unknown").stdout, scenarios.PAGE)

    @everywhere
    def test_a_fault_that_the_policy_allows_is_accepted(self, arguments):
        self.assertEqual(self.get(*arguments, "--stream", "expired-allowed").stdout, scenarios.PAGE)

    @everywhere
    def test_a_valid_chain_with_another_key_is_not_the_pinned_server(self, arguments):
        done = self.get(*arguments, "--stream", "wrong-pin", code=3)
        self.assertIn("wrong-pin: verify: certificate has none of the pinned keys", done.stderr)


class ClientCertificates(PolicyCase):
    """nginx asks who comes; each connection is for one request."""

    @classmethod
    def prepare(cls):
        files = cls.own_ca("own")
        cls.cert, cls.key = files.issue("visitor", "DNS:visitor.test", usage="clientAuth")
        cls.policy["trust_stores"]["own"] = {"certs": ["own"]}
        cls.policy["credentials"] = {"file": {"cert": f"file:{cls.cert}", "key": f"file:{cls.key}"},
                                     "app": {"cert": "app:card", "key": "app:secret"}}
        cls.server = start(cls, cls.folder / "own", files, extra=f"""
            ssl_client_certificate {files.ca};
            ssl_verify_client on;
            keepalive_timeout 0;""")
        cls.stream("file", cls.server.tls, "own", credential="file")
        cls.stream("app", cls.server.tls, "own", credential="app")
        cls.stream("nobody", cls.server.tls, "own")

    def check_known(self, *arguments):
        mark = self.server.mark()
        self.assertEqual(self.get(*arguments).stdout, scenarios.PAGE)
        request, = self.server.requests(mark, 1)
        self.assertEqual((request["client"], request["verify"]), ("CN=visitor", "SUCCESS"))

    @everywhere
    def test_a_credential_of_files_is_shown(self, arguments):
        self.check_known(*arguments, "--stream", "file")

    @everywhere
    def test_a_credential_of_the_applications_is_shown(self, arguments):
        self.check_known(*arguments, "--stream", "app", "--provide", f"card={self.cert}",
                         "--provide", f"secret={self.key}")

    @everywhere
    def test_who_shows_none_is_told_so(self, arguments):
        self.assertEqual(self.report(*arguments, "--stream", "nobody", "-o", os.devnull)["statuses"], {"400": 1})

    @everywhere
    def test_a_credential_that_is_not_there_fails_before_a_request(self, arguments):
        mark = self.server.mark()
        done = self.get(*arguments, "--stream", "app", code=1)
        self.assertIn("app:card: it is not provided", done.stderr)
        self.assertEqual(self.server.mark(), mark)


class SystemStore(PolicyCase):
    """The system's own bundle does not know our CA; one with it takes its place in a mount namespace."""

    @classmethod
    def prepare(cls):
        files = cls.own_ca("own")
        cls.policy["trust_stores"] = {"os": {"system": True}, "both": {"system": True, "certs": ["own"]}}
        cls.server = start(cls, cls.folder / "own", files)
        for name in ("os", "both"):
            cls.stream(name, cls.server.tls, name)
        cls.stream("unsaid", cls.server.tls)
        cls.bundle = cls.folder / "bundle.crt"
        cls.bundle.write_text((BUNDLE.read_text() if BUNDLE.exists() else "") + files.ca.read_text())

    @everywhere
    def test_it_does_not_know_a_private_ca(self, arguments):
        for name in ("os", "unsaid"):
            done = self.get(*arguments, "--stream", name, code=3)
            self.assertEqual(done.stderr, f"weft get: {name}: verify: certificate issuer is unknown\n")

    @everywhere
    def test_certificates_come_besides_it(self, arguments):
        self.assertEqual(self.get(*arguments, "--stream", "both").stdout, scenarios.PAGE)

    def test_what_it_knows_is_trusted(self):
        if not BUNDLE.exists():
            self.skipTest(f"no {BUNDLE}")
        before = ["unshare", "--map-root-user", "--mount", "sh", "-c",
                  f'mount --bind "{self.bundle}" {BUNDLE} && exec "$0" "$@"']
        if not shutil.which("unshare") or weftlib.run(*before, "true").returncode:
            self.skipTest("no mount namespaces here")
        for loop, backend in weftlib.pairs():
            for name in ("os", "unsaid"):
                with self.subTest(name, loop=loop, tls=backend):
                    done = self.get("--event", loop, "--tls", backend, "--stream", name, before=before)
                    self.assertEqual(done.stdout, scenarios.PAGE)


if __name__ == "__main__":
    weftlib.main()
