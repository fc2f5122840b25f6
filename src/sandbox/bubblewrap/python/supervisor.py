"""Process 1 of a container: runs the interpreter, watches its limits, and speaks with the server.

On standard input come requests, on standard output go frames; both belong to this process alone. A frame is two
big-endian lengths (header, body), a JSON header, and the body. Code runs in another process (interpreter.py), whose
output is data and whose end is told on a pipe of its own under a random key.

Invariants:
- When a run has ended nothing of it goes on: other processes are killed, the interpreter is stopped until the next run.
- What is over a limit is ended here; the server ends the whole container when this process does not.
"""
import ctypes
import errno
import fcntl
import json
import os
import resource
import select
import signal
import stat
import struct
import subprocess
import sys
import time

LIMITS = json.loads(sys.argv[1])
ROOT = LIMITS["root"]
INTERPRETER = LIMITS["interpreter"]
PYTHON = LIMITS["python"]
TICK = 0.05
GRACE = 0.3
CHUNK = 65536
MAX_PIPE = 1 << 20
MAX_REQUEST = 8 * 1024 * 1024
MAX_DEPTH = 64
PAGE = os.sysconf("SC_PAGE_SIZE")
HERTZ = os.sysconf("SC_CLK_TCK")
PR_SET_DUMPABLE = 4


def send(header, body=b""):
    head = json.dumps(header).encode()
    view = memoryview(struct.pack(">II", len(head), len(body)) + head + body)
    while view:
        view = view[os.write(1, view):]


def live_processes():
    """Everybody but this process and those that are dead already."""
    for name in os.listdir("/proc"):
        if not name.isdigit() or name == "1":
            continue
        try:
            with open(f"/proc/{name}/stat") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] not in "ZX":
            yield int(name), fields


exits = {}


def reap():
    """Everybody's orphans end up here; what is not awaited by a worker is forgotten with it."""
    try:
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            exits[pid] = os.waitstatus_to_exitcode(status)
    except ChildProcessError:
        pass


def send_signal(pid, number):
    try:
        os.kill(pid, number)
    except OSError:
        pass


def end_others(kept):
    """Stops all before it kills any, so that nobody gets room to fork."""
    deadline = time.monotonic() + 2
    stopped = set()
    while True:
        now = {pid for pid, _ in live_processes() if pid != kept}
        for pid in now:
            send_signal(pid, signal.SIGSTOP)
        if now <= stopped:
            break
        stopped |= now
    while True:
        left = [pid for pid, _ in live_processes() if pid != kept]
        if not left:
            return
        if time.monotonic() > deadline:
            os._exit(1)
        for pid in left:
            send_signal(pid, signal.SIGKILL)
        reap()
        time.sleep(0.001)


def tasks_left():
    """Threads, and processes that are dead but not forgotten: each counts against the limit."""
    total = 0
    for name in os.listdir("/proc"):
        if name.isdigit() and name != "1":
            try:
                total += len(os.listdir(f"/proc/{name}/task"))
            except OSError:
                pass
    return total


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    ticks = sum(sum(int(field) for field in fields[11:15]) for _, fields in live_processes())
    return used.ru_utime + used.ru_stime + ticks / HERTZ


def pss_bytes(pid):
    try:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            for line in file:
                if line.startswith("Pss:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def memory_bytes():
    """Resident pages; shared ones count once, as far as there is time to look at that."""
    resident = {pid: int(fields[21]) * PAGE for pid, fields in live_processes()}
    total = sum(resident.values())
    deadline = time.monotonic() + 0.2
    for pid, size in resident.items():
        if total <= LIMITS["memory"] or time.monotonic() > deadline:
            break
        total += pss_bytes(pid) - size
    return total


def files_made():
    total = 0
    for place in (ROOT, "/tmp", "/dev/shm"):
        found = os.statvfs(place)
        total += found.f_files - found.f_ffree
    return total


def over_limit(run):
    if memory_bytes() > LIMITS["memory"]:
        return "memory"
    if files_made() > max(LIMITS["files"], run["files"]):
        return "files"
    if cpu_seconds() - run["cpu"] > LIMITS["cpu"]:
        return "cpu"
    return None


def limit_child():
    """What each process may have; together they are watched."""
    for what, most in (
        (resource.RLIMIT_DATA, LIMITS["memory"]),
        (resource.RLIMIT_FSIZE, LIMITS["disk"]),
        (resource.RLIMIT_NPROC, LIMITS["processes"]),
        (resource.RLIMIT_NOFILE, 256),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))
    # Behind this process, which has to be able to end it.
    os.setpriority(os.PRIO_PROCESS, 0, 19)
    os.setsid()


