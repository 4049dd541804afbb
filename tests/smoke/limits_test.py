"""What is too large, too deep, or no file at all is refused at once, in one line that says the limit, with status 2.

docs/limits.md must tell each limit in the words of its message.
"""
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.environ.get("DYNASOC_SOURCE_DIR", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
DYNASOC = os.path.abspath(os.environ.get("DYNASOC_BINARY", os.path.join(ROOT, "build", "release", "dynasoc")))
HANG_S = 300  # far beyond what any of it takes: only a program that hangs meets it

failures = []


def check(condition, message):
    if not condition:
        failures.append(message)


# Little memory and a small stack: nothing of what is refused is kept, and no depth of nesting is recursed into.
WITHIN = "ulimit -v 4000000 -s 1024"
if "Sanitizer" in subprocess.run(["bash", "-c", WITHIN + '; exec "$0" --version', DYNASOC], capture_output=True, text=True).stderr:
    WITHIN = "ulimit -s 8192"  # which reserves terabytes of addresses, and has larger frames


def run(*words, **more):
    return subprocess.run(["bash", "-c", WITHIN + '; exec "$0" "$@"', DYNASOC, *words],
                          capture_output=True, text=True, errors="replace", timeout=HANG_S, cwd=ROOT, stdin=subprocess.DEVNULL, **more)


def refused(what, *words, says, **more):
    done = run(*words, **more)
    line = done.stderr.rstrip("\n")
    check(done.returncode == 2, f"{what}: status {done.returncode}: {line[:300]}")
    check(done.stdout == "", f"{what}: something on standard output")
    check("\n" not in line and len(line) < 1500, f"{what}: not one line of readable length: {line[:300]}")
    check(says in line, f"{what}: does not say {says!r}: {line[:300]}")


def accepted(what, *words, **more):
    done = run(*words, **more)
    check(done.returncode == 0, f"{what}: status {done.returncode}: {done.stderr[:300]}")


def scenario(**changes):
    whole = {
        "platform": "minimal",
        "duration_s": 0.2,
        "applications": {"a": {"network": "example", "arrivals": {"kind": "periodic", "period_ms": 20}, "targets": [{"latency_ms": 30}]}},
    }
    whole.update(changes)
    return json.dumps(whole)


TABLE = "subnet,unit,cores,f_cpu_mhz,f_gpu_mhz,f_emc_mhz,latency_ms_mean,latency_ms_std,n,provenance,source\n"
CELL = "L1,gpu,,,{},,10,,,derived,made up\n"


def json_texts(folder):
    def lint(name, text):
        path = os.path.join(folder, name)
        with open(path, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        return "lint", path

    good = scenario()
    padded = good[:-1] + " " * (33 << 20) + "}"
    refused("a JSON file of 33 MB", *lint("large.json", padded), says="a JSON text has at most 32 MB")
    for depth in (65, 10_000, 1_000_000):
        for opening in ("[", '{"a":'):
            refused(f"{depth} levels of {opening}", *lint("deep.json", opening * depth), says="nested more than 64 levels")
    refused("a name of 1 MB", *lint("name.json", json.dumps({"x" * 1_000_000: 1})), says="it may have 1000 bytes")
    refused("10^5 applications", *lint("many.json", scenario(applications={f"a{i}": {} for i in range(100_000)})),
            says="has more than 10000 members")
    refused("a string of 3 MB", *lint("string.json", scenario(platform="x" * (3 << 20))), says="/platform")
    refused("a number beyond doubles", *lint("number.json", good.replace("0.2", "1e999")), says="too large for a number")
    refused("a NUL", *lint("nul.json", good.replace("minimal", "mini\0mal")), says="control character")
    refused("NULs behind the end", *lint("nuls.json", good + "\0" * 1000), says="the value ended before this")
    refused("bytes that are no UTF-8", *lint("latin.json", good.encode().replace(b"minimal", b"minim\xe4l")), says="not valid UTF-8")
    refused("a key twice", *lint("twice.json", '{"duration_s": 1, ' + good[1:]), says="appears twice")
    accepted("a byte-order mark and CRLF", *lint("bom.json", b"\xef\xbb\xbf" + good.replace(",", ",\r\n").encode()))


def csv_texts(folder):
    def lint(name, text):
        path = os.path.join(folder, name)
        with open(path, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        return "lint", path

    refused("2000 columns", *lint("columns.csv", ",".join(f"c{i}" for i in range(2000)) + "\n"), says="more than 1000 columns")
    refused("a line of 10 MB", *lint("line.csv", "x" * 10_000_000), says="may have 64 KB")
    refused("a line of 10 MB in commas", *lint("commas.csv", "," * 10_000_000), says="more than 1000 columns")
    refused("a cell of 1 MB", *lint("cell.csv", TABLE + "L1,gpu,,,500,,10,,,derived," + "x" * 1_000_000 + "\n"), says="it may have 64 KB")
    refused("a quote that swallows the rest", *lint("quote.csv", TABLE + '"' + CELL.format(500) * 100_000), says="never closed")
    refused("a NUL", *lint("nul.csv", TABLE + CELL.format("5\x0000")), says="not valid UTF-8")
    refused("a number beyond doubles", *lint("number.csv", TABLE + CELL.format("1e999")), says="too large or too small")
    accepted("a byte-order mark and CRLF", *lint("bom.csv", b"\xef\xbb\xbf" + (TABLE + CELL.format(500)).replace("\n", "\r\n").encode()))


def no_files(folder):
    path = os.path.join(folder, "sparse.json")
    with open(path, "wb") as file:
        file.truncate(100 << 30)
    refused("a file of 100 GB", "lint", path, says="a file that is read has at most 512 MB")
    fifo = os.path.join(folder, "fifo.json")
    os.mkfifo(fifo)
    refused("a pipe without a writer", "run", fifo, says="is a pipe, and nothing came out of it")
    refused("a device", "run", "/dev/zero", says="is a device, not a file")
    refused("a directory", "run", folder, says="is a directory, not a file")
    loop = os.path.join(folder, "loop.json")
    os.symlink("loop.json", loop)
    refused("a link to itself", "lint", loop, says="cannot be read")
    # What a shell's <(…) hands over is a pipe too, which can be read once.
    samples = os.path.join(ROOT, "docs", "example", "samples.csv")
    done = subprocess.run(["bash", "-c", '"$0" table import samples <(cat "$1") --source a-board --meter a-meter', DYNASOC, samples], capture_output=True,
                          text=True, timeout=HANG_S, cwd=ROOT, stdin=subprocess.DEVNULL)
    check(done.returncode == 0, f"samples out of a pipe: status {done.returncode}: {done.stderr[:300]}")


def recordings(folder):
    # Lines of other programs' logs, nested deeper than any stack: dropped like any line that is none.
    deep = "[" * 500_000 + "]" * 500_000
    path = os.path.join(folder, "mlperf_log_detail.txt")
    for line in (f':::MLLOG {{"key": "x", "value": {"[" * 500_000}', f':::MLLOG {{"key": "x", "value": {deep[250_000:-250_000]}}}',
                 f'{{"name": "Sample", "args": {deep[250_000:-250_000]}}}'):
        with open(path, "w", encoding="utf-8") as file:
            file.write(line + "\n")
        done = run("trace", "import", "loadgen", path)
        check(done.returncode == 2, f"a line of 500,000 brackets: status {done.returncode}: {done.stderr[:300]}")
        with open(path, "a", encoding="utf-8") as file:
            file.write(':::MLLOG {"key": "effective_target_qps", "value": 10}\n')
        accepted("a line of 500,000 brackets beside a good one", "trace", "import", "loadgen", path)


def options(folder):
    del folder
    deep = "[" * 60_000
    for words in (("compare", "scenarios/minimal.json", "--policies", f"pid(proportional={deep})"),
                  ("compare", "scenarios/minimal.json", "--policies", f"none,{deep}"),
                  ("run", "scenarios/minimal.json", "--set", f"policy={deep}"),
                  ("run", "scenarios/minimal.json", "--set", "a." * 30_000 + "b=1")):
        done = run(*words)
        check(done.returncode == 2, f"{words[0]} {words[2]} of 60 KB: status {done.returncode}: {done.stderr[:200]}")
        check(done.stderr.count("\n") == 1, f"{words[0]} {words[2]} of 60 KB: not one line")
    broken = subprocess.run([DYNASOC.encode(), b"compare", b"scenarios/minimal.json", b"--policies", b"pid(proportional=\xff)"],
                            capture_output=True, timeout=HANG_S, cwd=ROOT)
    check(broken.returncode == 2, f"--policies of no UTF-8: status {broken.returncode}: {broken.stderr[:200]}")


def documented():
    with open(os.path.join(ROOT, "docs", "limits.md"), encoding="utf-8") as file:
        text = file.read()
    with open(os.path.join(ROOT, "sim", "common", "outside.hpp"), encoding="utf-8") as file:
        header = file.read()
    for limit, said in (("kFileBytes = 512u << 20", "512 MB"), ("kJsonBytes = 32u << 20", "32 MB"), ("kJsonDepth = 64;", "64 levels"),
                        ("kMembers = 10'000", "10,000"), ("kNameBytes = 1000", "1000 bytes"), ("kColumns = 1000", "1000 columns"),
                        ("kCellBytes = 64u << 10", "64 KB")):
        check(limit in header, f"outside.hpp no longer says {limit}: change this test and docs/limits.md")
        check(said in text, f"docs/limits.md does not say {said}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        for part in (json_texts, csv_texts, no_files, recordings, options):
            part(folder)
    documented()
    for failure in failures:
        print("FAILED:", failure)
    print(f"limits_test: {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
