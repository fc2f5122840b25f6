"""Tries to reach what a container must not reach. Prints one JSON object: the probes, and what each one reached.

HINTS names canaries of the server: they are there, and everything but the sandbox would let us have them.
"""
import ctypes
import json
import os
import signal
import socket
import subprocess
import sys

try:
    import resource
except ImportError:  # a Python of WebAssembly
    resource = None

libc = ctypes.CDLL(None, use_errno=True)
PROBES = {}


def probe(function):
    PROBES[function.__name__] = function
    return function


def probe_of_machine(function):
    """Of what a Python of WebAssembly shows a picture of: its own root, its own user."""
    return function if HINTS["wasm"] else probe(function)


def read(path, size=4096):
    with open(path, "rb") as file:
        return file.read(size)


def connects(family, address):
    with socket.socket(family, socket.SOCK_STREAM) as client:
        client.settimeout(0.5)
        client.connect(address)
        return f"connected to {address}"


@probe
def environment():
    return [name for name in os.environ if HINTS["secret"] in os.environ[name]] or None


@probe
def environment_of_others():
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if HINTS["secret"].encode() in read(f"/proc/{pid}/environ", 1 << 20):
                found.append(pid)
        except OSError:
            pass
    return found or None


@probe
def file_of_the_host():
    return read(HINTS["file"]).decode()


@probe
def file_through_proc():
    for pid in filter(str.isdigit, os.listdir("/proc")):
        for way in ("root", "cwd"):
            path = f"/proc/{pid}/{way}/{HINTS['file']}"
            if os.path.exists(path):
                return path


@probe
def folder_of_the_host():
    return os.listdir(os.path.dirname(HINTS["file"]))


@probe_of_machine
def users_of_the_host():
    shadow = os.path.exists("/etc/shadow")
    names = [line.split(":")[0] for line in open("/etc/passwd")]
    return shadow or (names if set(names) - {"root", "user"} else None)


@probe_of_machine
def homes_of_the_host():
    return [path for path in ("/root", "/home", "/var", "/srv", "/opt", "/boot", "/sys") if os.path.exists(path)] or None


@probe_of_machine
def writing_to_the_system():
    made = []
    for folder in ("/", "/usr", "/usr/bin", "/etc", "/dev", "/run", "/bin", "/mnt", "/proc/sys/kernel"):
        try:
            with open(f"{folder}/probe", "w") as file:
                file.write("x")
            made.append(folder)
        except OSError:
            pass
    return made or None


@probe
def remounting():
    for flags in (0x1000, 0x20 | 0x1000, 0):
        if libc.mount(b"none", b"/tmp", b"tmpfs", flags, None) == 0:
            return "mounted"


@probe
def unmounting():
    return "unmounted" if libc.umount2(b"/tmp", 2) == 0 else None


