# SPDX-License-Identifier: MIT
"""Every message of the policy loader is provoked: place, path, what is wrong, what was expected."""
import base64
import json
import os
import pathlib
import re
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import weftlib  # noqa: E402

if not weftlib.BACKENDS:
    weftlib.skip_all("this build has no TLS backend, which reads certificates")

PIN = base64.b64encode(bytes(32)).decode()


def pin(n):
    return base64.b64encode(bytes([n]) + bytes(31)).decode()


def top(**sections):
    return {"schema_version": 1} | sections


def stream(**keys):
    return top(streams={"s": {"endpoint": "x.example"} | keys})


def trust(certs=None, **keys):
    return top(certs=certs or {}, trust_stores={"t": keys},
               streams={"s": {"endpoint": "x.example", "trust_store": "t"}})


def cert(**keys):
    return top(certs={"c": keys}, trust_stores={"t": {"certs": ["c"]}},
               streams={"s": {"endpoint": "x.example", "trust_store": "t"}})


# (policy or text, path, message as a regular expression)
CASES = [
    # the text itself
    ("{ \"schema_version\": 1, \"schema_version\": 1 }", "", "duplicate object key"),
    ("[]", "", "expected an object$"),
    ({}, "", '"schema_version" is missing'),
    ({"schema_version": 2}, "schema_version", "is 2, expected 1$"),
    ({"schema_version": "1"}, "schema_version", "expected a whole number"),
    (top(streems={}), "streems", 'nobody knows this key; did you mean "streams"\\?'),
    (top(xyzzy={}), "xyzzy", "nobody knows this key$"),
    (top(product=1), "product", "expected a text"),
    (top(product="a\0b"), "", "u0000 is not allowed"),
    (top(streams=[]), "streams", "expected an object"),
    (top(streams={"": {"endpoint": "x"}}), "streams.", "a stream without a name"),
    (top(streams={"s": 1}), "streams.s", "expected an object"),
    # retry
    (top(retry={"r": {"backoff_ms": []}}), "retry.r.backoff_ms", "is empty, expected at least one time"),
    (top(retry={"r": {"backoff_ms": 1}}), "retry.r.backoff_ms", "expected a list of whole numbers"),
    (top(retry={"r": {"backoff_ms": ["1"]}}), "retry.r.backoff_ms[0]", "expected a whole number"),
    (top(retry={"r": {"backoff_ms": [1, -1]}}), "retry.r.backoff_ms[1]", "is -1, expected 0 to 86400000"),
    (top(retry={"r": {}}), "retry.r", '"backoff_ms" is missing'),
    (top(retry={"r": {"backoff_ms": [1], "jitter_percent": 101}}), "retry.r.jitter_percent",
     "is 101, expected 0 to 100"),
    (top(retry={"r": {"backoff_ms": [1], "validity_ping_ms": 5, "validity_hangup_ms": 5}}),
     "retry.r.validity_hangup_ms", "is 5, expected more than validity_ping_ms \\(5\\)"),
    (top(retry={"r": {"backoff_ms": [1]}}), "retry.r", "nobody uses this"),
    # certificates
    (cert(), "certs.c", "has none of pem_file, der_file and der_base64, expected one"),
    (cert(pem_file="{ca}", der_base64="AA=="), "certs.c", "has several of pem_file"),
    (cert(pem_fil="x"), "certs.c.pem_fil", 'nobody knows this key; did you mean "pem_file"'),
    (cert(pem_file="none.pem"), "certs.c.pem_file", "none.pem: No such file"),
    (cert(pem_file="x" * 5000), "certs.c.pem_file", "the path is too long"),
    (cert(pem_file="{folder}"), "certs.c.pem_file", "not a regular file"),
    (cert(pem_file="{pipe}"), "certs.c.pem_file", "not a regular file"),
    (cert(pem_file="{empty}"), "certs.c.pem_file", "there is no certificate in it, expected PEM or DER"),
    (cert(pem_file="{broken}"), "certs.c.pem_file", "certificate 2 is not whole PEM: expected base64"),
    (cert(pem_file="{garbage}"), "certs.c.pem_file", "certificate 1 cannot be read: "),
    (cert(pem_file="{both}"), "certs.c.pem_file", "certificate 2 is a key, which has no place in a policy"),
    (cert(pem_file="{expired}"), "certs.c.pem_file", r"certificate 1 \(CN=old\) expired on 2021-01-01"),
    (cert(pem_file="{early}"), "certs.c.pem_file", r"certificate 1 \(CN=early\) is not valid before 2048-01-01"),
    (cert(der_file="{ca}"), "certs.c.der_file", "is no certificate in DER"),
    (cert(der_base64="MII"), "certs.c.der_base64", "is no base64: RFC 4648 section 4, with padding"),
    (cert(der_base64="AAAA"), "certs.c.der_base64", "is no certificate in DER"),
    (top(certs={"c": {"pem_file": "{ca}"}}), "certs.c", "nobody uses this"),
    # trust stores
    (trust(), "trust_stores.t", 'believes nobody: expected certs, or "system": true'),
    (trust(certs={"ca": {"pem_file": "{ca}"}}, system=True), "certs.ca", "nobody uses this"),
    (top(certs={"vendor": {"pem_file": "{ca}"}}, trust_stores={"t": {"certs": ["vandor"]}}),
     "trust_stores.t.certs[0]", 'there is no certificate "vandor"; did you mean "vendor"\\?'),
    (top(trust_stores={"t": {"certs": [1]}}), "trust_stores.t.certs[0]", "expected a text"),
    (top(trust_stores={"t": {"certs": "c"}}), "trust_stores.t.certs", "expected a list of texts"),
    (trust(system=True, crl_file="none.crl"), "trust_stores.t.crl_file", "none.crl: No such file"),
    (trust(system=True, crl_file="{ca}"), "trust_stores.t.crl_file", "CRL 1 cannot be read: "),
    (trust(system=True, crl_file="{empty}"), "trust_stores.t.crl_file", "there is no CRL in it"),
    (trust(system=True, pins_sha256=["AA=="]), "trust_stores.t.pins_sha256[0]", "expected 32 bytes in base64"),
    (trust(system=True, pins_sha256=[pin(n) for n in range(17)]), "trust_stores.t.pins_sha256",
     "has 17 pins, expected at most 16"),
    (trust(system="yes"), "trust_stores.t.system", "expected true or false"),
    (trust(system=True, verify_dates="never"), "trust_stores.t.verify_dates",
     'is "never", expected one of always, once_clock_set'),
    (trust(system=True, hold="streem"), "trust_stores.t.hold", 'did you mean "stream"\\?'),
    (trust(system=True, hold="policy", linger_ms=1), "trust_stores.t.linger_ms",
     "what the policy holds does not linger"),
    (trust(system=True, keep_tickets=65), "trust_stores.t.keep_tickets", "is 65, expected 0 to 64"),
    (top(trust_stores={"t": {"system": True}}), "trust_stores.t", "nobody uses this"),
    # credentials
    (top(credentials={"c": {"cert": "x", "key": "app:"}}), "credentials.c.cert",
     'is "x", expected app:NAME or file:PATH'),
    (top(credentials={"c": {"cert": "app:x", "key": "app:"}}), "credentials.c.key",
     'is "app:", expected app:NAME or file:PATH'),
    (top(credentials={"c": {"cert": "app:x"}}), "credentials.c", '"key" is missing'),
    (top(credentials={"c": {"cert": "app:x", "key": "app:y"}}), "credentials.c", "nobody uses this"),
    # streams
    (stream(endpoint=""), "streams.s.endpoint", "is empty: expected a host, or unix:/path"),
    (stream(endpoint="unix:"), "streams.s.endpoint", "is empty: expected a host, or unix:/path"),
    (stream(endpoint="a/b"), "streams.s.endpoint", 'is "a/b", expected a host alone, or unix:/path'),
    (stream(endpoint="https://a"), "streams.s.endpoint", "expected a host alone"),
    (stream(endpoint="a:443"), "streams.s.endpoint", "expected a host alone"),
    (stream(sni="a:443"), "streams.s.sni", 'is "a:443", expected a host name'),
    (stream(port=65536), "streams.s.port", "is 65536, expected 1 to 65535"),
    (stream(endpoint="unix:/x", port=1), "streams.s.port", "a Unix socket has no port"),
    (stream(protocol="raw"), "streams.s", '"port" is missing: role raw has no default'),
    (stream(protocol="rav", port=1), "streams.s.protocol",
     'there is no role "rav", expected auto, .*did you mean "raw"\\?'),
    (stream(protocol="raw", port=1, path="/x"), "streams.s.path",
     "role h1 knows this key, and the stream's role is raw"),
    (stream(trust_store="t"), "streams.s.trust_store", 'there is no trust store "t"$'),
    (stream(credential="c"), "streams.s.credential", 'there is no credential "c"$'),
    (stream(retry="r"), "streams.s.retry", 'there is no way to retry "r"$'),
    (stream(allow=["expird"]), "streams.s.allow[0]", 'is "expird", expected one of expired, .*did you mean "expired"'),
    (stream(alpn=[]), "streams.s.alpn", "has 0 names, expected 1 to 8"),
    (stream(alpn=["x" * 33]), "streams.s.alpn[0]", "has 33 bytes, expected 1 to 32"),
    (stream(alpn=["x" * 32, "y" * 32]), "streams.s.alpn", "has too many bytes in all, expected at most 56"),
    (stream(share="both"), "streams.s.share", 'is "both", expected one of alone, pool'),
    (stream(local_address="here"), "streams.s.local_address", "here"),
    (stream(proxy="ftp://x:1"), "streams.s.proxy",
     'is "ftp://x:1", expected http://HOST:PORT or socks5://HOST:PORT'),
    (stream(proxy="http://x"), "streams.s.proxy", "expected http://HOST:PORT"),
    (stream(endpoint="unix:/x", proxy="http://x:1"), "streams.s.proxy",
     "a Unix socket is not reached through a proxy"),
    (stream(share="alone", keep_warm_ms=1), "streams.s.keep_warm_ms",
     "nobody would use a connection again that is not shared"),
    (stream(tls=False, sni="x"), "streams.s.sni", "makes no sense without TLS"),
    (stream(tls=False, allow=["weak"]), "streams.s.allow", "makes no sense without TLS"),
    (stream(tls=False, alpn=["x"]), "streams.s.alpn", "makes no sense without TLS"),
    (stream(tls=False, handshake_ms=1), "streams.s.handshake_ms", "makes no sense without TLS"),
    (stream(share="alone", coalesce=True), "streams.s.coalesce", "has no effect on a connection that is not shared"),
    (stream(sni="x", coalesce=True), "streams.s.coalesce",
     "has no effect with sni: such a connection serves one host"),
    (stream(tls=False, coalesce=True), "streams.s.coalesce", "makes no sense without TLS"),
    (stream(tls=False, warm_holds=False), "streams.s.warm_holds", "makes no sense without TLS"),
    (top(trust_stores={"t": {"system": True}},
         streams={"s": {"endpoint": "x", "tls": False, "trust_store": "t"}}),
     "streams.s.trust_store", "makes no sense without TLS"),
    (top(credentials={"c": {"cert": "app:x", "key": "app:y"}},
         streams={"s": {"endpoint": "x", "tls": False, "credential": "c"}}),
     "streams.s.credential", "makes no sense without TLS"),
    # templates and metadata
    (stream(path="/${who}"), "streams.s.path", "asks for \\${who}, which metadata does not have"),
    (stream(endpoint="${who"), "streams.s.endpoint", "has \\${ without }"),
    (stream(headers={"x-a": "${b}"}), "streams.s.headers.x-a", "asks for \\${b}"),
    (stream(metadata={"a": {}}), "streams.s.metadata.a", "nobody uses this metadata"),
    (stream(metadata={"a": 1}), "streams.s.metadata.a", "expected an object"),
    (stream(metadata={"a": {"heder": "x"}}), "streams.s.metadata.a.heder",
     'nobody knows this key; did you mean "header"'),
    (stream(metadata={"a": {"header": 1}}), "streams.s.metadata.a.header", "expected a text"),
    (stream(metadata={"a": {"header": "x y"}}), "streams.s.metadata.a", "x y"),
    (stream(metadata={"a": {"response_header": "x y"}}), "streams.s.metadata.a",
     'response_header "x y" is no name of a field'),
    # HTTP's own keys
    (stream(method="A B"), "streams.s.method", "A B"),
    (stream(path="x"), "streams.s.path", 'is "x", expected something that begins with /'),
    (stream(path="/a b"), "streams.s.path", "target"),
    (stream(headers={"content-length": "1"}), "streams.s.headers", "content-length"),
    (stream(headers={"x": 1}), "streams.s.headers.x", "expected a text"),
    (stream(headers="x"), "streams.s.headers", "expected an object of texts"),
    (stream(expect={"": "ok"}), "streams.s.expect", '"": expected statuses'),
    (stream(expect={"2xx": "ok"}), "streams.s.expect", '"2xx": expected statuses from 100 to 599'),
    (stream(expect={"200-299": "ok", "204": "no"}), "streams.s.expect", "status 204 is expected twice"),
    (stream(expect={"200": ""}), "streams.s.expect", '"200" has no name'),
    (stream(redirects=21), "streams.s.redirects", "is 21, expected 0 to 20"),
]

