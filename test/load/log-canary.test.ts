/**
 * Secrets do not travel (law 17): a canary in every field, header and key, sent to success and to every error, at the
 * most talkative log level, is nowhere in what the process writes and shows.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ChatUpstreamRequest, ScriptedReply } from '../fakes/chat-script.ts'
import { startChatUpstream } from '../fakes/chat-upstream.ts'
import { createCrashRunner } from '../faults/crash-runner.ts'
import { freePort } from '../suites/start-process.ts'
import { CANARY_NAMES, type Canaries, findCanaries, formsOf, isKey, makeCanaries } from './canaries.ts'
import {
  bodiesOf,
  type CanaryReply,
  callsOf,
  fullBody,
  leaveHanging,
  sendBody,
  sendCall,
  sendRaw,
  UPSTREAM_FAILURES,
} from './canary-requests.ts'
import { printFigures } from './figures.ts'

const KEY_NAMES = CANARY_NAMES.filter(isKey)
/** The operator's and other people's: also the one who sends a request never sees them. */
const NEVER_IN_REPLIES = KEY_NAMES.filter((name) => name !== 'sealed reasoning')
/** Errors and warnings name these to who sent them: the name of a field, a value that is not of its list, an id, a path. */
const ECHOED: ReadonlySet<string> = new Set(['unknown field', 'invalid value', 'previous id', 'query value', 'path'])

test('no canary is in the output, the metrics, the replies to others or, where sealed, the database', async (t) => {
  const canaries = makeCanaries()
  const upstream = await startChatUpstream({ script: (request) => hostileReply(request, canaries) })
  const runner = createCrashRunner(await configOf(upstream.url, canaries))
  try {
    const server = { ...(await runner.start(envOf(canaries))), apiKey: canaries['tenant key'] }
    const replies = await sendAll(server, canaries)
    const metrics = await sendCall(server, { path: '/metrics' })
    assert.match(metrics.text, /antiphon_/)
    assert.equal(await server.stop(), 0)
    const output = server.output()
    assert.match(output, /"level":"debug"/)
    assert.match(output, /model call failed/)
    const statuses = Map.groupBy(replies, ({ status }) => status)
    for (const status of [200, 400, 401, 403, 404, 421, 429, 502, 503]) {
      assert.ok(statuses.has(status), `no reply had status ${status}: ${[...statuses.keys()]}`)
    }

    assert.deepEqual(findCanaries(output, canaries, CANARY_NAMES), [], 'output')
    assert.deepEqual(findCanaries(metrics.text, canaries, CANARY_NAMES), [], 'metrics')
    for (const { status, headers, text } of replies) {
      assert.deepEqual(findCanaries(headers + text, canaries, NEVER_IN_REPLIES), [], 'replies')
      const silent = CANARY_NAMES.filter((name) => !ECHOED.has(name))
      assert.deepEqual(findCanaries(headers, canaries, silent), [], 'headers of replies')
      if (status >= 400) assert.deepEqual(findCanaries(text, canaries, silent), [], 'errors')
    }
    const stored = ['antiphon.db', 'antiphon.db-wal']
      .map((name) => join(runner.dataDir, name))
      .filter((it) => existsSync(it))
    for (const path of stored) {
      assert.deepEqual(findCanaries(readFileSync(path, 'latin1'), canaries, KEY_NAMES), [], 'database')
    }
    printFigures(t, 'log canary', {
      canaries: CANARY_NAMES.length,
      replies: replies.length,
      failed: replies.filter(({ status }) => status >= 400).length,
      'bytes of output': output.length,
      found: 0,
    })
  } finally {
    runner.dispose()
    await upstream.close()
  }
})

