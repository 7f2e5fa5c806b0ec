# SPDX-License-Identifier: MIT
"""The clients that are measured, each with a server of its own: a `weft serve` that counts what it gets."""
import json
import os
import ssl
import subprocess
import urllib.request

import measure
import servers


class Client(servers.Server):
    """One way of asking: arguments(url, count, parallel, ca) are the program's."""

    def __init__(self, build, name, program, arguments):
        super().__init__(name, ("1.3",), program, "scripts/setup bench")
        self.build, self.arguments = build, arguments

    def start(self, folder, tls, tickets):
        self.find()
        return servers.Running(Serve(self.build), folder, tls, tickets)


class Serve(servers.Server):
    """What all of them ask."""

    def __init__(self, build):
        super().__init__("weft serve", ("1.3",), build / "bin" / "weft")

    def command(self, folder, ports, tls, tickets):
        return [self.find(), "serve", "--event", "libevent", "--tls", "gnutls", "--cert", folder / "cert.pem",
                "--key", folder / "key.pem", "--listen", f"https://127.0.0.1:{ports['https']}"]


def every(build):
    """All of them."""
    def weft(url, count, parallel, ca):
        return ["get", "--http", "2", "--cacert", ca, "--count", count, "--parallel", parallel, "-o", os.devnull, url]

    def curl(url, count, parallel, ca):
        many = url.replace("/hello", f"/hello?[1-{count}]")
        return ["--silent", "--show-error", "--http2", "--cacert", ca, "--parallel", "--parallel-max", parallel,
                "--output", os.devnull, many]

    def h2load(url, count, parallel, _):
        return ["-n", count, "-c", 1, "-m", parallel, "-t", 1, url]

    return [Client(build, "weft get", build / "bin" / "weft", weft),
            Client(build, "curl --parallel", "curl", curl), Client(build, "h2load", "h2load", h2load)]


def counters(running):
    """What the server has counted, this question apart."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with urllib.request.urlopen(running.url("/status"), context=context) as answer:
        return json.load(answer)["counters"]


def ask(case, client, running, env):
    """The client's CPU for each request, and what it took of the server."""
    count = env.count(case.requests, 100)
    before = counters(running)
    process = measure.start([client.find(), *client.arguments(running.url(case.path), count, case.depth,
                                                              env.folder / "cert.pem")],
                            measure.cores()[1], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    text = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    after = counters(running)
    seen = {key: after[key] - before[key] for key in ("conns_accepted", "handshakes_full", "streams_incoming")}
    if process.returncode or seen["streams_incoming"] != count + 1:
        raise RuntimeError(f"{process.returncode}, {seen}: {text}")
    return {"value": (used.ru_utime + used.ru_stime) * 1e6 / count, "conns": seen["conns_accepted"] - 1,
            "handshakes": seen["handshakes_full"] - 1}
