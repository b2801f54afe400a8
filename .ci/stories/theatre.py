"""What the stories of `.ci/pipeline` play with: the stand-in for Heroku, a small app that behaves as it is told, and
`cargo pipeline` at a terminal and without one."""
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
import uuid

PATIENCE = 120  # seconds that anything may take before a story gives up
URL = os.environ["EMULATOR_URL"]
LOCAL = urllib.request.build_opener(urllib.request.ProxyHandler({}))

# The app of the stories. It does on production what act.json says; on staging it is always well. It starts fast:
# there are hundreds of releases here.
APP = '''
import hashlib, json, os, socket, sys, threading, time
with open("act.json", "rb") as file:
    text = file.read()
act = json.loads(text)
ill = os.environ.get("APP_ENV") == "production" and act.get("ill") in (os.environ["DYNO"], "all")
time.sleep(act.get("starts_in", 0))
release = json.dumps({"message": act["message"], "environment": act.get("says", os.environ.get("APP_ENV")),
    "build": "sha256:" + hashlib.sha256(text).hexdigest(), "commit": act.get("says_commit", os.environ.get("HEROKU_SLUG_COMMIT")),
    "release": None if "says_commit" in act else os.environ.get("HEROKU_RELEASE_VERSION"), "a_field": {"of": "a copy"}})
def serve(client):
    with client:
        head = b""
        while b"\\r\\n\\r\\n" not in head:
            more = client.recv(65536)
            if not more:
                return
            head += more
        status, body = "200 OK", release
        if head.split()[1] == b"/health":
            status, body = ("409 Conflict", "ill") if ill else ("200 OK", "ok")
        body = body.encode()
        client.sendall(f"HTTP/1.1 {status}\\r\\nContent-Length: {len(body)}\\r\\nConnection: close\\r\\n\\r\\n".encode() + body)
with socket.create_server(("0.0.0.0", int(os.environ["PORT"])), backlog=64) as server:
    while True:
        threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
'''
CHECK = '''sleep "${SLOW_CHECK:-0}"
[ "$APP_ENV" != production ] || ! grep -q fails_its_check act.json && [ "$WEB_CONCURRENCY" != lots ]
'''
WORK = '''[ "$APP_ENV" = production ] && grep -q worker_crashes act.json && sleep 1.5 && exit 1
exec sleep 3600
'''
PROCFILE = "release: sh check\nweb: exec python3 -S -E app.py\n"
WORKER = "worker: exec sh work\n"
APP_JSON = {"stack": "heroku-24", "buildpacks": [{"url": "emk/rust"}], "env": {"APP_ENV": {"value": "production"}}}


def key():
    """The key, as the heroku command knows it."""
    return subprocess.run(["heroku", "auth:token"], capture_output=True, text=True, check=True).stdout.strip()


KEY = key()


def ask(method, path, body=None):
    """An API request, as anybody makes one."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    request = urllib.request.Request(URL + path, data, headers, method=method)
    for tries_left in (2, 1, 0):
        try:
            with LOCAL.open(request, timeout=PATIENCE) as answer:
                return json.load(answer)
        except ConnectionError:
            # The stand-in breaks off where a list changes while it tells it. To ask changes nothing.
            if method != "GET" or not tries_left:
                raise


def fault(method, path, what, **more):
    """Makes the next such requests fail. Returns what tells whether they have come."""
    def all_faults(one):
        return ask("POST", "/emulator/faults", one)

    ident = str(uuid.uuid4())
    all_faults({"method": method, "path": path, "what": what, "ident": ident, **more})

    def met():
        nothing = {"method": "", "path": "", "times": 0}  # only adding one shows them
        return any(one.get("ident") == ident and one["times"] == 0 for one in all_faults(nothing))
    return met


def requests():
    """All API requests so far."""
    with open(os.path.join(os.environ["EMULATOR_STATE"], "requests.jsonl")) as log:
        return [json.loads(line) for line in log]


def changes(name):
    """How many requests would change something of the apps of this name."""
    return sum(entry["method"] in ("POST", "PATCH", "PUT", "DELETE") and f"/{name}" in entry["path"] for entry in requests())


def until(what, holds, every=0.05):
    """Waits until something holds. Looks every so many seconds."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = holds()
        if found:
            return found
        time.sleep(every)
    raise AssertionError(f"it never came to this: {what}")


