/** The laws of the port: what a program reaches (nothing), what it may use, and that it does the same when it is run again. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { MB } from '../../test/support/code-sandbox.ts'
import type { ProgramLimits, ProgramResult, ProgramSandbox, ProgramSpec, ProgramStep } from './program-sandbox.ts'

export type ProgramSandboxSubject = {
  readonly open: (limits: ProgramLimits) => ProgramSandbox
  /** False, or why it cannot be had here. */
  readonly missing: string | false
}

const LIMITS: ProgramLimits = { wallMs: 3_000, cpuMs: 10_000, memoryBytes: 256 * MB, outputBytes: 100_000 }
/** What a busy machine takes beyond a limit. */
const SLACK_MS = 2_000
const NEVER = new AbortController().signal
/** A way out of the realm of programs into all that Node can do: what must hold is the wall around it. */
const LEAVE = `const failure = await import('node:fs').catch((error) => error)
const node = failure.constructor.constructor('return process')()
const load = (name) => node.getBuiltinModule(name)\n`

type End = Extract<ProgramStep, { type: 'end' }>

export function programSandboxContract(name: string, subject: ProgramSandboxSubject): void {
  describe(`programs in ${name}`, { skip: subject.missing, concurrency: false }, () => {
    let sandbox: ProgramSandbox
    before(async () => {
      sandbox = subject.open(LIMITS)
      await sandbox.ready()
    })
    after(() => sandbox?.close())

    const start = (code: string, more: Partial<ProgramSpec> = {}, signal = NEVER) =>
      sandbox.start(
        {
          code,
          at: 1_700_000_000_000,
          seed: '0badcafe',
          tools: [{ name: 'f', path: ['f'], takes: 'object' }],
          ...more,
        },
        signal,
      )
    /** Every call gives its own number, or what `give` says. */
    const run = async (code: string, give = (n: number): ProgramResult => ({ value: String(n) })) => {
      const program = await start(code)
      const calls: string[] = []
      let step = await program.advance([])
      while (step.type === 'calls') {
        const results = step.calls.map(({ input }) => give(calls.push(input) - 1))
        step = await program.advance(results)
      }
      return { ...step, calls, text: textOf(step) }
    }
    const textOf = ({ output }: End) =>
      output.map((piece) => (piece.type === 'text' ? piece.text : '[image]')).join('\n')

    test('calls come in steps, and results are given in the order of the calls', async () => {
      const program = await start(`const seen = []
const one = async (n) => { seen.push(n + ':' + await tools.f({ n })); seen.push(n + ':' + await tools.f({ again: n })) }
await Promise.all([one(1), one(2)])
text(seen)`)
      const first = await program.advance([])
      assert.deepEqual(first, {
        type: 'calls',
        calls: [
          { name: 'f', input: '{"n":1}' },
          { name: 'f', input: '{"n":2}' },
        ],
      })
      const second = await program.advance([{ value: '"a"' }, { value: '"b"' }])
      assert.ok(second.type === 'calls')
      assert.deepEqual(
        second.calls.map(({ input }) => input),
        ['{"again":1}', '{"again":2}'],
      )
      const last = await program.advance([{ value: '"c"' }, { value: '"d"' }])
      assert.ok(last.type === 'end')
      assert.deepEqual(JSON.parse(textOf(last)), ['1:a', '2:b', '1:c', '2:d'])
    })

    test('run again with the same results it is the same program, to the last digit', async () => {
      const code = `const draw = () => Math.random()
const first = [draw(), new Date().toISOString(), Date(), Date.now(), new Intl.DateTimeFormat('en').format()]
const raced = await Promise.race([tools.f(), tools.f(), tools.f()])
text([first, raced, draw(), draw(), new (new Date(0).constructor)().getTime(), [3, 1, 2].sort(() => draw() - 0.5)])`
      const [one, two] = [await run(code), await run(code)]
      assert.equal(one.problem, null)
      assert.equal(one.text, two.text)
      assert.match(one.text, /2023-11-14T22:13:20\.000Z/)
      assert.notEqual(textOf(await endOf(start(code, { seed: '00000001' }))), one.text)
    })

    const endOf = async (started: ReturnType<typeof start>): Promise<End> => {
      const program = await started
      let step = await program.advance([])
      while (step.type === 'calls') step = await program.advance(step.calls.map(() => ({ value: '0' })))
      return step
    }

    test('a call that fails throws where it was awaited', async () => {
      const { text, problem } = await run(`try { await tools.f() } catch (error) { text(error.message) }`, () => ({
        error: 'no',
      }))
      assert.deepEqual([text, problem], ['no', null])
      const uncaught = await run('await tools.f({})', () => ({ error: 'nobody caught it' }))
      assert.match(uncaught.problem ?? '', /nobody caught it/)
    })

    test('what is returned or given to text and image is what it gave; too much is cut', async () => {
      assert.equal((await run(`text('a', 1, { b: 2 }); return [null]`)).text, 'a\n1\n{"b":2}\n[null]')
      const url = 'data:image/png;base64,AAAA'
      assert.deepEqual((await run(`image('${url}'); image({ image_url: '${url}' })`)).output, [
        { type: 'image', url },
        { type: 'image', url },
      ])
      assert.match((await run(`image('https://example.com/a.png')`)).problem ?? '', /data URL/)
      const { isCut, text } = await run(`for (let n = 0; n < 50; n += 1) text('x'.repeat(9_999))`)
      assert.ok(isCut && text.length <= 110_000, String(text.length))
    })

    test('there is nothing in it but the language and the tools', async () => {
      const names = ['process', 'require', 'module', 'console', 'fetch', 'setTimeout', 'setImmediate', 'queueMicrotask']
      const more = [
        'Buffer',
        'performance',
        'WebAssembly',
        'SharedArrayBuffer',
        'Atomics',
        'WeakRef',
        'structuredClone',
      ]
      const { text } = await run(`text([${[...names, ...more].map((it) => `typeof ${it}`).join(', ')}])`)
      assert.deepEqual(new Set(JSON.parse(text)), new Set(['undefined']))
      assert.match((await run(`await import('node:fs')`)).problem ?? '', /import/)
    })

    test('who leaves the realm stands in a process that has nothing and can start nothing', async () => {
      const { text, problem } = await run(`${LEAVE}
const tried = {}
const attempt = async (name, what) => { try { tried[name] = String(await what()) } catch (error) { tried[name] = 'held' } }
await attempt('environment', () => JSON.stringify(node.env))
await attempt('files', () => load('node:fs').readdirSync('/').sort())
await attempt('passwd', () => load('node:fs').readFileSync('/etc/passwd'))
await attempt('proc', () => load('node:fs').readdirSync('/proc'))
await attempt('write', () => load('node:fs').writeFileSync('/tmp/left', 'x') ?? 'written')
await attempt('spawn', () => load('node:child_process').spawnSync('/node', ['-v']).pid || 'held')
await attempt('exec', () => load('node:child_process').execFileSync('/bin/sh', ['-c', 'id']))
await attempt('parent', () => node.kill(node.ppid || ${process.pid}, 0) && 'signalled')
await attempt('server', () => node.kill(${process.pid}, 'SIGTERM') && 'signalled')
await attempt('dlopen', () => node.dlopen({ exports: {} }, '/usr/lib/x86_64-linux-gnu/libc.so.6') ?? 'loaded')
await attempt('inspector', () => load('node:inspector').open(0) ?? load('node:inspector').url() ?? 'held')
await attempt('network', () => new Promise((resolve, reject) => {
  load('node:net').connect(80, '127.0.0.1', () => resolve('connected')).on('error', reject) }))
await attempt('machineCode', () => node.getBuiltinModule('node:vm').runInThisContext('typeof WebAssembly') === 'undefined' ? 'held' : 'there')
text(tried)`)
      assert.equal(problem, null)
      const tried: Record<string, string> = JSON.parse(text)
      assert.ok(['{}', '{"PWD":"/"}'].includes(tried.environment ?? ''), tried.environment)
      assert.match(tried.files ?? '', /^(?:(?:lib\d*|usr|node|program\.mjs|nix)(?:,|$))+$/)
      const { environment: _, files: __, ...others } = tried
      assert.deepEqual(new Set(Object.values(others)), new Set(['held']), text)
    })

    test('nothing is left for the next program, and nothing goes on behind the last', async () => {
      const bomb = await run(`${LEAVE}
globalThis.left = 1
node.getBuiltinModule('node:timers').setTimeout(() => { for (;;); }, 300)
text('done')`)
      assert.equal(bomb.text, 'done')
      assert.equal((await run('text(typeof left)')).text, 'undefined')
    })

    test('what it writes by itself is no more than what a program may say', async () => {
      const said = async (line: string) =>
        run(`${LEAVE}load('node:fs').writeSync(1, ${JSON.stringify(`${line}\n`)})\nfor (;;);`)
      assert.match((await said('no json')).problem ?? '', /never would/)
      assert.match((await said('{"type":"calls","calls":[{"name":1}]}')).problem ?? '', /never would/)
      assert.equal(
        (await said('{"type":"end","output":[{"type":"text","text":"hurts itself alone"}]}')).text,
        'hurts itself alone',
      )
      const flood = await run(`${LEAVE}for (;;) load('node:fs').writeSync(1, 'x'.repeat(65_536))`)
      assert.notEqual(flood.problem, null)
      assert.match((await run(`${LEAVE}node.exit(0)`)).problem ?? '', /its process ended/)
    })

    for (const [what, code, says] of [
      ['a loop', 'for (;;);', /longer than 3 s/],
      ['a loop of promises', 'for (;;) await null', /longer than 3 s/],
      [
        'objects without end',
        'const a = []; for (;;) a.push(new Array(10_000).fill(a.length))',
        /256 MB|longer than 3 s/,
      ],
      ['a text without end', `let a = 'x'; for (;;) a += a`, /string length/],
      [
        'buffers without end',
        'const a = []; for (;;) a.push(new Uint8Array(10_000_000).fill(1))',
        /memory|allocation failed/i,
      ],
      ['recursion without end', 'const f = () => f(); f()', /call stack/],
      ['calls without end', 'for (;;) await tools.f()', /at most 256 calls/],
      ['a wait for nothing', 'await new Promise(() => {})', /never comes/],
      ['no program', 'let x = ;', /SyntaxError/],
    ] as const) {
      test(`${what} ends, and says why`, async () => {
        const begun = performance.now()
        const { problem } = await run(code)
        assert.match(problem ?? 'it ended well', says)
        assert.ok(performance.now() - begun < LIMITS.wallMs + 1_000 + SLACK_MS, `${performance.now() - begun} ms`)
      })
    }

    test('an abort ends it at once, and no time passes while it waits for a call', async () => {
      const aborting = new AbortController()
      const program = await start('for (;;);', {}, aborting.signal)
      const ended = program.advance([])
      setTimeout(() => aborting.abort(), 200)
      const begun = performance.now()
      assert.equal((await ended).type, 'end')
      assert.ok(performance.now() - begun < 1_000 + SLACK_MS)

      const waiting = await start('await tools.f(); text("on time")')
      await waiting.advance([])
      await new Promise((resolve) => setTimeout(resolve, LIMITS.wallMs + 200))
      const last = await waiting.advance([{ value: '1' }])
      assert.ok(last.type === 'end' && last.problem === null, JSON.stringify(last))
    })
  })
}
