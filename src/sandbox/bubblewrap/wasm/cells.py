"""Runs cells as a notebook does, in a Python of WebAssembly; its value is the function that runs one."""
import ast
import builtins
import linecache
import os
import sys
import traceback
import types

ASYNC = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
MAX_FRAMES = 30
MAX_ERROR = 200_000


def make_runner():
    main = types.ModuleType("__main__")
    sys.modules["__main__"] = main
    space = main.__dict__
    space["__builtins__"] = builtins
    sys.argv = [""]
    sys.path.insert(0, os.getcwd())
    state = {"cell": 0}

    def display(*values):
        for value in values:
            print(value if isinstance(value, str) else repr(value))

    builtins.display = display

    async def run_block(code):
        result = eval(code, space)
        return await result if code.co_flags & 0x80 else result

    async def run_cell(source):
        state["cell"] += 1
        name = f"<cell {state['cell']}>"
        linecache.cache[name] = (len(source), None, source.splitlines(True), name)
        tree = ast.parse(source, name)
        last = tree.body[-1] if tree.body else None
        if isinstance(last, ast.Expr):
            tree.body.pop()
        await run_block(compile(tree, name, "exec", ASYNC))
        if isinstance(last, ast.Expr):
            value = await run_block(compile(ast.Expression(last.value), name, "eval", ASYNC))
            if value is not None:
                space["_"] = value
                display(repr(value))

    def tell_error(error):
        trace = error.__traceback__
        # What stands before the cell is this file.
        while trace is not None and not trace.tb_frame.f_code.co_filename.startswith("<cell "):
            trace = trace.tb_next
        if isinstance(error, SyntaxError):
            trace = None
        lines = traceback.format_exception(type(error), error.with_traceback(trace), trace, limit=MAX_FRAMES)
        for line in lines:
            sys.stderr.write(line if len(line) <= MAX_ERROR else f"{line[:MAX_ERROR]}\n")

    def flush():
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except BaseException:
                pass

    async def run(source):
        outcome = "ok"
        try:
            await run_cell(source)
        except SystemExit as left:
            if left.code not in (None, 0):
                sys.stderr.write(f"SystemExit: {left.code}\n")
                outcome = "error"
        except BaseException as error:
            outcome = "error"
            try:
                tell_error(error)
            except BaseException as another:
                sys.stderr.write(f"{type(another).__name__}\n")
        flush()
        return outcome

    return run


make_runner()
