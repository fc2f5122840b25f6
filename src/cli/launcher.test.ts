/** The launcher as people start it: with whatever `node` the machine has, in child processes. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const LAUNCHER = join(ROOT, 'bin', 'antiphon.js')
/** Under `npm test` the pinned Node comes first in PATH; people have it nowhere. */
const PATH = (process.env.PATH ?? '')
  .split(delimiter)
  .filter((folder) => !folder.includes('node_modules'))
  .join(delimiter)
const SYSTEM_NODE = spawnSync('/usr/bin/env', ['node', '--version'], { env: { PATH }, encoding: 'utf8' }).stdout.trim()
/** As `package.json` and the launcher have it: 24.13. */
function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.replace('v', '').split('.').map(Number)
  return major > 24 || (major === 24 && minor >= 13)
}
const SYSTEM_IS_NEW = isNewEnough(SYSTEM_NODE)

const folder = mkdtempSync(join(tmpdir(), 'antiphon-launcher-'))
after(() => rmSync(folder, { recursive: true }))
const ENV = { PATH, HOME: folder, XDG_CACHE_HOME: join(folder, 'cache') }

function antiphon(args: readonly string[], env: Record<string, string> = {}) {
  const cwd = mkdtempSync(join(folder, 'cwd-'))
  const run = (yaml?: string) => {
    if (yaml !== undefined) writeFileSync(join(cwd, 'antiphon.yaml'), yaml)
    return spawnSync('/usr/bin/env', ['node', LAUNCHER, ...args], { cwd, env: { ...ENV, ...env }, encoding: 'utf8' })
  }
  return { run }
}

test('help, version and help of a command are printed without noise', () => {
  for (const [args, expected] of [
    [['--help'], /Usage: antiphon \[COMMAND\][\s\S]*keys create[\s\S]*Exit codes: 0 done; 1 /],
    [['--version'], /^\d+\.\d+\.\d+\n$/],
    [['serve', '--help'], /--no-auth/],
    [['keys', 'create', '-h'], /--scopes LIST/],
  ] as const) {
    const { status, stdout, stderr } = antiphon(args).run()
    assert.equal(status, 0)
    assert.equal(stderr, '')
    assert.match(stdout, expected)
    assert.ok(!stdout.includes('\u001b'))
  }
})

test('check answers 0 for a good configuration, and 1 with the faults for a bad one', () => {
  const good = antiphon(['check']).run('server: { port: 9000 }')
  assert.deepEqual([good.status, good.stderr], [0, ''])
  assert.match(good.stdout, /^ok: .*antiphon\.yaml\n$/)
  const bad = antiphon(['check']).run('providers:\n  x: { type: vllm, api_bse: y }\nsever: {}')
  assert.equal(bad.status, 1)
  assert.equal(
    bad.stdout,
    'antiphon.yaml:2:20 unknown key "api_bse" (did you mean "api_base"?)\n' +
      'antiphon.yaml:3:1 unknown key "sever" (did you mean "server"?)\n',
  )
  assert.equal(bad.stderr, '2 faults\n')
})

test('check --json is JSON, and never holds a secret', () => {
  const yaml = 'providers: { openai: { api_key: a-secret-key, timeout: 5 } }'
  const { status, stdout } = antiphon(['check', '--json'], { PORT: '9001' }).run(yaml)
  assert.equal(status, 1)
  assert.ok(!stdout.includes('a-secret-key'))
  const { ok, problems } = JSON.parse(stdout)
  assert.equal(ok, false)
  assert.deepEqual(problems, [
    {
      severity: 'error',
      source: 'antiphon.yaml',
      line: 1,
      column: 56,
      message: 'expected a duration from 1s to 24h, not 5 (did you mean "5s"?)',
    },
  ])
  const good = JSON.parse(antiphon(['check', '--json'], { PORT: '9001' }).run().stdout)
  assert.deepEqual(good.settings, { 'server.port': { level: 'env', name: 'PORT' } })
})

