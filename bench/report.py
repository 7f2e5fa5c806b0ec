# SPDX-License-Identifier: MIT
"""What was measured, as text, as a section of a Markdown page, and as a picture."""
import dataclasses
import html
import os
import pathlib
import platform
import shutil
import statistics
import subprocess

CPU = "µs"
PACKAGES = ("nginx", "h2o", "libwebsockets-dev", "libevent-dev", "libgnutls28-dev", "libmbedtls-dev", "libssl-dev",
            "libnghttp2-dev", "nghttp2-server", "wrk", "gcc")
RATIOS = ("nginx", "floor", "nghttpd")
COUNTS = ("conns", "handshakes")  # by the server
RECHECK = 1.3  # over a target by more than this, work goes on


@dataclasses.dataclass
class Target:
    """What Weft shall not exceed: a factor of a peer's figure in the same run, or a number."""
    case: str
    server: str
    factor: float
    peer: str = ""

    def limit(self, medians):
        """The number; None if the peer was not measured."""
        if not self.peer:
            return self.factor
        return self.factor * medians[self.peer] if self.peer in medians else None

    def words(self):
        """As in the page."""
        return f"≤ {self.factor:g} × {self.peer}" if self.peer else f"≤ {self.factor:,.0f}"


# GnuTLS' own session is 18.6 KB, mbedTLS' 36 KB: ours may add 1 KiB.
TARGETS = [
    Target("keepalive", "weft libevent", 1.0, "nginx"),
    Target("keepalive", "weft libevent", 1.15, "floor"),
    Target("pipelined", "weft libevent", 0.3, "nginx"),
    Target("tls", "weft libevent+gnutls", 1.0, "nginx"),
    Target("handshake", "weft libevent+gnutls", 1.1, "nginx"),
    Target("file", "weft libevent", 1.1, "nginx"),
    Target("idle", "weft libevent", 600),
    Target("idle-tls", "weft libevent+gnutls", 18_600 + 1024),
    Target("idle-tls", "weft libevent+mbedtls", 36_000 + 1024),
    Target("h2", "weft libevent", 0.8, "nghttpd"),
    Target("h2-tls", "weft libevent+gnutls", 0.8, "nghttpd"),
    Target("h2-file-tls", "weft libevent+gnutls", 0.85, "nghttpd"),
    # GnuTLS' and nghttp2's sessions alone
    Target("h2-idle-tls", "weft libevent+gnutls", 32_200 + 1024),
]


def median(figures, key="value"):
    """Of the rounds; None where that was not measured."""
    values = [f[key] for f in figures if key in f]
    return statistics.median(values) if values else None


def medians(result):
    """By server."""
    return {name: median(figures) for name, figures in result["seen"].items()}


def amount(value, unit):
    """A figure with as many digits as mean something."""
    return f"{value:,.0f}" if unit != CPU or value >= 1000 else f"{value:,.2f}" if value < 100 else f"{value:,.1f}"


def rows(result):
    """(server, figure, by each of RATIOS, requests/s, COUNTS, least..most) as text, "" where there is nothing."""
    values = medians(result)
    for name, value in values.items():
        each = [f["value"] for f in result["seen"][name]]
        rate = median(result["seen"][name], "rate")
        ratios = [f"{value / values[p]:.2f}" if values.get(p) else "" for p in RATIOS]
        counts = [median(result["seen"][name], key) for key in COUNTS]
        yield [name, amount(value, result["unit"]), *ratios, f"{rate:,.0f}" if rate else "",
               *("" if n is None else f"{n:,.0f}" for n in counts),
               f"{amount(min(each), result['unit'])} – {amount(max(each), result['unit'])}"]


def heads(result):
    """The columns' names."""
    figure = "CPU µs/request" if result["unit"] == CPU else "bytes/connection"
    who = "client" if result["case"] == "client" else "server"
    return [who, figure, *(f"/ {p}" for p in RATIOS), "requests/s", *COUNTS, "rounds"]


def show(result):
    """A case as text."""
    widths = (22, 17, 9, 9, 10, 12, 7, 12, 22)
    lines = [f"\n{result['case']}: {result['title']}"]
    for row in (heads(result), *rows(result)):
        lines.append("  " + "".join(f"{cell:<{w}}" if not i else f"{cell:>{w}}"
                                    for i, (cell, w) in enumerate(zip(row, widths))))
    return "\n".join(lines + [f"  ! {note}" for note in result["notes"]])


# ---- the page ----

def package_versions():
    """Debian's, of those that are installed; nothing where this is no Debian."""
    if not shutil.which("dpkg-query"):
        return ""
    done = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package} ${Version}, ", *PACKAGES],
                          capture_output=True, text=True, check=False)
    return ", ".join(p.removeprefix("installed ") for p in done.stdout.split(", ") if p.startswith("installed "))