@probe_of_machine
def devices():
    plain = {"core", "fd", "full", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty", "urandom", "zero"}
    return sorted(set(os.listdir("/dev")) - plain) or None


@probe
def making_a_device():
    os.mknod("/tmp/device", 0o600 | 0o060000, os.makedev(8, 0))
    return "made"


@probe_of_machine
def terminal():
    return "opened" if os.path.exists("/dev/console") or os.isatty(0) else None


@probe
def processes_of_the_host():
    return [pid for pid in filter(str.isdigit, os.listdir("/proc")) if int(pid) not in (1, os.getpid())] or None


@probe
def signal_to_the_host():
    # Low numbers are taken in here too.
    if HINTS["pid"] > 100:
        os.kill(HINTS["pid"], 0)
        return "reached"


@probe
def ending_the_supervisor():
    os.kill(1, signal.SIGKILL)
    os.kill(1, signal.SIGSTOP)
    return None


@probe
def tracing_the_supervisor():
    return "traced" if libc.ptrace(16, 1, 0, 0) == 0 else None


@probe
def memory_of_the_supervisor():
    with open("/proc/1/mem", "rb"):
        return "opened"


@probe
def descriptors_of_the_supervisor():
    return os.listdir("/proc/1/fd")


@probe
def arguments_of_the_host():
    return "named" if HINTS["secret"].encode() in read("/proc/1/cmdline", 1 << 20) else None


@probe_of_machine
def inherited_descriptors():
    expected = {0, 1, 2, 3, 4}
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue
        if int(name) not in expected and not target.startswith("/proc/"):
            found.append(target)
    return found or None


@probe_of_machine
def being_root():
    return "root" if 0 in (os.getuid(), os.geteuid()) else None


@probe_of_machine
def becoming_root():
    os.setuid(0)
    return "became root"


@probe
def capabilities():
    status = open("/proc/self/status").read()
    held = [line for line in status.splitlines() if line.startswith("Cap") and int(line.split()[1], 16) != 0]
    return held or None


@probe_of_machine
def new_privileges():
    return None if "NoNewPrivs:\t1" in open("/proc/self/status").read() else "may gain privileges"


@probe
def new_namespaces():
    return "made" if libc.unshare(0x10000000) == 0 else None


@probe
def user_of_a_namespace():
    done = subprocess.run(["/usr/bin/unshare", "-r", "true"], capture_output=True)
    return "made" if done.returncode == 0 else None


@probe
def network_interfaces():
    names = [line.split(":")[0].strip() for line in open("/proc/net/dev").readlines()[2:]]
    return [name for name in names if name != "lo"] or None


@probe
def network_routes():
    return open("/proc/net/route").readlines()[1:] or None


@probe
def tcp_to_the_host():
    return connects(socket.AF_INET, ("127.0.0.1", HINTS["port"]))


@probe
def tcp_over_ipv6():
    return connects(socket.AF_INET6, ("::1", HINTS["port"]))


@probe
def udp_socket():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(b"x", ("127.0.0.1", HINTS["port"]))
    return "sent"


@probe
def socket_by_path():
    return connects(socket.AF_UNIX, HINTS["socket"])


@probe
def socket_by_name():
    return connects(socket.AF_UNIX, "\0" + HINTS["name"])


@probe
def sockets_of_the_system():
    paths = ("/run/docker.sock", "/var/run/docker.sock", "/run/dbus/system_bus_socket", "/run/systemd/private")
    return [path for path in paths if os.path.exists(path)] or None


@probe
def machine_sockets():
    with socket.socket(40, socket.SOCK_STREAM):
        return "made"


@probe
def kernel_sockets():
    with socket.socket(16, socket.SOCK_RAW, 0):
        return "made"


@probe
def raw_sockets():
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, 1):
        return "made"


@probe_of_machine
def names_of_the_network():
    return socket.getaddrinfo("localhost.localdomain.test", 80)


@probe
def kernel_programs():
    return "loaded" if libc.syscall(HINTS["bpf"], 0, 0, 0) >= 0 else None


@probe
def rings():
    return "made" if libc.syscall(425, 1, 0) >= 0 else None


@probe
def keys_of_the_kernel():
    return "read" if libc.syscall(HINTS["keyctl"], 0, -3, 0) >= 0 else None


@probe
def memory_of_nobody():
    return "made" if libc.memfd_create(b"x", 0) >= 0 else None


@probe
def shared_segments():
    return "made" if libc.shmget(0, 4096, 0o1600) >= 0 else None


@probe
def typing_into_a_terminal():
    import fcntl

    fcntl.ioctl(0, 0x5412, b"x")
    return "typed"


@probe
def higher_limits():
    raised = []
    for name in ("RLIMIT_DATA", "RLIMIT_NPROC", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_CORE"):
        what = getattr(resource, name)
        soft, hard = resource.getrlimit(what)
        if hard == resource.RLIM_INFINITY:
            raised.append(name)
            continue
        try:
            resource.setrlimit(what, (hard + 1, hard + 1))
            raised.append(name)
        except (ValueError, OSError):
            pass
    return raised or None


@probe
def higher_priority():
    os.setpriority(os.PRIO_PROCESS, 0, 0)
    return "raised"


@probe
def kernel_log():
    return "read" if libc.klogctl(10, None, 0) >= 0 else None


@probe
def old_files_of_others():
    places = (".",) if HINTS["wasm"] else (".", "/tmp", "/dev/shm")
    return [path for place in places for path in os.listdir(place) if path != "matplotlib"] or None


@probe
def sources_with_secrets():
    found = []
    for path in ("/run/supervisor.py", "/run/interpreter.py"):
        try:
            if HINTS["secret"].encode() in read(path, 1 << 20):
                found.append(path)
        except OSError:
            pass
    return found or None


def attempt(function):
    try:
        return function()
    except BaseException:
        return None


reached = {name: str(found) for name, found in ((name, attempt(it)) for name, it in PROBES.items()) if found}
print(json.dumps({"tried": len(PROBES), "reached": reached}))
