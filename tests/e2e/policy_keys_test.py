# SPDX-License-Identifier: MIT
"""No private key gets into a compiled policy, whatever form it has, and whoever reads certificates."""
import base64
import json
import os
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import weftlib  # noqa: E402

CURVE = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
RSA = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]


class Keys(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.files = weftlib.Certificates(cls.folder)

    def openssl(self, *arguments):
        done = weftlib.run("openssl", *arguments, text=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def compile(self, backend, **certificate):
        """The exit code, the C, and the complaints."""
        file = self.folder / "p.json"
        file.write_text(json.dumps({
            "schema_version": 1, "certs": {"c": certificate}, "trust_stores": {"t": {"certs": ["c"]}},
            "streams": {"s": {"endpoint": "x", "trust_store": "t"}}}))
        done = weftlib.weft("policy", "compile", file, "-o", "-", "--tls", backend)
        return done.returncode, done.stdout, done.stderr

    def forms(self):
        """(name, PEM, DER) of keys as they lie about."""
        for kind, options in (("EC", CURVE), ("RSA", RSA)):
            pkcs8 = self.folder / f"{kind}.key"
            self.openssl("genpkey", *options, "-out", pkcs8)
            for name, command in (
                    ("PKCS#8", ["pkcs8", "-topk8", "-nocrypt", "-in", pkcs8]),
                    ("traditional", ["pkey", "-traditional", "-in", pkcs8]),
                    ("encrypted", ["pkcs8", "-topk8", "-passout", "pass:x", "-in", pkcs8])):
                yield (f"{kind} {name}", self.openssl(*command).decode(),
                       self.openssl(*command, "-outform", "DER"))

    def test_a_certificate_alone_is_compiled(self):
        for backend in [*weftlib.BACKENDS, "none"]:
            code, text, complaints = self.compile(backend, pem_file="ca.pem")
            self.assertEqual(code, 0, complaints)
            self.assertIn("static const unsigned char der_0[]", text)

    def test_a_key_behind_a_certificate_is_refused_and_so_is_one_in_der(self):
        bundle = self.folder / "bundle.pem"
        for name, pem, der in self.forms():
            bundle.write_text(self.files.ca.read_text() + pem)
            for backend in [*weftlib.BACKENDS, "none"]:
                with self.subTest(key=name, backend=backend):
                    code, text, complaints = self.compile(backend, pem_file="bundle.pem")
                    self.assertEqual((code, text), (1, ""))
                    self.assertIn("certs.c.pem_file: certificate 2 is a key", complaints)
                    code, text, complaints = self.compile(
                        backend, der_base64=base64.b64encode(der).decode())
                    self.assertEqual((code, text), (1, ""))
                    if len(der) > 129:  # shorter ones are not even taken for a certificate
                        self.assertIn("certs.c.der_base64: certificate 1 is a key", complaints)

    def test_a_key_that_calls_itself_a_certificate_is_refused(self):
        bundle = self.folder / "bundle.pem"
        for name, pem, _ in self.forms():
            lines = [line for line in pem.splitlines() if line and not line.startswith("-----")]
            bundle.write_text("\n".join(
                ["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""]))
            with self.subTest(key=name):
                code, text, complaints = self.compile("none", pem_file="bundle.pem")
                self.assertEqual((code, text), (1, ""))
                self.assertIn("certificate 1 is a key", complaints)


if __name__ == "__main__":
    weftlib.main()
