#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Serves this repository with each event loop and TLS backend, fetches it twice, compares, and counts."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

FOLDERS = ("core", "include", "plugins", "roles", "tools", "minimal-examples", "docs")
RATE_REQUESTS = 5000
CLOUDS = 8
COLUMNS = (
    ("event", 9), ("tls", 8), ("requests", 8), ("conns opened", 12), ("handshakes", 10),
    ("vhosts before/during/after", 26), ("heap KiB before/during/after", 28), ("requests/s", 10),
)
STORE_COLUMNS = (
    ("tls", 8), ("hold", 11), ("idle: stores, KiB", 18), ("one in use", 14), ("all in use", 14), ("after", 14),
    ("built in ms", 12), ("times made", 10),
)


def run(*command, **options):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=120, **options).stdout


def make_certificates(folder):
    """A CA of our own, and a server's certificate from it."""
    def openssl(*args):
        subprocess.run(("openssl",) + args, check=True, cwd=folder, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=60)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
            "-subj", "/CN=Weft demo CA")
    openssl("req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    (folder / "san").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "2",
            "-extfile", "san", "-out", "server.pem")


class Server:
    """`weft serve` at a free port, until the block ends."""

    def __init__(self, weft, event, tls, certs):
        scheme = "http" if tls == "none" else "https"
        command = [weft, "serve", "--event", event, "--tls", tls, "--root", ".",
                   "--listen", f"{scheme}://127.0.0.1:0"]
        if tls != "none":
            command += ["--cert", certs / "server.pem", "--key", certs / "server.key"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().split()[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        if self.process.wait(timeout=20) != 0:
            sys.exit("demo: the server did not end well")


def fetch(weft, event, tls, certs, urls, out, count=1):
    # what glibc keeps in its per-thread cache would count as used
    exact = os.environ | {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"}
    return json.loads(run(weft, "get", "--event", event, "--tls", tls, "--cacert", certs / "ca.pem",
                          "--json", "--count", str(count), "--parallel", "8", "--max-conns", "1",
                          "-o", out, *urls, env=exact))


def compare(got, want, who):
    if got != want:
        sys.exit(f"demo: {who} brought other bytes than the files have")


def one_row(weft, event, tls, certs, files, folder):
    """One combination; returns the cells of its row."""
    curl = ("curl", "-sS", "--fail", "--cacert", certs / "ca.pem")
    want = b"".join(path.read_bytes() for path in files)
    with Server(weft, event, tls, certs) as server:
        urls = [f"{server.url}/{path}" for path in files]
        before = json.loads(run(*curl, f"{server.url}/status"))["counters"]
        figures = fetch(weft, event, tls, certs, urls, folder / "weft")
        after = json.loads(run(*curl, f"{server.url}/status"))["counters"]
        compare((folder / "weft").read_bytes(), want, "weft get")
        compare(run(*curl, *urls), want, "curl")
        rate = fetch(weft, event, tls, certs, [f"{server.url}/hello"], os.devnull, RATE_REQUESTS)
    # as the server counted them; the second /status came over a connection of its own
    conns = after["conns_accepted"] - before["conns_accepted"] - 1
    shakes = after["handshakes_full"] - before["handshakes_full"] - (tls != "none")
    stages = [figures["vhosts"][stage] for stage in ("before", "during", "after")]
    return (event, tls, figures["ok"], conns, shakes,
            "/".join(str(s["live"]) for s in stages),
            "/".join(f"{s['heap'] / 1024:.1f}" for s in stages),
            f"{rate['ok'] / rate['seconds']:.0f}")


def show(cells, columns=COLUMNS):
    print(" | ".join(f"{str(cell):>{width}}" for cell, (_, width) in zip(cells, columns)), flush=True)


# ---- the rise and the fall ----

def write_policy(folder, hold, url):
    """Trust stores of the system's certificates and two of our own, each with a stream."""
    port = int(url.rsplit(":", 1)[1])
    names = [f"cloud-{i}" for i in range(CLOUDS)]
    for name in names:
        extra = folder / f"{name}.pem"
        if not extra.exists():
            run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-keyout", "/dev/null", "-out", extra, "-days", "2", "-subj", f"/CN={name}", stderr=subprocess.DEVNULL)
    policy = {
        "schema_version": 1, "product": "demo", "release": "1",
        "certs": {name: {"pem_file": f"{name}.pem"} for name in names} | {"demo": {"pem_file": "ca.pem"}},
        "trust_stores": {name: {"system": True, "certs": [name, "demo"], "hold": hold} for name in names},
        "streams": {name: {"endpoint": "localhost", "port": port, "protocol": "h1", "tls": True, "trust_store": name,
                           "share": "pool", "path": "/hello"} for name in names},
    }
    path = folder / "policy.json"
    path.write_text(json.dumps(policy, indent=1))
    return path, names


def open_streams(weft, tls, policy, names):
    """All at once; what weft get tells of vhosts."""
    exact = os.environ | {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"}
    streams = [word for name in names for word in ("--stream", name)]
    figures = json.loads(run(weft, "get", "--tls", tls, "--policy", policy, "--json", "--parallel", str(CLOUDS),
                             *streams, env=exact))
    if figures["ok"] != len(names):
        sys.exit(f"demo: {figures['errors']}")
    return figures["vhosts"]


def stores_row(weft, event, tls, certs, hold):
    """The heap of weft get with no, one and all stores of a policy in use."""
    with Server(weft, event, tls, certs) as server:
        policy, names = write_policy(certs, hold, server.url)
        one, all_ = open_streams(weft, tls, policy, names[:1]), open_streams(weft, tls, policy, names)
    samples = [all_["before"], one["during"], all_["during"], all_["after"]]
    built = sorted(store["build_us"] for store in all_["stores"])
    return (tls, hold, *(f"{s['live']}, {s['heap'] / 1024:.0f}" for s in samples), f"{built[len(built) // 2] / 1000:.1f}",
            all_["created"])


def show_stores(weft, event, backends, folder):
    """A table of its own."""
    print(f"== a policy with {CLOUDS} trust stores, each with all certificates of this system: stores that are built, and "
          "the heap in KiB,\n== while nobody, one stream, all streams use them. `hold: connection` builds a store for the "
          "first connection that\n== needs it and lets go after the last; `hold: policy` has them all from the beginning. "
          "What is left beyond idle,\n== connections keep at hand for the next ones, however many stores there are")
    show([title for title, _ in STORE_COLUMNS], STORE_COLUMNS)
    for tls in backends:
        for hold in ("connection", "policy"):
            show(stores_row(weft, event, tls, folder, hold), STORE_COLUMNS)


def main():
    weft = str(pathlib.Path(sys.argv[1]).resolve())
    plugins = json.loads(run(weft, "plugins", "--json"))
    names = {kind: [p["name"] for p in plugins if p["kind"] == kind] for kind in ("event", "tls")}
    files = sorted(path for folder in FOLDERS for path in pathlib.Path(folder).rglob("*")
                   if path.is_file() and not any(part.startswith(".") for part in path.parts))[:250]
    size = sum(path.stat().st_size for path in files)
    print(f"== each row: a server and a client of its own; {len(files)} files, {size} bytes, fetched by "
          "weft get over one connection\n== and by curl, compared byte by byte; conns and handshakes "
          "of weft get as the server counts them;\n== vhosts and heap as the client sees them; "
          f"requests/s from {RATE_REQUESTS} times /hello, 8 queued at once")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        make_certificates(folder)
        show([title for title, _ in COLUMNS])
        for event in names["event"]:
            for tls in names["tls"] + ["none"]:
                show(one_row(weft, event, tls, folder, files, folder))
        print("== all bytes were the same")
        show_stores(weft, names["event"][0], names["tls"], folder)


if __name__ == "__main__":
    main()
