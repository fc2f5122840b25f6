/** How much longer each turn of a `previous_response_id` chain takes than the one before it. */
import { median } from './load.ts'
import { type Connection, openConnection } from './raw-client.ts'
import { PLAIN_TEXT } from './replies.ts'
import { checkPlain, createRequest, directRequest } from './requests.ts'
import type { Target } from './targets.ts'

const questionOf = (turn: number) => `Turn ${turn}: go on.`

/** Microseconds per turn, beyond what the growing request costs the upstream alone. */
export async function runChain(target: Target, upstreamPort: number, turns: number): Promise<number> {
  const through = await openConnection(target.port)
  const direct = await openConnection(upstreamPort)
  try {
    return growthOf(await timeChain(through, target, turns)) - growthOf(await timeDirect(direct, turns))
  } finally {
    through.close()
    direct.close()
  }
}

async function timeChain(connection: Connection, target: Target, turns: number): Promise<number[]> {
  const times: number[] = []
  let previous: string | undefined
  for (let turn = 0; turn < turns; turn += 1) {
    const request = createRequest(target, 'plain', {
      input: questionOf(turn),
      store: true,
      previous_response_id: previous,
    })
    const start = performance.now()
    const reply = await connection.send(request)
    times.push((performance.now() - start) * 1000)
    previous = checkPlain(reply)
  }
  return times
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