class Ran:
    """What came of a command."""

    def __init__(self, code, out, err=""):
        self.code, self.out, self.err, self.said = code, out, err, out + err

    def json(self):
        return json.loads(self.out)


class Terminal:
    """A command at a terminal."""

    def __init__(self, command, cwd, env):
        self.master, slave = pty.openpty()
        self.child = subprocess.Popen(command, cwd=cwd, env=env, stdin=slave, stdout=slave, stderr=slave,
                                      start_new_session=True)
        os.close(slave)
        self.said, self.ended = "", False

    def read(self, seconds):
        if not self.ended and select.select([self.master], [], [], seconds)[0]:
            try:
                self.said += os.read(self.master, 65536).decode("utf-8", "replace")
            except OSError:
                self.ended = True

    def until(self, text):
        deadline = time.monotonic() + PATIENCE
        while text not in self.said and not self.ended:
            self.read(0.1)
            if time.monotonic() > deadline:
                break
        if text not in self.said:
            self.end()
            raise AssertionError(f"it never said `{text}`: {self.said}")

    def type(self, line):
        os.write(self.master, (line + "\n").encode())

    def signal(self, which=signal.SIGINT):
        self.child.send_signal(which)

    def end(self):
        """Waits for its end."""
        deadline = time.monotonic() + PATIENCE
        while self.child.poll() is None and time.monotonic() < deadline:
            self.read(0.1)
        if self.child.poll() is None:
            self.child.kill()
        while not self.ended and select.select([self.master], [], [], 0)[0]:
            self.read(0)
        os.close(self.master)
        self.ended = True
        return Ran(self.child.wait(), self.said.replace("\r\n", "\n"))


