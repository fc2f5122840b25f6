/** How much longer each turn of a `previous_response_id` chain takes than the one before it. */
import { WebSocket } from 'ws'
import { median } from './load.ts'
import { type Connection, openConnection } from './raw-client.ts'
import { PLAIN_TEXT } from './replies.ts'
import { checkPlain, checkResponse, createRequest, directRequest, type ResponseBody } from './requests.ts'
import type { Target } from './targets.ts'

const questionOf = (turn: number) => `Turn ${turn}: go on.`

/** Sends one turn; answers the id to continue from. */
type TakeTurn = (fields: object) => Promise<string>
type OpenChain = (target: Target) => Promise<{ readonly take: TakeTurn; close(): void }>

/** Microseconds per turn, beyond what the growing request costs the upstream alone. */
export async function runChain(
  open: OpenChain,
  target: Target,
  { upstreamPort, turns }: { readonly upstreamPort: number; readonly turns: number },
): Promise<number> {
  const chain = await open(target)
  const direct = await openConnection(upstreamPort)
  try {
    return growthOf(await timeChain(chain.take, turns)) - growthOf(await timeDirect(direct, turns))
  } finally {
    chain.close()
    direct.close()
  }
}

async function timeChain(take: TakeTurn, turns: number): Promise<number[]> {
  const times: number[] = []
  let previous: string | undefined
  for (let turn = 0; turn < turns; turn += 1) {
    const start = performance.now()
    previous = await take({ input: questionOf(turn), previous_response_id: previous })
    times.push((performance.now() - start) * 1000)
  }
  return times
}

/** Every turn is stored and read as one JSON document. */
export const openHttpChain: OpenChain = async (target) => {
  const connection = await openConnection(target.port)
  return {
    take: async (fields) =>
      checkPlain(await connection.send(createRequest(target, 'plain', { ...fields, store: true }))),
    close: () => connection.close(),
  }
}

/** Nothing is stored: the socket remembers what its next turn continues from. */
export const openSocketChain: OpenChain = async (target) => {
  const socket = new WebSocket(`ws://127.0.0.1:${target.port}/v1/responses`, { headers: target.headers })
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  const take: TakeTurn = (fields) => {
    socket.send(
      JSON.stringify({ type: 'response.create', model: `${target.modelPrefix}plain`, ...fields, store: false }),
    )
    return new Promise((resolve, reject) => {
      socket.on('message', (data) => {
        const event: { type: string; response?: ResponseBody } = JSON.parse(String(data))
        if (event.type === 'response.completed' && event.response !== undefined) {
          socket.removeAllListeners('message')
          resolve(checkResponse(event.response, PLAIN_TEXT))
        } else if (event.type === 'error' || event.type === 'response.failed') {
          reject(new Error(`a turn failed: ${String(data).slice(0, 500)}`))
        }
      })
    })
  }
  return { take, close: () => socket.terminate() }
}

async function timeDirect(connection: Connection, turns: number): Promise<number[]> {
  const messages: object[] = []
  const times: number[] = []
  for (let turn = 0; turn < turns; turn += 1) {
    messages.push({ role: 'user', content: questionOf(turn) })
    const request = directRequest(messages)
    const start = performance.now()
    await connection.send(request)
    times.push((performance.now() - start) * 1000)
    messages.push({ role: 'assistant', content: PLAIN_TEXT })
  }
  return times
}

/** From the median of the second quarter to that of the last, so that neither the warm-up nor one slow turn counts. */
function growthOf(times: readonly number[]): number {
  const quarter = Math.floor(times.length / 4)
  const early = times.slice(quarter, quarter * 2)
  const late = times.slice(quarter * 3, quarter * 4)
  return (median(late) - median(early)) / (quarter * 2)
}
