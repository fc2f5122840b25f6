/** `npm run bench -- --bombs`: what other clients feel of a server while one project runs code that takes all it can get. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { request } from 'undici'
import { quantile } from './load.ts'
import { processTree } from './process-cost.ts'

const LAUNCHER = fileURLToPath(new URL('../bin/antiphon.js', import.meta.url))
const KEY = 'sk-bench-of-bombs'
const PORT = 8_497
const URL_OF = `http://127.0.0.1:${PORT}/v1/responses`
/** As many requests of others in a second, one after another. */
const RATE = 100
const QUIET_MS = process.argv.includes('--short') ? 3_000 : 10_000
const CODE_TIME_MS = process.argv.includes('--short') ? 3_000 : 8_000
const KIB = 1024

const BOMBS: readonly (readonly [string, string])[] = [
  ['endless loop', 'while True: pass'],
  ['2 GB of memory', 'l = []\nwhile True: l.append(bytearray(10**6))'],
  ['fork bomb', 'import os\nwhile True:\n  try: os.fork()\n  except OSError: pass'],
  ['1 GB of output', 'import sys\nwhile True: sys.stdout.write("x" * 2**20)'],
  ['a million files', 'for i in range(10**6): open(f"f{i}", "w").close()'],
  [
    '10 GB in a file',
    'while True:\n  with open("big", "wb") as f:\n    try:\n      while True: f.write(b"x" * 2**20)\n    except OSError: pass',
  ],
  ['sleep', 'import time\ntime.sleep(3600)'],
  [
    'a bomb after the result',
    'import threading\ndef burn():\n  while True: pass\nthreading.Thread(target=burn, daemon=True).start()',
  ],
]

const post = async (body: object): Promise<number> => {
  const reply = await request(URL_OF, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'demo', store: false, ...body }),
  })
  await reply.body.dump()
  return reply.statusCode
}
function quiet(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Milliseconds of each request of another client, while `isOver` does not say so. */
async function others(isOver: () => boolean): Promise<readonly number[]> {
  const taken: number[] = []
  for (let next = performance.now(); !isOver(); next += 1000 / RATE) {
    await pause(Math.max(0, next - performance.now()))
    const begun = performance.now()
    if ((await post({ input: 'Hello.' })) === 200) taken.push(performance.now() - begun)
  }
  return taken.toSorted((a, b) => a - b)
}

async function during(work: Promise<unknown>): Promise<readonly number[]> {
  let isOver = false
  const done = work.finally(() => {
    isOver = true
  })
  const taken = await others(() => isOver)
  await done
  return taken
}

const home = await mkdtemp(join(tmpdir(), 'antiphon-bombs-'))
const config = `limits: { code_time: ${CODE_TIME_MS / 1000}s }\ndiscovery: { enabled: false }\nserver: { port: ${PORT} }\n`
await writeFile(join(home, 'antiphon.yaml'), config)
const server = spawn(process.execPath, [LAUNCHER, 'serve', '--config', join(home, 'antiphon.yaml')], {
  env: { PATH: process.env.PATH, HOME: home, ANTIPHON_API_KEY: KEY, ANTIPHON_DATA_DIR: join(home, 'data') },
  stdio: 'ignore',
})
const run = (code: string) =>
  post({ input: `Run python: ${code}`, tools: [{ type: 'code_interpreter', container: { type: 'auto' } }] })
/** Of the launcher and the server, without containers. */
const residentMib = () => {
  const own = processTree(server.pid ?? 0).filter((pid) => quiet(`/proc/${pid}/cmdline`).includes('antiphon'))
  const kib = own.map((pid) => Number(/^VmRSS:\s+(\d+) kB/m.exec(quiet(`/proc/${pid}/status`))?.[1] ?? 0))
  return kib.reduce((sum, it) => sum + it, 0) / KIB
}
try {
  for (let tries = 0; tries < 300 && (await post({ input: 'Hi.' }).catch(() => 0)) !== 200; tries += 1) await pause(100)
  await run('1 + 1')
  await during(pause(QUIET_MS))
  const alone = await during(pause(QUIET_MS))
  const calm = quantile(alone, 0.99)
  console.log('| while | requests | p50, ms | p99, ms | of the quiet p99 | server memory, MB more |')
  console.log('|---|---|---|---|---|---|')
  console.log(`| nothing | ${alone.length} | ${quantile(alone, 0.5).toFixed(1)} | ${calm.toFixed(1)} | 1.00 | 0 |`)
  for (const [name, code] of BOMBS) {
    const before = residentMib()
    const taken = await during(Promise.all([run(code), pause(CODE_TIME_MS)]))
    const more = residentMib() - before
    const p99 = quantile(taken, 0.99)
    const figures = [quantile(taken, 0.5).toFixed(1), p99.toFixed(1), (p99 / calm).toFixed(2), more.toFixed(0)]
    console.log(`| ${[name, taken.length, ...figures].join(' | ')} |`)
  }
  console.log(`\nProcesses of the server and of its idle containers afterwards: ${processTree(server.pid ?? 0).length}`)
} finally {
  server.kill('SIGTERM')
  await rm(home, { recursive: true, force: true })
}