class Interpreter:
    """One process that keeps the state of the container's code."""

    def __init__(self):
        request, self.request = os.pipe()
        self.result, result = os.pipe()

        def place():
            limit_child()
            # Out of the way first: one of them may be 3 or 4 itself.
            moved = [fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (request, result)]
            os.dup2(moved[0], 3)
            os.dup2(moved[1], 4)
            os.closerange(5, 256)

        self.process = subprocess.Popen(
            [PYTHON, "-I", "-B", "-X", "utf8", INTERPRETER],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            close_fds=False,
            preexec_fn=place,
        )
        os.close(request)
        os.close(result)
        self.pid = self.process.pid
        self.pids = [self.pid]
        self.outputs = {self.process.stdout.fileno(): ("stdout", 0)}
        for fd in (*self.outputs, self.result):
            os.set_blocking(fd, False)
        self.pending = b""

    def start(self, key, code):
        send_signal(self.pid, signal.SIGCONT)
        message = key + struct.pack(">I", len(code)) + code
        view = memoryview(message)
        while view:
            view = view[os.write(self.request, view):]

    def close(self):
        for fd in (self.request, self.result):
            os.close(fd)
        self.process.stdout.close()


class Commands:
    """Shell commands that run side by side, each with streams of its own."""

    def __init__(self):
        self.processes = []
        self.pids = []
        self.outputs = {}
        self.told = set()

    def start(self, text):
        process = subprocess.Popen(
            ["/bin/bash", "-c", text],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            preexec_fn=limit_child,
        )
        self.outputs[process.stdout.fileno()] = ("stdout", len(self.pids))
        self.outputs[process.stderr.fileno()] = ("stderr", len(self.pids))
        for stream in (process.stdout, process.stderr):
            os.set_blocking(stream.fileno(), False)
        self.processes.append(process)
        self.pids.append(process.pid)

    def outputs_of(self, index):
        return [fd for fd, (_, command) in self.outputs.items() if command == index]

    def close(self):
        for process in self.processes:
            process.returncode = exits.get(process.pid, -signal.SIGKILL)
            process.stdout.close()
            process.stderr.close()