def machine():
    """Where this runs, in words that another machine's owner can compare with."""
    model = next((line.partition(":")[2].strip() for line in
                  pathlib.Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")),
                 platform.machine())
    kernel = ".".join(platform.release().split(".")[:2])
    versions = package_versions()
    return (f"{model}, {os.cpu_count()} cores; Linux {kernel}" + (f"; Debian's {versions}" if versions else "") +
            f". Load average at the beginning: {os.getloadavg()[0]:.1f}.")


def verdicts(results):
    """A row for each target that was measured."""
    found = {r["case"]: (medians(r), r["unit"]) for r in results}
    for t in TARGETS:
        values, unit = found.get(t.case, ({}, ""))
        limit = t.limit(values)
        if limit is None or t.server not in values:
            continue
        value = values[t.server]
        verdict = "met" if value <= limit else "within 1.3 ×" if value <= RECHECK * limit else "**missed**"
        yield [t.case, t.server, t.words(), amount(limit, unit), amount(value, unit),
               f"{value / limit:.2f}", verdict]


def table(head, body):
    """Of Markdown."""
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in body])


def section(kept, picture):
    """All figures as Markdown."""
    results = kept["results"]
    parts = [f"Made by `{kept['command']}`: {kept['rounds']} rounds, medians. {kept['machine']}",
             f"![the medians as bars]({picture})", "### Targets",
             table(["case", "server", "target", "that is", "measured", "of the target", ""], verdicts(results)),
             "### Figures"]
    for r in results:
        body = list(rows(r))
        used = [i for i in range(len(heads(r))) if any(row[i] for row in body)]
        parts.append(f"**{r['case']}**: {r['title']}.")
        parts.append(table([heads(r)[i] for i in used], [[row[i] for i in used] for row in body]))
        if r["notes"]:
            parts.append("\n".join(f"- {note}" for note in r["notes"]))
    return "\n\n".join(parts)


def write_page(path, kept, name=""):
    """Puts the figures between the page's two marks (of that name), and the picture beside it."""
    first, last = (f"<!-- bench/run{' ' * bool(name)}{name}: {word} -->" for word in ("begin", "end"))
    picture = path.with_name(f"{path.stem}{'-' * bool(name)}{name}.svg")
    text = path.read_text(encoding="utf-8") if path.exists() else f"# Performance\n\n{first}\n{last}\n"
    before, begin, rest = text.partition(first)
    _, end, after = rest.partition(last)
    if not begin or not end:
        raise SystemExit(f"bench/run: {path} has no lines {first} and {last} to write between")
    picture.write_text(draw(kept["results"]), encoding="utf-8")
    path.write_text(f"{before}{first}\n{section(kept, picture.name)}\n{last}{after}", encoding="utf-8")


# ---- the picture ----

BAR, GAP, TITLE, NAME, PANEL, NUMBER = 16, 5, 30, 150, 460, 60
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600 }
.ours { fill: #0969da } .peer { fill: #8c959f } .least { fill: #d0d7de }
@media (prefers-color-scheme: dark) {
	text { fill: #e6edf3 } .ours { fill: #4493f8 } .peer { fill: #6e7681 } .least { fill: #3d444d }
}
"""


def kind(name):
    return "ours" if name.startswith("weft") else "least" if name == "floor" else "peer"


def panel(result, x, y):
    """One case: a bar a server, the longest as wide as there is room."""
    values = medians(result)
    most = max(values.values(), default=0) or 1
    unit = "µs of CPU" if result["unit"] == CPU else "bytes"
    out = [f'<text class="title" x="{x}" y="{y + 14}">{html.escape(result["title"])} ({unit})</text>']
    for i, (name, value) in enumerate(values.items()):
        top = y + TITLE + i * (BAR + GAP)
        width = (PANEL - NAME - NUMBER) * value / most
        out.append(f'<text x="{x + NAME - 8}" y="{top + 12}" text-anchor="end">{html.escape(name)}</text>')
        out.append(f'<rect class="{kind(name)}" x="{x + NAME}" y="{top}" width="{width:.1f}" height="{BAR}"/>')
        out.append(f'<text x="{x + NAME + width + 5:.1f}" y="{top + 12}">{amount(value, result["unit"])}</text>')
    return out


def draw(results):
    """All cases as an SVG, two beside each other."""
    out, y, width = [], 10, 2 * PANEL + 40
    for i in range(0, len(results), 2):
        pair = results[i:i + 2]
        for j, result in enumerate(pair):
            out += panel(result, 10 + j * (PANEL + 20), y)
        y += TITLE + max(len(r["seen"]) for r in pair) * (BAR + GAP) + 16
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y}" width="{width}" height="{y}">\n'
            f"<style>{STYLE}</style>\n" + "\n".join(out) + "\n</svg>\n")