test('a wrong command line is 2, a forbidden bind too, and a busy port 1', () => {
  assert.equal(antiphon(['sreve']).run().status, 2)
  assert.equal(antiphon(['--no-auth', '--host', '0.0.0.0']).run().status, 2)
  assert.equal(antiphon([]).run('server: { port: x }').status, 1)
})

/** A project of one file, started by the real launcher. */
function project(main: string, options: { readonly withPinnedNode?: boolean } = {}) {
  const root = mkdtempSync(join(folder, 'project-'))
  cpSync(join(ROOT, 'bin'), join(root, 'bin'), { recursive: true })
  mkdirSync(join(root, 'src'))
  writeFileSync(join(root, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(root, 'src', 'main.ts'), main)
  if (options.withPinnedNode !== false) symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'))
  return join(root, 'bin', 'antiphon.js')
}

const STOP_SIGNALS = new URL('./stop-signals.ts', import.meta.url).href
const WAITING_MAIN = `
import { waitForStop } from '${STOP_SIGNALS}'
const alive = setInterval(() => {}, 1000)
const say = (text: string) => void process.stdout.write('SAID ' + text + '\\n')
const stopped = waitForStop(process, { hasTerminal: false, say })
process.stdout.write('PID ' + process.pid + '\\n')
await stopped
process.stdout.write('STOPPING\\n')
if (process.env.SLOW === undefined) clearInterval(alive)
`

type Watched = {
  readonly child: ChildProcess
  readonly text: () => string
  saw(pattern: RegExp): Promise<RegExpExecArray>
}

function watch(child: ChildProcess): Watched {
  let text = ''
  const look = new Set<() => void>()
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
    for (const again of look) again()
  })
  const saw = (pattern: RegExp) =>
    new Promise<RegExpExecArray>((resolve) => {
      const again = () => {
        const match = pattern.exec(text)
        if (match === null) return
        look.delete(again)
        resolve(match)
      }
      look.add(again)
      again()
    })
  return { child, text: () => text, saw }
}

