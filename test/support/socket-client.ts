/** A client of WebSocket mode, on undici's socket: one `response.create` after the other. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { WebSocket } from 'undici'

export type SocketEvent = {
  readonly type: string
  readonly status?: number
  readonly stream_id?: string
  readonly sequence_number?: number
  readonly error?: { readonly code: string | null; readonly message: string; readonly param: string | null }
  readonly response?: {
    readonly id: string
    readonly status: string
    readonly output: readonly unknown[]
    readonly output_text: string
    readonly usage: { readonly input_tokens: number; readonly total_tokens: number } | null
  }
}
export type SocketClient = {
  /** Sends one `response.create` and reads to its end. */
  turn(fields: object): Promise<SocketEvent[]>
  /** The end of that: the terminal event or the error. */
  end(fields: object): Promise<SocketEvent>
  close(): Promise<void>
}

const ENDS = new Set(['response.completed', 'response.incomplete', 'response.failed', 'error'])

export async function connectSocket(server: { readonly url: string; readonly apiKey: string }): Promise<SocketClient> {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/v1/responses`, {
    headers: { authorization: `Bearer ${server.apiKey}` },
  })
  const events: SocketEvent[] = []
  let wake = () => {}
  socket.addEventListener('message', ({ data }) => {
    events.push(JSON.parse(String(data)))
    wake()
  })
  await once(socket, 'open')
  const turn = async (fields: object) => {
    socket.send(JSON.stringify({ type: 'response.create', ...fields }))
    const taken: SocketEvent[] = []
    while (!ENDS.has(taken.at(-1)?.type ?? '')) {
      const event = events.shift()
      if (event) taken.push(event)
      else
        await new Promise<void>((resolve) => {
          wake = resolve
        })
    }
    return taken
  }
  return {
    turn,
    async end(fields) {
      const last = (await turn(fields)).at(-1)
      assert.ok(last)
      return last
    },
    async close() {
      const closed = once(socket, 'close')
      socket.close()
      await closed
    },
  }
}
