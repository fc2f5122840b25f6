/** The laws of the port: what code reaches (nothing), what it may use, and what stays of it. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { MB } from '../../test/support/code-sandbox.ts'
import {
  type OutputPiece,
  type RunResult,
  type Sandbox,
  SandboxError,
  type SandboxSession,
  type ShellResult,
} from './sandbox.ts'
import { plantCanaries, probeSession } from './session/self-test.ts'

export type SandboxSubject = {
  readonly open: () => Sandbox
  /** False, or why it cannot be had here. */
  readonly missing: string | false
  /** Whether it has processes and threads as Python knows them. */
  readonly hasProcesses: boolean
}

const LIMITS = {
  wallMs: 3_000,
  cpuMs: 30_000,
  memoryBytes: 500 * MB,
  diskBytes: 64 * MB,
  outputBytes: 100_000,
  processes: 32,
  files: 5_000,
}
const MIN_PROBES = 40
/** What a run may take beyond its limit; what a busy machine takes comes on top. */
const GRACE_MS = 1_000
const SLACK_MS = 1_000

type Said = RunResult & {
  readonly text: string
  readonly bytes: number
  readonly images: readonly Uint8Array[]
  readonly ms: number
}

/** Of one command. */
const first = ({ exits, ...result }: ShellResult): RunResult => ({ ...result, exitCode: exits[0] ?? null })

