"""Runs the code of a container, cell after cell, in one process that keeps its variables.

Requests come on descriptor 3 (key, length, code), what is no output goes out on 4 (key, kind, length, content).
"""
import ast
import builtins
import importlib.abc
import importlib.util
import linecache
import os
import struct
import sys
import traceback
import types
import warnings

REQUESTS, RESULTS = 3, 4
BACKEND = "container_figures"
ASYNC = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
MAX_FRAMES = 30
OWN = os.getpid()

for descriptor in (REQUESTS, RESULTS):
    os.set_inheritable(descriptor, False)

main = types.ModuleType("__main__")
sys.modules["__main__"] = main
space = main.__dict__
sys.path.insert(0, os.getcwd())
sys.argv = [""]
state = {"key": b"", "cell": 0}


def tell(kind, content):
    view = memoryview(state["key"] + kind + struct.pack(">I", len(content)) + content)
    while view:
        view = view[os.write(RESULTS, view):]


def read_exactly(count):
    data = b""
    while len(data) < count:
        piece = os.read(REQUESTS, count - len(data))
        if not piece:
            os._exit(0)
        data += piece
    return data


def show_figures(*_, **__):
    """Every open figure, once."""
    if "matplotlib.pyplot" not in sys.modules:
        return
    import io

    import matplotlib.pyplot as pyplot

    for number in pyplot.get_fignums():
        figure = pyplot.figure(number)
        if figure.axes:
            target = io.BytesIO()
            figure.savefig(target, format="png")
            tell(b"I", target.getvalue())
    pyplot.close("all")


class Backend(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """A way for matplotlib to show figures, made when it asks for it."""

    def find_spec(self, name, path=None, target=None):
        return importlib.util.spec_from_loader(name, self) if name == BACKEND else None

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        from matplotlib.backend_bases import FigureManagerBase
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        module.FigureCanvas = FigureCanvasAgg
        module.FigureManager = FigureManagerBase
        module.show = show_figures


def display(*values):
    for value in values:
        print(value if isinstance(value, str) else repr(value))


def run_block(code):
    result = eval(code, space)
    if code.co_flags & 0x80:  # a coroutine: there was an await
        import asyncio

        loop = state.get("loop")
        if loop is None:
            loop = state["loop"] = asyncio.new_event_loop()
        result = loop.run_until_complete(result)
    return result


def run_cell(source):
    state["cell"] += 1
    name = f"<cell {state['cell']}>"
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    tree = ast.parse(source, name)
    last = tree.body[-1] if tree.body else None
    if isinstance(last, ast.Expr):
        tree.body.pop()
    run_block(compile(tree, name, "exec", ASYNC))
    if isinstance(last, ast.Expr):
        value = run_block(compile(ast.Expression(last.value), name, "eval", ASYNC))
        if value is not None:
            space["_"] = value
            display(repr(value))


def tell_error(error):
    trace = error.__traceback__
    # What stands before the cell is this file.
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    if isinstance(error, SyntaxError):
        trace = None
    lines = traceback.format_exception(type(error), error.with_traceback(trace), trace, limit=MAX_FRAMES)
    sys.stderr.write("".join(lines))


def run(source):
    try:
        run_cell(source)
        show_figures()
        return b"ok"
    except SystemExit as left:
        if left.code in (None, 0):
            return b"ok"
        sys.stderr.write(f"SystemExit: {left.code}\n")
        return b"error"
    except BaseException as error:
        tell_error(error)
        try:
            show_figures()
        except BaseException:
            pass
        return b"error"


def flush():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BaseException:
            pass


def serve():
    sys.meta_path.append(Backend())
    os.environ["MPLBACKEND"] = f"module://{BACKEND}"
    warnings.filterwarnings("ignore", message=".*(non-interactive|non-GUI backend).*")
    space["__builtins__"] = builtins
    builtins.display = display
    sys.stdout.reconfigure(line_buffering=True)
    while True:
        try:
            key = read_exactly(16)
            size = struct.unpack(">I", read_exactly(4))[0]
            source = read_exactly(size).decode("utf-8", "replace")
            state["key"] = key
            outcome = run(source)
            flush()
            if os.getpid() != OWN:
                os._exit(0)  # a fork that ran to the end of the cell
            tell(b"E", outcome)
        except KeyboardInterrupt:
            # It came when the cell was over already.
            flush()
            tell(b"E", b"error")


serve()