const start = (launcher: string, options: { node?: string; env?: Record<string, string> } = {}) =>
  watch(
    spawn(options.node ?? '/usr/bin/env', [...(options.node === undefined ? ['node'] : []), launcher], {
      env: { ...ENV, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  )

const ended = (child: ChildProcess) =>
  new Promise<{ code: number | null; signal: string | null }>((resolve) =>
    child.once('exit', (code, signal) => resolve({ code, signal })),
  )

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

async function untilDead(pid: number, ms: number): Promise<boolean> {
  for (let waited = 0; waited < ms && isAlive(pid); waited += 20)
    await new Promise((resolve) => setTimeout(resolve, 20))
  return !isAlive(pid)
}

test('the runtime is new enough, without __proto__ and noise, and caches what it compiled', () => {
  const main = `
import { getCompileCacheDir } from 'node:module'
process.emitWarning('of no interest', 'ExperimentalWarning')
process.emitWarning('of interest', 'SomeWarning')
console.log(JSON.stringify([process.version, '__proto__' in {}, getCompileCacheDir()]))`
  for (const node of ['node', process.execPath]) {
    const { stdout, stderr } = spawnSync('/usr/bin/env', [node, project(main)], { env: ENV, encoding: 'utf8' })
    const [version, hasProto, cache] = JSON.parse(stdout)
    assert.ok(isNewEnough(version), version)
    assert.equal(hasProto, false, node)
    assert.ok(cache.startsWith(join(folder, 'cache', 'antiphon', 'compile-cache')), cache)
    assert.doesNotMatch(stderr, /of no interest/)
    assert.match(stderr, /SomeWarning: of interest/)
  }
})

test('the exit code comes up', () => {
  assert.equal(spawnSync('/usr/bin/env', ['node', project('process.exit(7)')], { env: ENV }).status, 7)
})

test('a signal to the launcher stops the server in order', async () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const { child, saw, text } = start(project(WAITING_MAIN))
    const end = ended(child)
    await saw(/PID \d+\n/)
    child.kill(signal)
    assert.deepEqual(await end, { code: 0, signal: null })
    assert.match(text(), new RegExp(`SAID ${signal}: .*\nSTOPPING`))
  }
})

test('SIGHUP without a terminal changes nothing and says so', async () => {
  const { child, saw } = start(project(WAITING_MAIN))
  const end = ended(child)
  await saw(/PID \d+\n/)
  child.kill('SIGHUP')
  await saw(/SAID SIGHUP: this version cannot reload/)
  child.kill('SIGTERM')
  assert.equal((await end).code, 0)
})

test('two signals at once, as a terminal sends them, are one; a later one stops at once', async () => {
  const { child, saw } = start(project(WAITING_MAIN), { env: { SLOW: '1' } })
  const end = ended(child)
  const pid = Number((await saw(/PID (\d+)\n/))[1])
  process.kill(pid, 'SIGINT')
  if (pid !== child.pid) child.kill('SIGINT')
  await saw(/STOPPING/)
  await new Promise((resolve) => setTimeout(resolve, 400))
  assert.ok(isAlive(pid))
  child.kill('SIGINT')
  assert.equal((await end).code, 130)
})

test('a killed launcher leaves no server behind', async () => {
  const { child, saw } = start(project(WAITING_MAIN))
  const end = ended(child)
  const pid = Number((await saw(/PID (\d+)\n/))[1])
  child.kill('SIGKILL')
  assert.equal((await end).signal, 'SIGKILL')
  assert.ok(await untilDead(pid, 60_000))
})

test('a bundle of just these sources is run in their place, and any change to them is seen', () => {
  const launcher = project("console.log('sources')")
  const root = join(launcher, '..', '..')
  const [source, bundle] = [join(root, 'src'), join(root, 'dist')]
  const ran = () => spawnSync('/usr/bin/env', ['node', launcher], { env: ENV, encoding: 'utf8' }).stdout
  const stamp = `import { stampOf } from '${new URL('../../bin/find-entry.js', import.meta.url)}'
    process.stdout.write(JSON.stringify(stampOf('${source}')))`
  const bundleUp = () => {
    const args = ['--input-type=module', '--eval', stamp]
    const { name, digest } = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))
    writeFileSync(join(bundle, name), digest)
  }
  mkdirSync(bundle)
  writeFileSync(join(bundle, 'main.js'), "console.log('bundle')")
  assert.equal(ran(), 'sources\n', 'a bundle that does not say what it is made of')
  bundleUp()
  assert.equal(ran(), 'bundle\n')
  writeFileSync(join(source, 'some.test.ts'), '')
  assert.equal(ran(), 'bundle\n', 'tests are no part of it')
  for (const change of [
    () => writeFileSync(join(source, 'more.ts'), ''),
    () => rmSync(join(source, 'more.ts')),
    () => utimesSync(join(source, 'main.ts'), 1, 1),
  ]) {
    change()
    assert.equal(ran(), 'sources\n', String(change))
    bundleUp()
  }
  rmSync(source, { recursive: true })
  assert.equal(ran(), 'bundle\n', 'a published package has no sources')
})

test('a Node that is new enough runs the server itself: there is one process', async () => {
  // This test itself runs on such a Node.
  const { child, saw } = start(project(WAITING_MAIN), { node: process.execPath })
  const end = ended(child)
  const pid = Number((await saw(/PID (\d+)\n/))[1])
  if (process.platform !== 'win32') assert.equal(pid, child.pid)
  child.kill('SIGTERM')
  assert.equal((await end).code, 0)
})

test('without any suitable runtime the launcher says what to do', (t) => {
  if (SYSTEM_IS_NEW) return t.skip(`the node of this machine, ${SYSTEM_NODE}, is suitable itself`)
  const launcher = project('', { withPinnedNode: false })
  const { status, stderr } = spawnSync('/usr/bin/env', ['node', launcher], { env: ENV, encoding: 'utf8' })
  assert.equal(status, 2)
  assert.match(stderr, /^antiphon needs Node 24\.13 or newer, and this is v\d+\..*install a newer Node.*\n$/)
})
