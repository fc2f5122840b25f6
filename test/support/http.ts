/** Plain HTTP against a test server, for what SDKs do not show. */
import { request } from 'undici'

export type Reply = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  /** Parsed when it is JSON. */
  readonly json: Record<string, unknown>
}

export type SendOptions = { readonly key?: string | null; readonly headers?: Record<string, string> }

export async function send(
  server: { readonly url: string; readonly apiKey: string },
  method: 'GET' | 'POST' | 'DELETE' | 'HEAD' | 'OPTIONS',
  path: string,
  body?: unknown,
  options: SendOptions = {},
): Promise<Reply> {
  const key = options.key === undefined ? server.apiKey : options.key
  const reply = await request(`${server.url}${path}`, {
    method,
    headers: {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...options.headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await reply.body.text()
  const isJson = String(reply.headers['content-type']).includes('json')
  return { status: reply.statusCode, headers: reply.headers, text, json: isJson && text ? JSON.parse(text) : {} }
}

export type Frame = { readonly event: string | null; readonly data: string }

/** The frames of a whole SSE body; comments are left out. */
export const framesOf = (text: string): Frame[] =>
  text
    .split('\n\n')
    .filter((frame) => frame !== '' && !frame.startsWith(':'))
    .map((frame) => {
      const lines = frame.split('\n')
      const fieldOf = (field: string) => lines.find((line) => line.startsWith(`${field}: `))?.slice(field.length + 2)
      return { event: fieldOf('event') ?? null, data: fieldOf('data') ?? '' }
    })

/** The events of a whole SSE body, parsed, without the end mark. */
export const eventsOf = (text: string): Record<string, unknown>[] =>
  framesOf(text)
    .filter(({ data }) => data !== '[DONE]')
    .map(({ data }) => JSON.parse(data))