test('a canary is found in each of its forms', () => {
  const canaries = makeCanaries()
  for (const name of CANARY_NAMES) {
    const canary = canaries[name]
    const told = [canary, ...[0, 1, 2].map((pad) => Buffer.from(`${'x'.repeat(pad)}${canary}.`).toString('base64url'))]
    for (const text of told) assert.ok(findCanaries(`{"a":"${text}"}`, canaries, [name]).length > 0, text)
    if (isKey(name)) assert.ok(formsOf(name, canary).includes(canary.slice(-8)))
  }
})

async function sendAll(
  server: { readonly url: string; readonly apiKey: string },
  canaries: Canaries,
): Promise<CanaryReply[]> {
  const bodies = bodiesOf(canaries).flatMap((body) => [
    { ...body, store: false },
    { ...body, store: false, stream: true },
  ])
  const stored = { ...fullBody(canaries, 'router/ok'), include: ['reasoning.encrypted_content'], store: true }
  const sealed = await sendBody(server, stored)
  assert.match(sealed.text, /"encrypted_content":"/, 'the reasoning was sealed')
  return [
    sealed,
    ...(await Promise.all(bodies.map((body) => sendBody(server, body)))),
    ...(await Promise.all(callsOf(canaries).map((call) => sendCall(server, call)))),
    await sendRaw(
      server,
      `NO ${canaries['broken body']}\r\nAuthorization: Bearer ${canaries['bad bearer key']}\r\n\r\n`,
    ),
    ...(await Promise.all([true, false].map((stream) => leaveHanging(server, canaries, stream)))).flatMap(() => []),
  ]
}

/** Nothing is tried again, so that all of it takes as long as one of it. */
const configOf = async (url: string, canaries: Canaries) => `
providers:
  up:
    type: openai_compatible
    api_base: "${url}"
    api_key: ${canaries['upstream key']}
    headers: { x-extra: ${canaries['upstream header']} }
  router: { type: openrouter, api_base: "${url}", api_key: ${canaries['upstream key']} }
  dead: { type: openai_compatible, api_base: "http://127.0.0.1:${await freePort()}/v1", api_key: ${canaries['dead upstream key']} }
router: { num_retries: 0, allowed_fails: 1000 }
observability: { log: { level: debug, format: json }, metrics: { auth: false } }
`

const envOf = (canaries: Canaries) => ({
  ANTIPHON_API_KEY: canaries['tenant key'],
  OPENAI_API_KEY: canaries['environment key'],
})

/** What the most careless provider would answer: everything it was sent and knows. */
function hostileReply(request: ChatUpstreamRequest, canaries: Canaries): ScriptedReply {
  const { model = '' } = { ...(request.body as { model?: string } | undefined) }
  const told = `Bad key ${request.headers.authorization} and ${request.headers['x-extra']} for ${request.raw}`
  // A provider's id is logged and passed on by design, so it holds what is taken out of everything.
  const headers = { 'x-request-id': canaries['upstream key'] }
  if (model === 'ok') return { headers, wire: goodReply(canaries) }
  const failure = UPSTREAM_FAILURES[model] ?? {}
  if (failure.status !== undefined) {
    const error = { message: told, type: 'invalid_request_error', param: told, code: told }
    return { ...failure, headers: { ...headers, ...failure.headers }, wire: JSON.stringify({ error }) }
  }
  if (model === 'garbage') return { headers, wire: `data: {"oops ${told}\n\n` }
  if (model === 'stream-error')
    return { headers, wire: `data: ${JSON.stringify({ error: { message: told, code: told } })}\n\n` }
  return { ...failure, headers, wire: goodReply(canaries) }
}

function goodReply(canaries: Canaries): string {
  const chunk = (delta: object, finish: string | null = null) =>
    `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'ok', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`
  const detail = { type: 'reasoning.encrypted', data: canaries['sealed reasoning'], id: 'r1', index: 0 }
  return [
    chunk({ role: 'assistant', content: '', reasoning_details: [detail] }),
    chunk({ content: canaries['model answer'] }),
    chunk({}, 'stop'),
    'data: [DONE]\n\n',
  ].join('')
}