class Theatre:
    """Two apps, a pipeline, a clone; and a colleague who has a clone, too."""

    def __init__(self, story, name, pipeline, procfile=PROCFILE, dynos=1):
        self.story, self.name, self.program, self.procfile = story, name, pipeline, procfile
        self.staging, self.production = name + "-staging", name
        self.at = tempfile.mkdtemp(prefix="story-")
        self.clone = os.path.join(self.at, "clone")
        os.makedirs(self.clone)
        self.env = {**os.environ, "HEROKU_API_KEY": KEY, "SSL_CERT_FILE": os.environ["EMULATOR_CA"]}
        self.env.pop("SSL_CERT_DIR", None)
        self.dynos = dynos
        for app, stage in ((self.staging, "staging"), (self.production, "production")):
            ask("POST", "/apps", {"name": app})
            ask("PATCH", f"/apps/{app}/features/runtime-dyno-metadata", {"enabled": True})
            ask("PATCH", f"/apps/{app}/config-vars", {"APP_ENV": stage})
        line = ask("POST", "/pipelines", {"name": name})
        for app, stage in ((self.staging, "staging"), (self.production, "production")):
            ident = ask("GET", f"/apps/{app}")["id"]
            ask("POST", "/pipeline-couplings", {"app": ident, "pipeline": line["id"], "stage": stage})
        self.pipeline = line["id"]
        self.git("init", "-q", "-b", "main")
        for remote, app in (("staging", self.staging), ("prod", self.production)):
            self.git("remote", "add", remote, self.address(app))

    def address(self, app):
        return URL.replace("http://", f"https://any:{KEY}@") + f"/{app}.git"

    def git(self, *words, at=None):
        ran = subprocess.run(["git", *words], cwd=at or self.clone, capture_output=True, text=True, timeout=PATIENCE)
        assert ran.returncode == 0, (words, ran.stderr)
        return ran.stdout.strip()

    # ---- what people do

    def write(self, at, subject, **act):
        files = {"act.json": json.dumps(act), "app.py": APP, "check": CHECK, "work": WORK, "Cargo.toml": "",
                 "Procfile": self.procfile, "app.json": json.dumps(APP_JSON)}
        for name, text in files.items():
            with open(os.path.join(at, name), "w") as file:
                file.write(text)
        self.git("add", "--all", at=at)
        self.git("commit", "-q", "--allow-empty", "-m", subject, at=at)

    def push(self, message, subject=None, at=None, **act):
        """Writes a message, commits it, and brings it to staging. Returns the release that runs then."""
        at = at or self.clone
        self.write(at, subject or message, message=message, **act)
        self.bring_to_staging(at)
        return self.current(self.staging)

    def bring_to_staging(self, at, commit="HEAD"):
        """What git and Heroku do for a push; without the second that git takes for it. .ci/delivery pushes."""
        source = tempfile.mkdtemp(dir=os.path.join(os.environ["EMULATOR_STATE"], "builds"))
        archive = subprocess.Popen(["git", "archive", commit], cwd=at, stdout=subprocess.PIPE)
        subprocess.run(["tar", "x", "-C", source], stdin=archive.stdout, check=True)
        archive.wait()
        order = {"source": source, "commit": self.git("rev-parse", commit, at=at), "message": "pushed"}
        ident = ask("GET", f"/apps/{self.staging}")["id"]
        request = urllib.request.Request(f"{URL}/emulator/apps/{ident}/builds", json.dumps(order).encode(),
                                         {"Authorization": f"Bearer {KEY}"})
        with LOCAL.open(request, timeout=PATIENCE) as answer:
            assert answer.read().endswith(b"exit 0\n")
        self.settled(self.staging)

    def deploy(self, *messages):
        """Each of these was on staging, and then on production."""
        for message in messages:
            made = self.push(message)
            self.promote_by_hand(made["id"])
        if self.dynos != 1:
            self.scale("web", self.dynos)

    def colleague(self):
        """Their clone, as far as ours is."""
        at = os.path.join(self.at, "colleague")
        self.git("clone", "-q", self.clone, at, at=self.at)
        return at

    def colleague_pushes(self):
        return self.push("Nobody has reviewed this.", at=self.colleague())

    def promote_by_hand(self, release=None):
        ident = {app: ask("GET", f"/apps/{app}")["id"] for app in (self.staging, self.production)}
        source = {"app": {"id": ident[self.staging]}}
        if release:
            source["release"] = {"id": release}
        ask("POST", "/pipeline-promotions", {"pipeline": {"id": self.pipeline}, "source": source,
                                            "targets": [{"app": {"id": ident[self.production]}}]})
        self.settled(self.production)

    def colleague_promotes(self):
        """An older build: not what is reviewed here, and not what production runs."""
        older = next(r for r in self.releases(self.staging) if r["slug"] and r["slug"]["id"] == self.other_slug)
        self.promote_by_hand(older["id"])

    def colleague_rolls_back(self):
        first = next(r for r in self.releases(self.production) if r["slug"])
        ask("POST", f"/apps/{self.production}/releases", {"release": first["id"]})
        self.settled(self.production)

    def colleague_sets(self):
        ask("PATCH", f"/apps/{self.production}/config-vars", {"CURTAIN": str(time.time())})
        self.settled(self.production)

    def set(self, app, **variables):
        ask("PATCH", f"/apps/{app}/config-vars", variables)

    def scale(self, kind, quantity):
        ask("PATCH", f"/apps/{self.production}/formation", {"updates": [{"type": kind, "quantity": quantity}]})
        if quantity:
            self.settled(self.production)

    # ---- what is there

    def releases(self, app):
        return ask("GET", f"/apps/{app}/releases")

    def current(self, app):
        return next(r for r in self.releases(app) if r["current"])

    def settled(self, app):
        """Waits until no release of it is pending, and no dyno starts."""
        def still():
            pending = any(r["status"] == "pending" for r in self.releases(app))
            dynos = [d for d in ask("GET", f"/apps/{app}/dynos") if d["type"] != "release"]
            return not pending and all(d["state"] != "starting" for d in dynos)
        until(f"{app} is still", still, every=0.2)

    def answer(self, app, path):
        """What an app answers to somebody: the text, or the status where that is not 200."""
        address = ask("GET", f"/apps/{app}")["web_url"]
        host = re.match(r"https?://([^:/]+)", address)[1]
        try:
            with LOCAL.open(urllib.request.Request(URL + path, headers={"Host": host}), timeout=PATIENCE) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            return str(error.code)

    def serves(self):
        """The message that production serves."""
        answer = self.answer(self.production, "/release")
        return json.loads(answer)["message"] if answer.startswith("{") else answer

    def asked(self, since, path, method="GET"):
        """Whether this was asked of the API after so many requests."""
        return any(e["path"].split("?")[0] == path and e["method"] == method for e in requests()[since:])

    # ---- the program

    def run(self, *words, env=None, cwd=None):
        """`cargo pipeline`, without a terminal."""
        ran = subprocess.run([self.program, *words], cwd=cwd or self.clone, env={**self.env, **(env or {})},
                             stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE)
        return self.story.heard(words, Ran(ran.returncode, ran.stdout, ran.stderr))

    def start(self, *words, **more):
        """The same, behind what follows. Returns what waits for its end."""
        child = subprocess.Popen([self.program, *words], cwd=self.clone, env=self.env, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)

        def end():
            out, err = child.communicate(timeout=PATIENCE)
            return self.story.heard(words, Ran(child.returncode, out, err))
        end.signal = child.send_signal
        end.pid = child.pid
        return end

    def at_terminal(self, *words):
        terminal = Terminal([self.program, *words], self.clone, self.env)
        finish = terminal.end
        terminal.end = lambda: self.story.heard(words, finish())
        return terminal

    def record(self):
        path = os.path.join(self.clone, ".git", "pipeline-promotions.jsonl")
        if not os.path.exists(path):
            return []
        with open(path) as file:
            return [json.loads(line) for line in file]

    def close(self):
        for app in (self.staging, self.production):
            try:
                ask("DELETE", f"/apps/{app}")
            except urllib.error.HTTPError:
                pass  # the story has destroyed it
        shutil.rmtree(self.at, ignore_errors=True)


class Story:
    """One story, and what was checked in it."""
    everything_said, lock = [], threading.Lock()

    def __init__(self, title):
        self.began = time.monotonic()
        self.title, self.lines, self.passed, self.failed, self.interleavings = title, [], 0, 0, 0

    def heard(self, words, ran):
        self.lines.append(f"{time.monotonic() - self.began:5.1f} s $ cargo pipeline {' '.join(words)}  -> {ran.code}")
        self.last = ran
        with self.lock:
            self.everything_said.append(ran.said)
        return ran

    def check(self, what, holds, found=""):
        if holds:
            self.passed += 1
            self.lines.append(f"ok: {what}")
        else:
            self.failed += 1
            self.lines.append(f"FAILED: {what}: {str(found)[:3000]}")

    def same(self, what, wanted, found):
        self.check(f"{what}: {found}" if wanted == found else what, wanted == found, f"{found!r}, not {wanted!r}")

    def says(self, text, ran):
        self.check(f"it says: {text}", text in " ".join(ran.said.split()), ran.said)

    def ends(self, code, ran):
        self.check(f"it ends with {code}", ran.code == code, f"{ran.code}: {ran.said}")
