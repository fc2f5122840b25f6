/** One request on a connection of its own, which can be left at any moment and in any way. */
import assert from 'node:assert/strict'
import { type IncomingMessage, request } from 'node:http'
import { eventsOf, framesOf } from '../support/http.ts'

export type Exchange = {
  /** 0 before the headers. */
  status(): number
  text(): string
  /** What happened so far, for a failure's message. */
  story(): string
  /** `whole`: the reply came to its end as the protocol has it. Never rejects. */
  readonly ended: Promise<'whole' | 'cut'>
  /** Closes the connection: by FIN or by RST. */
  leave(how: 'fin' | 'rst'): void
}

type Server = { readonly url: string; readonly apiKey: string }

/** `onText` sees each piece of the reply's body. */
export function openExchange(
  server: Server,
  body: object,
  onText: (piece: string, exchange: Exchange) => void = () => {},
): Exchange {
  const payload = JSON.stringify(body)
  const sent = request(`${server.url}/v1/responses`, {
    method: 'POST',
    agent: false,
    headers: {
      authorization: `Bearer ${server.apiKey}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(payload),
    },
  })
  let reply: IncomingMessage | null = null
  let text = ''
  let fault = ''
  const began = performance.now()
  const note = (error: Error) => {
    fault ||= `${error.message} after ${Math.round(performance.now() - began)} ms`
  }
  const ended = new Promise<'whole' | 'cut'>((resolve) => {
    sent.on('error', (error) => {
      note(error)
      resolve('cut')
    })
    sent.on('close', () => resolve(reply?.complete ? 'whole' : 'cut'))
    sent.on('response', (message) => {
      reply = message
      message.setEncoding('utf8')
      message.on('error', note)
      message.on('data', (piece: string) => {
        text += piece
        onText(piece, exchange)
      })
    })
  })
  const exchange: Exchange = {
    status: () => reply?.statusCode ?? 0,
    text: () => text,
    story: () => `status ${exchange.status()}, ${text.length} characters, ${fault || 'no error'}: ${text.slice(-300)}`,
    ended,
    leave(how) {
      if (how === 'rst') sent.socket?.resetAndDestroy()
      sent.destroy()
    },
  }
  sent.end(payload)
  return exchange
}

/** The id of the response, as soon as `response.created` has come; empty before. */
export const idIn = (text: string): string => /"id":"(resp_\w+)"/.exec(text)?.[1] ?? ''

type Terminal = { readonly type: string; readonly response: Record<string, unknown> }

/** The terminal event of a whole stream. Throws when it is not the last event before the end mark. */
export function terminalOf(text: string): Terminal {
  const frames = framesOf(text)
  assert.equal(frames.at(-1)?.data, '[DONE]', `a stream without its end mark: ${text.slice(-300)}`)
  const last = frames.at(-2)
  assert.match(last?.event ?? '', /^response\.(completed|failed|incomplete)$/)
  return JSON.parse(last?.data ?? '')
}

/** Every byte of a completed stream: numbers without a gap, the text in deltas, when done, and in the response. */
export function checkWhole(streamed: string, expected: string): void {
  const events = eventsOf(streamed)
  for (const [index, event] of events.entries()) assert.equal(event.sequence_number, index)
  const textOfType = (type: string, field: string) =>
    events
      .filter((event) => event.type === type)
      .map((event) => String(event[field]))
      .join('')
  assert.equal(textOfType('response.output_text.delta', 'delta'), expected)
  assert.equal(textOfType('response.output_text.done', 'text'), expected)
  const { type, response } = terminalOf(streamed)
  assert.equal(type, 'response.completed')
  assert.ok(JSON.stringify(response.output).includes(JSON.stringify(expected)), 'the response holds the text')
}
