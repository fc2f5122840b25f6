/**
 * Directives in the last user message, for suites that reach it only through another server. `[[once ...]]` applies
 * to the first request with that text only, so a retry succeeds:
 *   [[status 503]]  [[retry-after 2]]  answer with that status and header
 *   [[shape ollama]]                   one of chat-shapes
 *   [[delay 20]]                       milliseconds between chunks
 *   [[split 7]]                        bytes per write
 *   [[cut 200]] [[end 200]]            after 200 bytes the connection is reset, or the reply ends as if it were whole
 *   [[hang 200]] [[hang]]              after 200 bytes nothing more; without a number not even a status line
 *   [[comments]]                       a hanging reply sends keep-alive comments
 *   [[garbage]] [[html]]               not JSON; not a stream
 *   [[json]]                           one JSON object although a stream was asked for
 *   [[stream-error]]                   an error object instead of the end
 *   [[unknown-tool]]                   a call of a tool nobody offered
 *   [[no-usage]]                       no token counts
 */
import { directivesOf, lastUserText } from './chat-rules.ts'
import type { ScriptedReply } from './chat-script.ts'
import { CHAT_SHAPES } from './chat-shapes.ts'
import type { Json } from './chat-validate.ts'

const numberOf = (text: string | undefined): number | undefined =>
  text === undefined || text === '' ? undefined : Number(text)

/** `seenOnce` remembers the texts whose `once` is over. */
export function readDirectives(body: Json, seenOnce: Set<string>): ScriptedReply {
  const once = lastUserText(body)
  const again = seenOnce.has(once)
  let reply: ScriptedReply = {}
  for (const directive of directivesOf(body)) {
    const words = directive.split(/\s+/)
    if (words[0] === 'once') {
      seenOnce.add(once)
      if (again) continue
      words.shift()
    }
    reply = { ...reply, ...toReply(words[0] ?? '', words[1]) }
  }
  return reply
}

function toReply(name: string, value: string | undefined): ScriptedReply {
  const number = numberOf(value)
  switch (name) {
    case 'status':
      return { status: number ?? 500 }
    case 'retry-after':
      return { headers: { 'retry-after': value ?? '1' } }
    case 'shape': {
      const shape = CHAT_SHAPES.find((known) => known === value)
      return shape ? { shape } : {}
    }
    case 'delay':
      return { delayMs: number ?? 10 }
    case 'split':
      return { split: number ?? 1 }
    case 'cut':
      return { stopAt: number ?? 0, stopBy: 'reset' }
    case 'end':
      return { stopAt: number ?? 0, stopBy: 'end' }
    case 'hang':
      return number === undefined ? { silent: true } : { stopAt: number, stopBy: 'hang' }
    case 'comments':
      return { commentEveryMs: 20 }
    case 'html':
      return { wire: '<!doctype html><title>Bad gateway</title>', headers: { 'content-type': 'text/html' } }
    case 'json':
      return { plainJson: true }
    case 'no-usage':
      return { usage: false }
    case 'unknown-tool':
      return { answer: { text: '', calls: [{ kind: 'function', name: 'no_such_tool', input: '{}' }] } }
    default:
      return {}
  }
}

/** Faults of the content itself: they take the place of the last half of the events. */
export function withFaults(frames: readonly string[], body: Json): readonly string[] {
  const names = directivesOf(body).map((directive) => directive.split(/\s+/)[0])
  const half = frames.slice(0, Math.ceil(frames.length / 2))
  if (names.includes('garbage')) return [...half, 'data: {"id": oops\n\n']
  if (!names.includes('stream-error')) return frames
  return [...half, 'data: {"error":{"message":"Upstream worker died","type":"server_error","code":500}}\n\n']
}
