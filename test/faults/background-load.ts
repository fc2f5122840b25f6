/** Background responses that call a tool which may be called once only, and readers that come back as often as they must. */
import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { createParser } from 'eventsource-parser'
import { request } from 'undici'
import type { ChatUpstreamRequest, ScriptedReply } from '../fakes/chat-script.ts'
import { type FakeMcp, fakeTool, startFakeMcp, textResult } from '../fakes/mcp-server.ts'
import { checkRunLaws } from '../laws/run-laws.ts'
import { send } from '../support/http.ts'

type Json = Readonly<Record<string, unknown>>
export type LoggedEvent = Json & { readonly type: string; readonly sequence_number: number }
export type Server = { readonly url: string; readonly apiKey: string }

const WRITES = 2
const TAG = /run-\d+/

/** It writes what it is told; what it has written can be counted. */
export async function startWriter(random: () => number): Promise<FakeMcp> {
  const writer = await startFakeMcp([fakeTool('write')])
  writer.answers = {
    'tools/call': ({ id, params }, reply) => {
      setTimeout(() => {
        const body = { jsonrpc: '2.0', id, result: textResult(`wrote ${messageOf(params)}`) }
        // The caller may be dead by now.
        if (reply.destroyed) return
        reply.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
      }, random() * 60)
      return null
    },
  }
  return writer
}

const messageOf = (params: Json): string => {
  const args = params.arguments
  return typeof args === 'object' && args !== null && 'message' in args ? String(args.message) : ''
}

/** How often each thing was written. */
export function writesOf(writer: FakeMcp): ReadonlyMap<string, number> {
  const calls = writer.requests.filter(({ method }) => method === 'tools/call')
  const counts = new Map<string, number>()
  for (const { params } of calls) counts.set(messageOf(params), (counts.get(messageOf(params)) ?? 0) + 1)
  return counts
}

/** As a model that writes two things, one after the other, and then says so, word by word, at most `paceMs` apart. */
export function answerOf({ raw, body }: ChatUpstreamRequest, random: () => number, paceMs = 12): ScriptedReply {
  const [tag = 'run-0'] = TAG.exec(raw) ?? []
  const messages: readonly Json[] =
    typeof body === 'object' && body !== null && 'messages' in body ? [...list(body.messages)] : []
  const written = messages.filter(({ role }) => role === 'tool').length
  const answer =
    written < WRITES
      ? {
          text: 'I write it down. ',
          calls: [{ name: 'w__write', input: `{"message":"${tag} ${written}"}`, kind: 'function' as const }],
        }
      : { text: 'All of it is written down, as you have asked me to do, word by word by word. ', calls: [] }
  return { answer, delayMs: Math.floor(random() * paceMs) }
}

const list = (value: unknown): readonly Json[] => (Array.isArray(value) ? value : [])

export function createBackground(server: Server, tag: string, mcpUrl: string, stream: boolean) {
  return post(server, {
    model: 'upstream/m',
    input: `Please do ${tag}.`,
    background: true,
    stream,
    tools: [
      { type: 'mcp', server_label: 'w', server_url: mcpUrl, require_approval: 'never', authorization: 'canary-key' },
    ],
  })
}

const headersOf = ({ apiKey }: Server) => ({ authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' })

const post = (server: Server, body: object) =>
  request(`${server.url}/v1/responses`, { method: 'POST', headers: headersOf(server), body: JSON.stringify(body) })

/** Adds to `told` whatever a stream tells before it ends or breaks; an `error` event is no part of the log. */
export async function readInto(told: LoggedEvent[], body: AsyncIterable<Uint8Array>): Promise<void> {
  const parser = createParser({
    onEvent({ data }) {
      if (data === '[DONE]') return
      const event = JSON.parse(data)
      if (event.type !== 'error') told.push(event)
    },
  })
  const utf8 = new TextDecoder()
  try {
    for await (const piece of body) parser.feed(utf8.decode(piece, { stream: true }))
  } catch {
    // The server is gone: the reader comes back with its cursor.
  }
}

/** The events after the last one that was told. */
export async function resume(server: Server, id: string, told: LoggedEvent[]): Promise<void> {
  const after = told.at(-1)?.sequence_number
  const cursor = after === undefined ? '' : `&starting_after=${after}`
  const path = `/v1/responses/${id}?stream=true&include_obfuscation=false${cursor}`
  const reply = await request(server.url + path, { headers: headersOf(server) }).catch(() => null)
  if (reply === null) return
  if (reply.statusCode !== 200) throw new Error(`${path}: ${reply.statusCode} ${await reply.body.text()}`)
  await readInto(told, reply.body)
}

/** A background run that a server has acknowledged. */
export type Started = {
  readonly id: string
  readonly tag: string
  /** What a reader was told of it from its start; null: nobody reads it. */
  readonly told: LoggedEvent[] | null
}

export const idOf = (event: LoggedEvent) => String((event.response as { id: unknown }).id)

/** A request that a replica has answered; `run`: what is known of it by now. */
export type Begun = { readonly at: Server; readonly run: () => Started | null; readonly reading: Promise<void> }

/** Null when the replica died before it had answered. */
export async function beginRun(at: Server, tag: string, mcpUrl: string, stream: boolean): Promise<Begun | null> {
  const reply = await createBackground(at, tag, mcpUrl, stream).catch(() => null)
  if (reply === null) return null
  if (stream) {
    const told: LoggedEvent[] = []
    const run = () => (told[0] ? { id: idOf(told[0]), tag, told } : null)
    return { at, run, reading: readInto(told, reply.body) }
  }
  const json = await reply.body.json().catch(() => null)
  if (json === null) return null
  const { id } = json as { id: string }
  return { at, run: () => ({ id, tag, told: null }), reading: Promise.resolve() }
}

const OVER: ReadonlySet<unknown> = new Set(['completed', 'failed', 'cancelled', 'incomplete'])

/** `until`: of `performance.now()`. */
export async function waitForEnd(server: Server, id: string, until: number): Promise<Json> {
  for (;;) {
    const { status, json } = await send(server, 'GET', `/v1/responses/${id}`)
    assert.equal(status, 200, `${id} was acknowledged and is lost`)
    if (OVER.has(json.status)) return json
    assert.ok(performance.now() < until, `${id} is still ${json.status}`)
    await delay(50)
  }
}

/** Of one that is over: what its reader was told is its log, and its log is a lawful stream that ends in it. Answers the log. */
export async function checkRun(
  server: Server,
  { id, told }: Started,
  response: Json,
): Promise<readonly LoggedEvent[] | null> {
  if (told === null) return null
  await resume(server, id, told)
  const log: LoggedEvent[] = []
  await resume(server, id, log)
  const plain = told.map(({ obfuscation: _, ...event }) => event)
  assert.deepEqual(plain, log)
  // What the wire tells is what the laws are about; nothing is lost on the way through JSON.
  assert.deepEqual(checkRunLaws(JSON.parse(JSON.stringify(log))), response)
  return log
}