class Supervisor:
    def __init__(self):
        self.interpreter = None
        self.run = None
        self.input = b""

    # ---- the loop

    def serve(self):
        send({"type": "ready", "python": sys.version.split()[0]})
        while True:
            fds = [0]
            if self.run:
                fds += [fd for fd in self.run["worker"].outputs if fd not in self.run["closed"]]
                if self.run["kind"] == "run":
                    fds.append(self.run["worker"].result)
            readable, _, _ = select.select(fds, [], [], TICK if self.run else None)
            if 0 in readable:
                self.read_requests()
            if not self.run:
                continue
            worker = self.run["worker"]
            for fd in readable:
                if self.run and fd in worker.outputs:
                    self.read_output(fd)
                elif self.run and self.run["kind"] == "run" and fd == worker.result:
                    self.read_results()
            if self.run:
                self.watch()

    def read_requests(self):
        data = os.read(0, 1 << 20)
        if not data:
            os._exit(0)
        self.input += data
        while len(self.input) >= 8:
            head, body = struct.unpack(">II", self.input[:8])
            if head + body > MAX_REQUEST:
                os._exit(1)
            if len(self.input) < 8 + head + body:
                return
            header = json.loads(self.input[8:8 + head])
            content = self.input[8 + head:8 + head + body]
            self.input = self.input[8 + head + body:]
            self.answer(header, content)

    def answer(self, request, body):
        handler = {
            "run": self.begin_run,
            "shell": self.begin_shell,
            "interrupt": self.interrupt,
            "list": self.list_files,
            "get": self.get_file,
            "put": self.put_file,
            "delete": self.delete_file,
        }[request["op"]]
        try:
            handler(request, body)
        except OSError as error:
            send({"id": request["id"], "type": "failed", "code": error.strerror or "failed"})
        except RecursionError:
            send({"id": request["id"], "type": "failed", "code": "Too many folders in one another"})

    # ---- running

    def begin_run(self, request, code):
        reap()
        if self.interpreter is not None and self.interpreter.pid in exits:
            self.discard()
        if self.interpreter is None:
            self.interpreter = Interpreter()
        key = os.urandom(16)
        self.begin("run", request, self.interpreter, key)
        self.interpreter.pending = b""
        self.interpreter.start(key, code)

    def begin_shell(self, request, texts):
        commands = Commands()
        try:
            for text in json.loads(texts):
                commands.start(text)
        except OSError:
            end_others(self.interpreter.pid if self.interpreter else None)
            reap()
            commands.close()
            raise
        self.begin("shell", request, commands, b"")

    def begin(self, kind, request, worker, key):
        self.run = {
            "kind": kind,
            "id": request["id"],
            "worker": worker,
            "key": key,
            "deadline": time.monotonic() + min(request["wall"], LIMITS["wall"]),
            "cpu": cpu_seconds(),
            "room": LIMITS["output"],
            "cut": False,
            "closed": set(),
            "ending": None,
            "images": 0,
            "files": files_made(),
            "next": 0,
        }

    def interrupt(self, request, _):
        if self.run and self.run["id"] == request["id"]:
            self.give_up("interrupted")

    def read_output(self, fd):
        """At most one piece; False when there is none."""
        run = self.run
        if fd in run["closed"]:
            return False
        try:
            data = os.read(fd, CHUNK)
        except BlockingIOError:
            return False
        if not data:
            run["closed"].add(fd)
            return False
        if len(data) > run["room"]:
            run["cut"] = True
            data = data[:run["room"]]
        run["room"] -= len(data)
        if data:
            stream, command = run["worker"].outputs[fd]
            send({"id": run["id"], "type": "output", "stream": stream, "command": command}, data)
        return True

    def read_results(self):
        """Frames of the interpreter: key, kind, length, content. What does not begin with the key is no frame."""
        run, worker = self.run, self.run["worker"]
        try:
            data = os.read(worker.result, 1 << 20)
        except BlockingIOError:
            return
        if not data:
            return self.end("exited")
        worker.pending += data
        while self.run and len(worker.pending) >= 21:
            key, kind, length = worker.pending[:16], worker.pending[16:17], worker.pending[17:21]
            size = struct.unpack(">I", length)[0]
            if key != run["key"] or size > LIMITS["image"]:
                return self.end("exited")
            if len(worker.pending) < 21 + size:
                return
            content = worker.pending[21:21 + size]
            worker.pending = worker.pending[21 + size:]
            if kind == b"I" and run["images"] < LIMITS["images"]:
                run["images"] += 1
                send({"id": run["id"], "type": "image"}, content)
            elif kind == b"I":
                run["cut"] = True
            elif kind == b"E":
                self.end({b"ok": "ok", b"error": "error"}.get(content, "error"))

    def watch(self):
        run = self.run
        reap()
        if run["kind"] == "shell":
            self.tell_exits()
            if len(run["worker"].told) == len(run["worker"].pids):
                return self.end("ok" if run["ending"] is None else run["ending"][0])
        if run["ending"] is not None:
            if time.monotonic() > run["ending"][1]:
                self.end(run["ending"][0])
            return
        began = time.monotonic()
        if began > run["deadline"]:
            return self.give_up("timeout")
        if began < run["next"]:
            return
        why = over_limit(run)
        # Looking at very many pages takes time itself.
        run["next"] = began + max(TICK, 2 * (time.monotonic() - began))
        if why is not None:
            self.give_up(why)

    def give_up(self, why):
        """Asks the code to stop; where memory or files run out there is no time to ask."""
        run = self.run
        if run["ending"] is not None:
            return
        if why in ("memory", "files"):
            return self.end(why)
        if run["kind"] == "shell":
            self.tell_exits()
            return self.end(why)
        run["ending"] = (why, time.monotonic() + GRACE)
        send_signal(run["worker"].pid, signal.SIGINT)

    def tell_exits(self):
        """Of commands that have ended by themselves, after what they said."""
        run, worker = self.run, self.run["worker"]
        for index, pid in enumerate(worker.pids):
            if pid in exits and index not in worker.told:
                worker.told.add(index)
                for fd in worker.outputs_of(index):
                    # Its children may go on writing: what was there when it ended is enough.
                    for _ in range(MAX_PIPE // CHUNK):
                        if not self.read_output(fd):
                            break
                send({"id": run["id"], "type": "exit", "command": index, "code": exits[pid]})

    def end(self, status):
        """An interpreter that stopped when it was asked to keeps its state."""
        run, worker = self.run, self.run["worker"]
        lost = run["kind"] == "run" and status not in ("ok", "error")
        end_others(None if lost or self.interpreter is None else self.interpreter.pid)
        if run["kind"] == "run" and not lost and tasks_left() > LIMITS["processes"] // 2:
            # Threads that nobody can end, and the dead that it never awaited, would leave no room for others.
            lost = True
            end_others(None)
        if run["kind"] == "run" and not lost:
            send_signal(worker.pid, signal.SIGSTOP)
        self.drain()
        reap()
        code = exits.get(worker.pid) if run["kind"] == "run" else None
        if lost:
            self.discard()
        elif run["kind"] == "shell":
            worker.close()
        if run["ending"]:
            status = run["ending"][0]
        self.run = None
        exits.clear()
        send({"id": run["id"], "type": "end", "status": status, "code": code, "cut": run["cut"], "lost": lost})

    def discard(self):
        self.interpreter.process.returncode = exits.get(self.interpreter.pid, -signal.SIGKILL)
        self.interpreter.close()
        self.interpreter = None

    def drain(self):
        for fd in self.run["worker"].outputs:
            while self.read_output(fd):
                pass

    # ---- files

    def list_files(self, request, _):
        files, more = [], False
        for folder, folders, names in os.walk(ROOT):
            folders.sort()
            if folder.count("/") > MAX_DEPTH:
                folders.clear()
                more = True
            for name in sorted(names):
                path = os.path.join(folder, name)
                try:
                    found = os.lstat(path)
                except OSError:
                    continue
                shown = path[len(ROOT) + 1:]
                if not stat.S_ISREG(found.st_mode) or not is_plain(shown):
                    continue
                if len(files) == LIMITS["listed"]:
                    more = True
                    break
                files.append([shown, found.st_size, f"{found.st_mtime_ns}-{found.st_ino}"])
        send({"id": request["id"], "type": "files", "more": more}, json.dumps(files).encode())

    def get_file(self, request, _):
        fd = open_inside(request["path"], os.O_RDONLY)
        try:
            content = os.pread(fd, min(request["length"], 1 << 20), request["offset"])
            send({"id": request["id"], "type": "content", "size": os.fstat(fd).st_size}, content)
        finally:
            os.close(fd)

    def put_file(self, request, body):
        if request["offset"] + len(body) > LIMITS["disk"]:
            raise OSError(errno.ENOSPC, "No space left on device")
        flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if request["offset"] == 0 else 0)
        fd = open_inside(request["path"], flags, make=True)
        try:
            view, offset = memoryview(body), request["offset"]
            while view:
                written = os.pwrite(fd, view, offset)
                view, offset = view[written:], offset + written
        finally:
            os.close(fd)
        send({"id": request["id"], "type": "done"})

    def delete_file(self, request, _):
        parent, name = open_parent(request["path"], make=False)
        try:
            os.unlink(name, dir_fd=parent)
        finally:
            os.close(parent)
        send({"id": request["id"], "type": "done"})


def is_plain(path):
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return path.isprintable() and len(path) <= 512


def open_parent(path, make):
    """The folder a path stands in, over no link, and the name in it."""
    parts = path.split("/")
    if not path or any(part in ("", ".", "..") for part in parts):
        raise OSError(22, "Invalid path")
    folder = os.open(ROOT, os.O_RDONLY | os.O_DIRECTORY)
    for part in parts[:-1]:
        if make:
            try:
                os.mkdir(part, dir_fd=folder)
            except FileExistsError:
                pass
        try:
            below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
        finally:
            os.close(folder)
        folder = below
    return folder, parts[-1]


def open_inside(path, flags, make=False):
    parent, name = open_parent(path, make)
    try:
        fd = os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o644, dir_fd=parent)
    finally:
        os.close(parent)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(22, "Not a file")
    return fd


def main():
    if os.getpid() != 1:
        # Whoever it sees it ends: that must be its own container alone.
        sys.exit("it is not process 1 of its container")
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    Supervisor().serve()


main()
