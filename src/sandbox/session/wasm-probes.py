"""Ways out of a Python of WebAssembly, into the JavaScript around it and from there. Each part runs by itself, for those
at the end may end the process they run in; what got anywhere says REACHED. HINTS is as in probes.py.
"""
# ---- the globals of JavaScript
import js
for name in ("process", "require", "eval", "Function", "fetch", "globalThis", "WebSocket", "Worker", "XMLHttpRequest"):
    if hasattr(js, name):
        print("REACHED", name)
# ---- run_js
from pyodide.code import run_js
print("REACHED", run_js("process.env.PATH"))
# ---- a Function by its constructor
import pyodide_js
process = pyodide_js.constructor.constructor("return process")()
print("REACHED", process.env.PATH)
# ---- a Function by a value that was made here
from pyodide.ffi import to_js
for value in ([1], {"a": 1}, b"x", "text", 1):
    try:
        print("REACHED", to_js(value).constructor.constructor("return process")().pid)
    except Exception as error:
        print(type(error).__name__)
# ---- a Function by a walk over everything
import pyodide_js
def walk(thing, depth):
    for name in dir(thing)[:150]:
        try:
            value = getattr(thing, name)
            made = value.constructor.constructor("return process")()
            print("REACHED", name, made.pid)
        except BaseException:
            continue
        if depth > 0:
            walk(value, depth - 1)
walk(pyodide_js, 0)
walk(pyodide_js.FS, 0)
walk(pyodide_js._api, 0)
# ---- files by the loader
import pyodide_js
for path in (HINTS["file"], "/proc/1/environ", "/proc/self/environ"):
    try:
        print("REACHED", await pyodide_js._api.loadBinaryFile(path))
    except Exception as error:
        print(type(error).__name__)
# ---- files by a mount of the host
import os, pyodide_js
for root in ("/", "/proc", os.path.dirname(HINTS["file"])):
    try:
        pyodide_js.FS.mkdirTree("/outside")
        pyodide_js.FS.mount(pyodide_js.FS.filesystems.NODEFS, pyodide_js.FS.root.constructor.new(), "/outside")
    except Exception as error:
        print(type(error).__name__)
    try:
        pyodide_js.mountNodeFS("/outside", root)
        found = os.listdir("/outside")
        # What is there of a container is no secret; what is there of the machine is.
        if root != "/" or {"home", "root", "var", "proc"} & set(found):
            print("REACHED", root, found)
    except Exception as error:
        print(type(error).__name__)
# ---- files over a link
import os
for number, path in enumerate((HINTS["file"], "/proc/1/mem", "/proc/1/environ", "/proc/self/environ", "/etc/shadow")):
    try:
        os.symlink(path, f"link{number}")
        with open(f"link{number}", "rb") as file:
            print("REACHED", path, file.read(10))
    except OSError as error:
        print(error.errno)
    finally:
        try:
            os.unlink(f"link{number}")
        except OSError:
            pass
# ---- a connection by fetch
from pyodide.http import pyfetch, open_url
for reach in (lambda: open_url(f"http://127.0.0.1:{HINTS['port']}/"), lambda: pyfetch(f"http://127.0.0.1:{HINTS['port']}/")):
    try:
        found = reach()
        print("REACHED", found if isinstance(found, str) else await found)
    except BaseException as error:
        print(type(error).__name__)
# ---- a connection by sockets
import socket
for address in (("127.0.0.1", HINTS["port"]), ("169.254.169.254", 80)):
    try:
        with socket.create_connection(address, 0.5) as client:
            client.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
            if client.recv(10):
                print("REACHED", address)
    except BaseException as error:
        print(type(error).__name__)
# ---- a package from the network
import pyodide_js
try:
    await pyodide_js.loadPackage("micropip")
    import micropip
    print("REACHED", micropip)
except BaseException as error:
    print(type(error).__name__)
# ---- a library of the machine
import ctypes
for path in ("libc.so.6", "/usr/lib/x86_64-linux-gnu/libc.so.6", "/lib64/libc.so.6", "/app/node"):
    try:
        print("REACHED", ctypes.CDLL(path))
    except OSError:
        pass
# ---- processes
import os, subprocess
for start in (os.fork, lambda: subprocess.run(["/bin/true"]), lambda: os.execv("/bin/true", ["true"]), lambda: os.posix_spawn("/bin/true", ["true"], {})):
    try:
        print("REACHED", start())
    except BaseException as error:
        print(type(error).__name__)
# ---- a script by the C library
import ctypes
print("REACHED", ctypes.CDLL(None).emscripten_run_script_int(b"process.pid"))
# ---- a script by the C library, as text
import ctypes
library = ctypes.CDLL(None)
library.emscripten_run_script_string.restype = ctypes.c_char_p
print("REACHED", library.emscripten_run_script_string(b"process.getBuiltinModule('fs').readdirSync('/').join()"))