export function sandboxContract(name: string, subject: SandboxSubject): void {
  describe(`the sandbox ${name}`, { skip: subject.missing, concurrency: false }, () => {
    let sandbox: Sandbox
    let session: SandboxSession
    before(async () => {
      sandbox = subject.open()
      session = await sandbox.open(LIMITS, new AbortController().signal)
    })
    after(() => sandbox?.close())

    const execute =
      (op: 'run' | 'shell') =>
      async (text: string, { on = session, signal = new AbortController().signal } = {}): Promise<Said> => {
        const pieces: OutputPiece[] = []
        const begun = performance.now()
        const options = { signal, onOutput: (piece: OutputPiece) => void pieces.push(piece) }
        const result = op === 'run' ? await on.run(text, options) : first(await on.shell([text], options))
        const whole = Buffer.concat(
          pieces.flatMap((it) => (it.type === 'stdout' || it.type === 'stderr' ? it.bytes : [])),
        )
        const images = pieces.flatMap((it) => (it.type === 'image' ? it.bytes : []))
        return { ...result, text: whole.toString('utf8'), bytes: whole.length, images, ms: performance.now() - begun }
      }
    const run = execute('run')
    const shell = execute('shell')
    const fresh = () => sandbox.open(LIMITS, new AbortController().signal)

    test('the probes reach nothing, though everything they look for is there (req 141)', async () => {
      const secret = `canary-${process.pid}-${Date.now()}`
      process.env.SANDBOX_CANARY = secret
      const canaries = await plantCanaries(secret)
      const probed = await fresh()
      try {
        const { tried } = await probeSession(probed, canaries, subject)
        assert.ok(tried >= MIN_PROBES, `only ${tried} probes`)
      } finally {
        probed.close()
        delete process.env.SANDBOX_CANARY
        await canaries.close()
      }
    })

    test('the value of the last line is shown, and what was said before it stays (req 140)', async () => {
      assert.equal((await run('x = 40\nprint("hello")\nx + 2')).text, 'hello\n42\n')
      assert.equal((await run('x')).text, '40\n')
      assert.equal((await run('y = 1')).text, '')
    })

    test('an error tells its traceback from the cell on, and state stays', async () => {
      const failed = await run('def f():\n    return 1 / 0\nf()')
      assert.equal(failed.status, 'error')
      assert.match(
        failed.text,
        /^Traceback[\s\S]*<cell \d+>", line 3[\s\S]*return 1 \/ 0[\s\S]*ZeroDivisionError: division by zero\n$/,
      )
      assert.doesNotMatch(failed.text, /interpreter|runner/)
      assert.match((await run('x = (')).text, /SyntaxError/)
      assert.equal((await run('x')).text, '40\n')
    })

    test('code may await', async () => {
      assert.equal((await run('import asyncio\nawait asyncio.sleep(0.01, "waited")')).text, "'waited'\n")
    })

    const bombs: readonly [string, string, RegExp][] = [
      ['an endless loop', 'while True: pass', /timeout/],
      ['sleep', 'import time\ntime.sleep(3600)', /timeout/],
      ['2 GB of memory', 'b = bytearray(2 * 10**9)', /error|memory|exited/],
      ['memory little by little', 'l = []\nwhile True: l.append(bytearray(10**6))', /error|memory|exited/],
      ['1 GB of output', 'import sys\nfor i in range(1024): sys.stdout.write("x" * 2**20)', /ok|timeout/],
      ['a million files', 'for i in range(10**6): open(f"f{i}", "w").close()', /files|error|timeout/],
      ['10 GB in a file', 'with open("big", "wb") as f:\n  for i in range(10**4): f.write(b"x" * 2**20)', /error/],
      ['an endless traceback', 'raise Exception("x" * 10**8)', /error|memory/],
      ['a deep recursion', 'def f(): f()\nf()', /error|exited/],
      ['a name of 10 MB', 'exec("x" * 10**7)', /error/],
    ]
    const processBombs: typeof bombs = [
      [
        'a loop that cannot be interrupted',
        'import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass',
        /timeout/,
      ],
      ['a fork bomb', 'import os\nwhile True:\n  try: os.fork()\n  except OSError: pass', /timeout|memory|cpu/],
      [
        'a bomb of threads',
        'import threading, time\nwhile True: threading.Thread(target=time.sleep, args=(99,)).start()',
        /error|timeout/,
      ],
      ['a shell that forks', 'import os\nos.system("b() { b | b & }; b; sleep 99")', /ok|timeout|memory|cpu/],
      ['a stopped process', 'import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)', /timeout/],
    ]
    for (const [what, code, status] of [...bombs, ...(subject.hasProcesses ? processBombs : [])]) {
      test(`${what}: ended within its limit, with the server as it was`, async () => {
        const bombed = await fresh()
        const before = process.memoryUsage.rss()
        const result = await run(code, { on: bombed }).catch((error: unknown) => {
          assert.ok(error instanceof SandboxError, String(error))
          return null
        })
        const grown = process.memoryUsage.rss() - before
        if (result) {
          assert.match(result.status, status, result.text.slice(0, 300))
          assert.ok(result.ms <= LIMITS.wallMs + GRACE_MS + SLACK_MS, `it took ${result.ms} ms`)
          assert.ok(result.bytes <= LIMITS.outputBytes)
        }
        assert.ok(grown <= 50 * MB, `the server grew by ${grown / MB} MB`)
        if (result && subject.hasProcesses) {
          const left = await shell('rm -rf /mnt/data/*; cat /proc/[0-9]*/stat 2>&1 | grep -vc ") Z"', { on: bombed })
          // The supervisor, an interpreter that is stopped, and the four of this command.
          assert.ok(Number(left.text) <= 6, left.text)
          assert.equal((await run('1 + 1', { on: bombed })).text, '2\n')
        }
        bombed.close()
        await bombed.ended
      })
    }

    test('too much output is cut, and the run says so', async () => {
      const long = await run('print("é" * 200_000)')
      assert.equal(long.isCut, true)
      assert.ok(long.bytes <= LIMITS.outputBytes && long.bytes > LIMITS.outputBytes / 2)
    })

    test('what code prints forges nothing: frames on its output are output', async () => {
      const frame = '\\x00\\x00\\x00\\x20\\x00\\x00\\x00\\x00{"id":1,"type":"end","status":"ok"}'
      const forged = await run(`import sys\nsys.stdout.write('${frame}'*3)\nsys.stdout.flush()\n1/0`)
      assert.equal(forged.status, 'error')
      assert.match(forged.text, /"type":"end"[\s\S]*ZeroDivisionError/)
      assert.equal((await run('"next"')).text, "'next'\n")
    })

    test('an abort interrupts the run within a second, and what it knew stays', async () => {
      const leaving = new AbortController()
      const running = run('import time\nbefore = 7\ntime.sleep(3600)', { signal: leaving.signal })
      setTimeout(() => leaving.abort(), 300)
      const result = await running
      assert.equal(result.status, 'interrupted')
      assert.ok(result.ms < 300 + GRACE_MS + SLACK_MS, `${result.ms} ms`)
      if (!result.isStateLost) assert.equal((await run('before')).text, '7\n')
    })

    test('only plain files below the folder are listed, read and written', async () => {
      await run('import os\nos.makedirs("a/b", exist_ok=True)\nopen("a/b/plain.txt", "w").write("hello")')
      await run('try:\n  os.symlink("/etc/passwd", "link")\n  os.symlink("/etc", "folder")\nexcept OSError: pass')
      await run('open("line\\nbreak", "w").close()\nopen("escape\\x1b[2J", "w").close()\nopen(".hidden", "w").close()')
      if (subject.hasProcesses) await run('os.mkfifo("fifo")\nopen(b"\\xff\\xfe", "w").close()')
      const { files } = await session.listFiles()
      assert.deepEqual(
        files.map(({ path }) => path).filter((path) => path !== 'big'),
        ['.hidden', 'a/b/plain.txt'],
      )
      const piece = await session.readFile('a/b/plain.txt', 1, 3)
      assert.deepEqual([Buffer.from(piece?.bytes ?? []).toString(), piece?.size], ['ell', 5])
      for (const path of [
        'link',
        'folder/passwd',
        '../../etc/passwd',
        '/etc/passwd',
        'fifo',
        'a',
        'a/../a/b/plain.txt',
        '',
        'none',
      ])
        assert.equal(await session.readFile(path, 0, 100), null, path)
      // Where links cannot be made there are none to go over.
      const links = subject.hasProcesses ? ['link', 'folder/new'] : []
      for (const path of [...links, '../out', '/tmp/out', '', 'a/..'])
        await assert.rejects(session.writeFile(path, Buffer.from('x'), 0), SandboxError, path)
    })

    test('folders in one another without end are listed as far as they go', async () => {
      const deep = await fresh()
      await run('import os\nfor n in range(900):\n  os.mkdir("d")\n  os.chdir("d")', { on: deep })
      const { files, hasMore } = await deep.listFiles()
      assert.deepEqual([files, hasMore], [[], true])
      assert.equal((await run('1 + 1', { on: deep })).text, '2\n')
      deep.close()
    })

    test('a file goes in and out unchanged, and one that does not fit is refused', async () => {
      const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, at) => at % 251))
      await session.writeFile('in/data.bin', bytes.subarray(0, 40_000), 0)
      await session.writeFile('in/data.bin', bytes.subarray(40_000), 40_000)
      const back = [
        await session.readFile('in/data.bin', 0, 50_000),
        await session.readFile('in/data.bin', 50_000, 50_000),
      ]
      assert.ok(Buffer.concat(back.map((it) => Buffer.from(it?.bytes ?? []))).equals(bytes))
      assert.equal((await run('len(open("in/data.bin", "rb").read())')).text, '70000\n')
      assert.equal(await session.deleteFile('in/data.bin'), true)
      assert.equal(await session.deleteFile('in/data.bin'), false)
      await assert.rejects(session.writeFile('big', Buffer.alloc(MB), LIMITS.diskBytes), SandboxError)
    })

    test('nothing of one session is in another', async () => {
      await run('secret_of_one = 1\nopen("mine.txt", "w").write("x")\nopen("/tmp/mine.txt", "w").write("x")')
      const other = await fresh()
      const seen = await run(
        'import os\n("secret_of_one" in globals(), sorted(os.listdir(".")), "mine.txt" in os.listdir("/tmp"))',
        { on: other },
      )
      assert.equal(seen.text, '(False, [], False)\n')
      other.close()
    })

    test('a session that was closed is over, for those who wait too', async () => {
      const closed = await fresh()
      const waiting = assert.rejects(run('while True: pass', { on: closed }), SandboxError)
      closed.close()
      await waiting
      await closed.ended
      await assert.rejects(run('1', { on: closed }), SandboxError)
      await assert.rejects(closed.listFiles(), SandboxError)
    })

    if (!subject.hasProcesses) return

    test('a shell has its own streams and exit code', async () => {
      const result = await shell('echo out; echo err >&2; exit 3')
      assert.deepEqual([result.exitCode, result.text.split('\n').sort()], [3, ['', 'err', 'out']])
      const stopped = await shell('sleep 99', {})
      assert.deepEqual([stopped.status, stopped.exitCode], ['timeout', null])
    })

    test('commands run side by side, and each has its own streams and its own end', async () => {
      const pieces: OutputPiece[] = []
      const waitFor = (name: string) => `until [ -e ${name} ]; do sleep 0.02; done`
      const commands = [
        `touch one; ${waitFor('two')}; echo a`,
        `touch two; ${waitFor('one')}; echo b >&2; exit 4`,
        'kill -9 $$',
        `echo early; ${waitFor('one')}`,
      ]
      const signal = new AbortController().signal
      const { exits, status } = await session.shell(commands, { signal, onOutput: (piece) => pieces.push(piece) })
      await shell('rm one two')
      assert.deepEqual([status, exits], ['ok', [0, 4, -9, 0]])
      const said = pieces.flatMap((it) =>
        'bytes' in it && it.type !== 'image' ? `${it.command} ${it.type} ${it.bytes}` : [],
      )
      assert.deepEqual(said.toSorted(), ['0 stdout a\n', '1 stderr b\n', '3 stdout early\n'])
      const ended = pieces.flatMap((it) => (it.type === 'exit' ? it.command : []))
      assert.deepEqual(ended.toSorted(), [0, 1, 2, 3])
    })

    test('of several commands those that ended in time have a code, the others were stopped', async () => {
      const commands = ['exit 5', 'sleep 99', 'yes > /dev/null & exit 6']
      const signal = new AbortController().signal
      const { exits, status } = await session.shell(commands, { signal, wallMs: 1_500 })
      assert.deepEqual([status, exits], ['timeout', [5, null, 6]])
    })

    test('a process that ends itself is told with its code; files stay, variables do not', async () => {
      const one = await fresh()
      await run('kept = 1\nopen("kept.txt", "w").write("1")', { on: one })
      const left = await run('import os\nos._exit(7)', { on: one })
      assert.deepEqual([left.status, left.exitCode, left.isStateLost], ['exited', 7, true])
      assert.equal((await run('("kept" in globals(), open("kept.txt").read())', { on: one })).text, "(False, '1')\n")
      const crashed = await run('import ctypes\nctypes.string_at(0)', { on: one })
      assert.deepEqual([crashed.status, crashed.exitCode], ['exited', -11])
      one.close()
    })

    test('nothing goes on when a run has ended: no thread, no child, no late word', async () => {
      const bomb = await fresh()
      const code = [
        'import threading, time, subprocess, sys, os',
        'def tick():',
        '  while True:',
        '    time.sleep(0.02)',
        '    open("ticks", "a").write("x"); print("late", flush=True)',
        'threading.Thread(target=tick, daemon=True).start()',
        'subprocess.Popen(["/bin/sh", "-c", "while true; do echo x >> child; sleep 0.02; done"], start_new_session=True)',
        'if os.fork() == 0:',
        '  os.setsid()',
        '  while True: time.sleep(0.02); open("fork", "a").write("x")',
        'time.sleep(0.2)',
      ].join('\n')
      await run(code, { on: bomb })
      const sizes = async () => (await bomb.listFiles()).files.map(({ path, bytes }) => `${path} ${bytes}`)
      const then = await sizes()
      assert.equal(then.length, 3)
      await new Promise((resolve) => setTimeout(resolve, 400))
      assert.deepEqual(await sizes(), then)
      bomb.close()
    })

    test('words written past the interpreter end its process, never the server', async () => {
      const one = await fresh()
      const code =
        'import os\nfor fd in range(3, 64):\n  try: os.write(fd, b"\\x00" * 4096)\n  except OSError: pass\n"done"'
      const { status } = await run(code, { on: one })
      assert.match(status, /ok|exited/)
      assert.equal((await run('2 + 2', { on: one })).text, '4\n')
      one.close()
    })

    test('a full disk leaves room for the next run once it is emptied', async () => {
      const one = await fresh()
      await run('for n in range(100):\n  open(f"f{n}", "wb").write(b"x" * 10**6)', { on: one })
      assert.match((await run('open("more", "wb").write(b"x" * 10**7)', { on: one })).text, /OSError/)
      await shell('rm -f /mnt/data/*', { on: one })
      assert.equal((await run('open("more", "wb").write(b"x" * 10**7)', { on: one })).text, '10000000\n')
      one.close()
    })
  })
}
