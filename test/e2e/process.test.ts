/** The process as a user runs it: the launcher under whatever Node is there, signals, restarts. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { request } from 'undici'
import { NO_SANDBOX } from '../support/code-sandbox.ts'
import { framesOf, send } from '../support/http.ts'

const LAUNCHER = fileURLToPath(new URL('../../bin/antiphon.js', import.meta.url))
const KEY = 'sk-test-of-a-process'
const START_MS = 60_000

type Started = {
  readonly child: ChildProcess
  readonly url: string
  readonly apiKey: string
  readonly output: () => string
}

type StartOptions = { readonly below?: 'shell' }

/** `below: 'shell'`: as npm starts its scripts, with a shell between that tells nobody of a signal. */
async function start(
  home: string,
  env: Readonly<Record<string, string>> = {},
  options: StartOptions = {},
): Promise<Started> {
  const command = [process.execPath, LAUNCHER, 'serve', '--no-detect']
  const [program = '', ...args] = options.below ? ['sh', '-c', `${command.join(' ')}; true`] : command
  const child = spawn(program, args, {
    cwd: home,
    env: {
      PATH: process.env.PATH,
      HOME: home,
      PORT: '0',
      ANTIPHON_DATA_DIR: join(home, 'data'),
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(tmpdir(), 'antiphon-test-compile-cache'),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const listening = new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no READY line:\n${output}`)), START_MS)
    const read = (chunk: Buffer) => {
      output += chunk
      const url = /^READY (\S+)$/m.exec(output)?.[1]
      if (!url) return
      clearTimeout(timer)
      resolve(url)
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.once('exit', (code) => {
      clearTimeout(timer)
      reject(new Error(`ended with ${code}:\n${output}`))
    })
  })
  const url = await listening
  return { child, url, apiKey: env.ANTIPHON_API_KEY ?? '', output: () => output }
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  const exited = once(child, 'exit')
  child.kill(signal)
  const [code] = await exited
  return code
}

async function withHome(body: (home: string) => Promise<void>): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'antiphon-process-'))
  try {
    await body(home)
  } finally {
    await rm(home, { recursive: true })
  }
}

test('the first start makes a key, shows it once, and keeps only its digest and a private file (req 187)', async () => {
  await withHome(async (home) => {
    const first = await start(home)
    const key = /sk-antiphon-\w+/.exec(first.output())?.[0] ?? ''
    assert.ok(key)
    const server = { url: first.url, apiKey: key }
    assert.equal((await send(server, 'POST', '/v1/responses', { model: 'demo', input: 'Say hello.' })).status, 200)
    assert.equal((await send(server, 'GET', '/v1/models', undefined, { key: null })).status, 401)
    assert.equal(await stop(first.child, 'SIGTERM'), 0)
    const file = join(home, 'data', 'api-key')
    assert.equal((await readFile(file, 'utf8')).trim(), key)
    assert.equal((await stat(file)).mode & 0o777, 0o600)
    assert.ok(!(await readFile(join(home, 'data', 'antiphon.db'))).includes(key))

    const second = await start(home)
    assert.ok(!second.output().includes(key))
    assert.equal((await send({ url: second.url, apiKey: key }, 'GET', '/v1/models')).status, 200)
    assert.equal(await stop(second.child, 'SIGTERM'), 0)
  })
})

test('the printed curl line works when it is pasted', async () => {
  await withHome(async (home) => {
    const server = await start(home)
    const command = /curl http[\s\S]*?-d '.*'/.exec(server.output())?.[0] ?? ''
    const shell = spawn('sh', ['-c', command], { stdio: ['ignore', 'pipe', 'ignore'] })
    let reply = ''
    shell.stdout.on('data', (chunk) => {
      reply += chunk
    })
    await once(shell, 'close')
    assert.equal(JSON.parse(reply).status, 'completed')
    await stop(server.child, 'SIGTERM')
  })
})

test('what was stored is there after a restart, and the chain goes on (req 47)', async () => {
  await withHome(async (home) => {
    const env = { ANTIPHON_API_KEY: KEY }
    const first = await start(home, env)
    const told = await send(first, 'POST', '/v1/responses', { model: 'demo', input: 'My name is Ada.' })
    assert.equal(await stop(first.child, 'SIGKILL'), null)
    const second = await start(home, env)
    const stored = await send(second, 'GET', `/v1/responses/${told.json.id}`)
    assert.deepEqual(stored.json, told.json)
    const asked = { model: 'demo', input: 'What is my name?', previous_response_id: told.json.id }
    const recalled = await send(second, 'POST', '/v1/responses', asked)
    assert.match(String(recalled.json.output_text), /Ada/)
    await stop(second.child, 'SIGTERM')
  })
})

test('after a kill nothing of a container is left, its id is one that is not there, and its conversation goes on in a new one', {
  skip: NO_SANDBOX,
}, async () => {
  await withHome(async (home) => {
    const env = { ANTIPHON_API_KEY: KEY }
    const first = await start(home, env)
    const code = { type: 'code_interpreter', container: { type: 'auto' } }
    const asked = { model: 'demo', input: 'Run python: 6 * 7', tools: [code] }
    const told = await send(first, 'POST', '/v1/responses', asked)
    const [call] = told.json.output as { container_id: string }[]
    const id = String(call?.container_id)
    assert.match(id, /^cntr_/)
    assert.equal((await send(first, 'GET', `/v1/containers/${id}`)).status, 200)
    const folder = () =>
      readdirSync(home, { recursive: true }).filter((name) => /cntr|container|canary/i.test(String(name)))
    assert.equal(await stop(first.child, 'SIGKILL'), null)
    const second = await start(home, env)
    assert.deepEqual(folder(), [])
    assert.deepEqual((await send(second, 'GET', '/v1/containers')).json.data, [])
    for (const path of ['', '/files', '/files/cfile_1', '/files/cfile_1/content'])
      assert.equal((await send(second, 'GET', `/v1/containers/${id}${path}`)).status, 404, path)
    const reference = { type: 'container_reference', container_id: id }
    for (const tool of [
      { ...code, container: id },
      { type: 'shell', environment: reference },
    ]) {
      const refused = await send(second, 'POST', '/v1/responses', { ...asked, tools: [tool] })
      assert.deepEqual([refused.status, (refused.json.error as { code: string }).code], [400, 'container_not_found'])
    }
    const next = await send(second, 'POST', '/v1/responses', { ...asked, previous_response_id: told.json.id })
    assert.equal(next.json.status, 'completed')
    const [again] = next.json.output as { container_id: string }[]
    assert.notEqual(again?.container_id, id)
    await stop(second.child, 'SIGTERM')
  })
})

test('a conversation is free at once after a kill in the middle of a turn, and has nothing of it (req 55, 56)', async () => {
  await withHome(async (home) => {
    const env = { ANTIPHON_API_KEY: KEY }
    const first = await start(home, env)
    const made = await send(first, 'POST', '/v1/conversations')
    const conversation = String(made.json.id)
    await send(first, 'POST', '/v1/responses', { model: 'demo', conversation, input: 'My name is Ada.' })
    const stream = await openStream(first, '[slow:50] [long:500]', { conversation })
    const cut = assert.rejects(stream.ended)
    await stop(first.child, 'SIGKILL')
    await cut
    const second = await start(home, env)
    const kept = await send(second, 'GET', `/v1/conversations/${conversation}/items`)
    assert.equal((kept.json.data as unknown[]).length, 2)
    const asked = { model: 'demo', conversation, input: 'What is my name?' }
    const recalled = await send(second, 'POST', '/v1/responses', asked)
    assert.match(String(recalled.json.output_text), /Ada/)
    await stop(second.child, 'SIGTERM')
  })
})

test('after a kill the same idempotency key runs its request again, and then keeps the reply (req 191)', async () => {
  await withHome(async (home) => {
    const env = { ANTIPHON_API_KEY: KEY }
    const headers = { 'idempotency-key': 'survives' }
    const first = await start(home, env)
    const body = { model: 'demo', input: '[slow:20] [long:30]', stream: true }
    const stream = await openStream(first, body.input, {}, headers)
    const cut = assert.rejects(stream.ended)
    await stop(first.child, 'SIGKILL')
    await cut
    const second = await start(home, env)
    const again = await send(second, 'POST', '/v1/responses', body, { headers })
    assert.equal(again.headers['idempotency-replayed'], undefined)
    assert.match(again.text, /response\.completed/)
    assert.equal(await stop(second.child, 'SIGKILL'), null)
    const third = await start(home, env)
    const replayed = await send(third, 'POST', '/v1/responses', body, { headers })
    assert.equal(replayed.headers['idempotency-replayed'], 'true')
    const idOf = (text: string) => /"id":"(resp_\w+)"/.exec(text)?.[1]
    assert.equal(idOf(replayed.text), idOf(again.text))
    await stop(third.child, 'SIGTERM')
  })
})

/** A stream that goes on for long, and the text it has brought so far. */
async function openStream(server: Started, input: string, more: object = {}, headers: Record<string, string> = {}) {
  const reply = await request(`${server.url}/v1/responses`, {
    method: 'POST',
    headers: { ...headers, authorization: `Bearer ${server.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'demo', input, stream: true, ...more }),
  })
  let text = ''
  const ended = (async () => {
    for await (const chunk of reply.body) text += chunk
  })()
  while (!text.includes('output_text.delta')) await new Promise((resolve) => setTimeout(resolve, 5))
  return { text: () => text, ended, id: /"id":"(resp_\w+)"/.exec(text)?.[1] ?? '' }
}