# Said by code that these cases do not reach, and where it is provoked instead.
ELSEWHERE = {
    "no memory for policy %.100s": "tests/unit/policy_memory_test.c",
    "no memory for a schema": "by jansson alone",
    "no memory for a request": "tests/unit/policy_memory_test.c",
    "TLS backend %s cannot tell what a certificate says": "tests/unit/policy_cert_test.c",
    "a compiled policy makes nothing up front: expected connection or stream": "policy_tool_test.py",
    "role %s does not speak with%s TLSout": "tests/unit/policy_memory_test.c: a stranger's role",
}


class Messages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        files = weftlib.Certificates(cls.folder)
        ca = files.ca.read_text()
        cls.names = {
            "ca": files.ca, "folder": cls.folder, "empty": cls.put("empty.pem", ""),
            "broken": cls.put("broken.pem", ca + ca.replace("MI", "M!", 1)),
            "pipe": cls.pipe("pipe.pem"),
            "garbage": cls.put("garbage.pem", "-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----\n"),
            "both": cls.put("both.pem", ca + files.ca_key.read_text()),
            "expired": files.issue("old", "DNS:x", "20200101000000Z", "20210101000000Z")[0],
            "early": files.issue("early", "DNS:x", "20480101000000Z", "20491231235959Z")[0],
        }

    @classmethod
    def put(cls, name, text):
        (cls.folder / name).write_text(text)
        return cls.folder / name

    @classmethod
    def pipe(cls, name):
        os.mkfifo(cls.folder / name)
        return cls.folder / name

    def text(self, content):
        text = content if isinstance(content, str) else json.dumps(content)
        for name, file in self.names.items():
            text = text.replace("{" + name + "}", str(file))
        return text

    def told(self, content, backend):
        file = self.put("p.json", self.text(content))
        done = weftlib.weft("policy", "check", "--tls", backend, file)
        self.assertGreaterEqual(done.returncode, 0, done.stderr)
        found = []
        for line in done.stderr.splitlines():
            match = re.fullmatch(re.escape(str(file)) + r":(\d+):(\d+): (?:warning: )?(.*)", line)
            self.assertTrue(match, line)
            found.append((int(match[1]), int(match[2]), match[3]))
        return found

    def test_each_is_told_with_its_path(self):
        for content, path, pattern in CASES:
            with self.subTest(path=path, pattern=pattern):
                found = [text for _, _, text in self.told(content, weftlib.BACKENDS[0])]
                begin = f"{path}: " if path else ""
                self.assertTrue(any(t.startswith(begin) and re.search(pattern, t[len(begin):])
                                    for t in found), found)

    def test_certificates_are_read_alike_by_each_backend(self):
        for content, path, pattern in CASES:
            if not path.startswith(("certs.", "trust_stores.")):
                continue
            for backend in weftlib.BACKENDS:
                with self.subTest(backend=backend, path=path, pattern=pattern):
                    found = " ".join(t for _, _, t in self.told(content, backend))
                    self.assertRegex(found, pattern.removesuffix("$"))

    def test_places_are_those_of_the_text(self):
        content = ('{\n\t"schema_version": 1,\n\t"streams": {\n\t\t"a\\u0062": { "endpoint":\n'
                   '\t\t\t"x", "alpn": [ "y", 3 ], "port": "z" },\n\t\t"c": 1 }\n}\n')
        self.assertEqual(self.told(content, weftlib.BACKENDS[0]), [
            (5, 24, "streams.ab.alpn[1]: expected a text"),
            (5, 37, "streams.ab.port: expected a whole number"),
            (6, 8, "streams.c: expected an object"),
        ])

    def test_no_message_of_the_loader_is_left_out(self):
        told = []
        for content, _, _ in CASES:
            told += [text.split(": ", 1)[-1] for _, _, text in self.told(content, weftlib.BACKENDS[0])]
            told += [text for _, _, text in self.told(content, weftlib.BACKENDS[0])]
        sources = sorted((weftlib.SOURCE / "core" / "policy").glob("load*.c"))
        for source in [*sources, weftlib.SOURCE / "roles" / "http" / "policy.c"]:
            for call in re.finditer(r"(?:weft_load_wrong|weft_load_warn|weft_error_set)\((.*?)\);",
                                    source.read_text(), re.S):
                formats = self.formats(call[1])
                for text in formats:
                    if not any(text in e for e in ELSEWHERE):
                        self.assertTrue(any(re.search(self.pattern(text), t) for t in told),
                                        f"{source.name}: \"{text}\" was never told")

    @staticmethod
    def formats(arguments):
        """The format of a call: the adjacent string literals that say more than a word."""
        literal = r'"(?:[^"\\]|\\.)*"'
        for run in re.findall(rf"{literal}(?:\s*{literal})*", arguments):
            text = "".join(part[1:-1] for part in re.findall(literal, run))
            text = text.replace('\\"', '"')
            if " " in text.strip() and text != '; did you mean "':
                yield text

    @staticmethod
    def pattern(text):
        return re.sub(r"%(?:\.\*|\.\d+)?(?:ll|l|z)?[a-z]", "%", text) \
            .replace("%", "\0").translate({ord(c): f"\\{c}" for c in r"\.^$*+?{}[]|()"}).replace("\0", ".*")


if __name__ == "__main__":
    weftlib.main()
