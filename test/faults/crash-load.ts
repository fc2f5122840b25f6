/** Clients that use a server until it dies, and write down what they were told. */
import { createParser } from 'eventsource-parser'
import { Client } from 'undici'
import type { Acknowledged, RunningServer } from './crash-runner.ts'

export type LoadOptions = {
  readonly server: RunningServer
  readonly model: string
  readonly clients: number
  readonly random: () => number
  readonly acknowledge: (entry: Acknowledged) => void
}

const TERMINAL: ReadonlySet<unknown> = new Set(['response.completed', 'response.failed', 'response.incomplete'])

/** Resolves when every client has lost its server. */
export async function runLoad(options: LoadOptions): Promise<void> {
  await Promise.all(Array.from({ length: options.clients }, (_, index) => runClient(index, options)))
}

/** One request after another on its own connection: JSON, streams, chains, deletes. */
async function runClient(index: number, { server, model, random, acknowledge }: LoadOptions): Promise<void> {
  const client = new Client(server.url)
  const headers = { authorization: `Bearer ${server.apiKey}`, 'content-type': 'application/json' }
  const post = (body: object) =>
    client.request({ method: 'POST', path: '/v1/responses', headers, body: JSON.stringify(body) })
  let previous: string | null = null
  try {
    for (let turn = 0; ; turn += 1) {
      const body = { model, input: `client ${index} turn ${turn}`, previous_response_id: previous, store: true }
      const kind = random()
      if (kind < 0.4) {
        const reply = await post(body)
        const response = asRecord(await reply.body.json())
        if (reply.statusCode !== 200) throw new Error(`unexpected reply: ${JSON.stringify(response)}`)
        previous = String(response.id)
        acknowledge({ what: 'ended', id: previous, response })
      } else if (kind < 0.9 || previous === null) {
        const reply = await post({ ...body, stream: true })
        previous = (await readStream(reply.body, acknowledge)) ?? previous
      } else {
        const path = `/v1/responses/${previous}`
        acknowledge({ what: 'deleting', id: previous })
        const reply = await client.request({ method: 'DELETE', path, headers })
        await reply.body.dump()
        if (reply.statusCode === 200) acknowledge({ what: 'deleted', id: previous })
        previous = null
      }
    }
  } catch (error) {
    // The server is gone: that is how every client ends.
    if (error instanceof Error && error.message.startsWith('unexpected')) throw error
  } finally {
    await client.destroy()
  }
}

/** Answers the id of a response that ended well enough to go on from. */
async function readStream(
  body: AsyncIterable<Uint8Array>,
  acknowledge: LoadOptions['acknowledge'],
): Promise<string | null> {
  let ended: string | null = null
  const parser = createParser({
    onEvent({ data }) {
      if (data === '[DONE]') return
      const event = asRecord(JSON.parse(data))
      const response = asRecord(event.response)
      const id = String(response.id)
      if (event.type === 'response.created') acknowledge({ what: 'created', id })
      if (!TERMINAL.has(event.type)) return
      acknowledge({ what: 'ended', id, response })
      if (response.status === 'completed') ended = id
    },
  })
  const utf8 = new TextDecoder()
  for await (const piece of body) parser.feed(utf8.decode(piece, { stream: true }))
  return ended
}

const asRecord = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? { ...value } : {}