test('a response that was running when the process was killed is failed after the next start (req 166)', async () => {
  await withHome(async (home) => {
    const env = { ANTIPHON_API_KEY: KEY }
    const first = await start(home, env)
    const stream = await openStream(first, '[slow:50] [long:500]')
    const cut = assert.rejects(stream.ended)
    await stop(first.child, 'SIGKILL')
    await cut
    const second = await start(home, env)
    const stored = await send(second, 'GET', `/v1/responses/${stream.id}`)
    assert.equal(stored.json.status, 'failed')
    assert.equal((stored.json.error as { code: string }).code, 'server_error')
    await stop(second.child, 'SIGTERM')
  })
})

test('SIGTERM lets a short stream end by itself and ends a long one with its terminal event (req 193)', async () => {
  await withHome(async (home) => {
    const env = { ANTIPHON_API_KEY: KEY, ANTIPHON_SERVER__DRAIN_TIMEOUT: '4s' }
    const server = await start(home, env)
    const short = await openStream(server, '[slow:5] [long:40]')
    const long = await openStream(server, '[slow:50] [long:2000]')
    const code = await stop(server.child, 'SIGTERM')
    await Promise.all([short.ended, long.ended])
    assert.equal(code, 0)
    for (const [stream, terminal] of [
      [short, 'response.completed'],
      [long, 'response.failed'],
    ] as const) {
      const frames = framesOf(stream.text())
      assert.equal(frames.at(-2)?.event, terminal)
      assert.equal(frames.at(-1)?.data, '[DONE]')
    }
    assert.match(long.text(), /shutting down/)
  })
})

test('a second server on the same data directory is refused by name of the first', async () => {
  await withHome(async (home) => {
    const env = { ANTIPHON_API_KEY: KEY }
    const first = await start(home, env)
    await assert.rejects(start(home, env), /ended with 3[\s\S]*process \d+/)
    assert.equal((await send(first, 'GET', '/v1/models')).status, 200)
    await stop(first.child, 'SIGTERM')
  })
})

test('a server below `npm start` ends when npm and its shell are gone', async () => {
  await withHome(async (home) => {
    const server = await start(home, { ANTIPHON_API_KEY: KEY, npm_lifecycle_event: 'start' }, { below: 'shell' })
    assert.equal((await send(server, 'GET', '/v1/models')).status, 200)
    await stop(server.child, 'SIGKILL')
    const deadline = performance.now() + 60_000
    while (await isUp(server.url)) {
      assert.ok(performance.now() < deadline, 'the server lives on without its parent')
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  })
})

const isUp = (url: string) =>
  request(`${url}/health`).then(
    async (reply) => {
      await reply.body.dump()
      return true
    },
    () => false,
  )
