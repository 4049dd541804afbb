"""A host for tests of dynasoc-agent: what it says and hears, over a pipe or a real sshd on the loopback."""
import getpass
import json
import os
import select
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time

AGENT = os.path.abspath(os.environ["DYNASOC_AGENT"]) if os.environ.get("DYNASOC_AGENT") else ""
SSHD = next((path for path in ("/usr/sbin/sshd", "/usr/local/sbin/sshd") if os.access(path, os.X_OK)), "")
LONGEST_LINE = 65536


class AgentError(Exception):
    """The agent's answer was an error."""

    def __init__(self, error):
        super().__init__(f"{error['code']}: {error['message']}")
        self.code, self.error = error["code"], error


class AgentLost(Exception):
    """Its output has ended, or nothing was heard in time."""


class Client:
    """One session. Says nothing by itself: a test that waits keeps the lease, or lets it run out."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        bufsize=0)
        self.events = []
        self._answers = {}
        self._rest = b""
        self._last_id = 0
        self.agent_pid = None

    def write(self, data):
        view = memoryview(data)
        while view:
            view = view[os.write(self.process.stdin.fileno(), view):]

    def send(self, op, **members):
        self._last_id += 1
        self.write(json.dumps({"id": self._last_id, "op": op, **members}).encode() + b"\n")
        return self._last_id

    def message(self, timeout_s=10.0):
        """The next line, an answer or an event."""
        until = time.monotonic() + timeout_s
        while b"\n" not in self._rest:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0.0, until - time.monotonic()))
            data = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            if not data:
                raise AgentLost(f"{'its output has ended' if ready else 'nothing was heard in time'}; {self.events}")
            self._rest += data
        line, self._rest = self._rest.split(b"\n", 1)
        assert len(line) < LONGEST_LINE, "a line longer than the protocol allows"
        return json.loads(line)

    def wait(self, number, timeout_s=10.0):
        """The answer to a request; others and events are kept."""
        until = time.monotonic() + timeout_s
        while number not in self._answers:
            message = self.message(until - time.monotonic())
            if "event" in message:
                self.events.append(message)
            else:
                self._answers[message["id"]] = message
        answer = self._answers.pop(number)
        if "error" in answer:
            raise AgentError(answer["error"])
        return answer["ok"]

    def call(self, op, timeout_s=10.0, **members):
        return self.wait(self.send(op, **members), timeout_s)

    def event(self, name, timeout_s=10.0):
        """The next event of a kind, one that was kept too."""
        until = time.monotonic() + timeout_s
        while True:
            for kept in self.events:
                if kept["event"] == name:
                    self.events.remove(kept)
                    return kept
            message = self.message(until - time.monotonic())
            (self.events.append if "event" in message else lambda m: self._answers.update({m["id"]: m}))(message)

    def hello(self, lease_ms=60000):
        answer = self.call("hello", protocol=1, lease_ms=lease_ms)
        return answer

    def kill(self):
        self.process.send_signal(signal.SIGKILL)

    def close(self):
        """Ends it however it is, and returns what it said on standard error."""
        for file in (self.process.stdin, self.process.stdout):
            if not file.closed:
                file.close()
        try:
            self.process.send_signal(signal.SIGCONT)
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.kill()
            self.process.wait()
        text = self.process.stderr.read().decode(errors="replace")
        self.process.stderr.close()
        return text


def agent_command(tree, *options):
    return [AGENT, "serve", "--root", tree.root, "--state", tree.state, *options]


class Pipe:
    """Starts agents as children."""

    name = "pipe"

    def start(self, tree, *options):
        return Client(agent_command(tree, *options))

    def stop(self):
        pass


class Ssh:
    """A real sshd for one test class, with a key made for it; the agent is the key's forced command."""

    name = "ssh"

    def __init__(self):
        if not SSHD or not shutil.which("ssh") or not shutil.which("ssh-keygen"):
            raise FileNotFoundError("sshd, ssh or ssh-keygen is not installed")
        self.folder = tempfile.mkdtemp(prefix="dynasoc-sshd-")
        for key in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self._file(key)], check=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        with open(self._file("sshd_config"), "w", encoding="ascii") as file:
            file.write(f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {self._file('host')}\nPidFile none\n"
                       f"AuthorizedKeysFile {self._file('authorized_keys')}\nStrictModes no\nUsePAM no\n"
                       "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\n")
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        self.log = open(self._file("log"), "wb")
        self.process = subprocess.Popen([SSHD, "-D", "-e", "-f", self._file("sshd_config")], stderr=self.log)
        self._await_port()

    def _file(self, name):
        return os.path.join(self.folder, name)

    def _await_port(self):
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        self.stop()
        raise RuntimeError("sshd does not listen")

    def start(self, tree, *options):
        with open(self._file("user.pub"), encoding="ascii") as file:
            key = file.read()
        command = " ".join(map(shlex.quote, agent_command(tree, *options))).replace('"', '\\"')
        with open(self._file("authorized_keys"), "w", encoding="utf-8") as file:
            file.write(f'restrict,command="exec {command}" {key}')
        return Client(["ssh", "-F", "none", "-T", "-p", str(self.port), "-i", self._file("user"), "-o", "BatchMode=yes",
                       "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR", "-o",
                       f"UserKnownHostsFile={self._file('known')}", f"{getpass.getuser()}@127.0.0.1"])

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)
