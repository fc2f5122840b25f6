/** A whole turn kept back until it is known to be good. */
import type { Usage } from '../protocol/response.ts'
import { addUsage } from '../protocol/usage.ts'
import { type ModelBatch, ModelError, type ModelEvent } from './model.ts'

/** Characters of one turn that are held back. */
export const MAX_HELD_CHARS = 10_485_760

export type Finish = Extract<ModelEvent, { type: 'finish' }>
export type HeldTurn = {
  /** Without the finish. */
  readonly events: readonly ModelEvent[]
  /** The text of all blocks. */
  readonly text: string
  readonly finish: Finish
}

/** Throws `ModelError` for a turn that is too long or has no end. */
export async function holdTurn(stream: AsyncIterable<ModelBatch>): Promise<HeldTurn> {
  const events: ModelEvent[] = []
  let text = ''
  let chars = 0
  let finish: Finish | null = null
  // Read to its very end: who leaves at the finish would look as if it had broken off.
  for await (const batch of stream) {
    for (const event of batch) {
      if (event.type === 'finish') {
        finish = event
        continue
      }
      if ('delta' in event) chars += event.delta.length
      if (chars > MAX_HELD_CHARS) throw new ModelError('malformed', `The answer is above ${MAX_HELD_CHARS} characters.`)
      if (event.type === 'text-delta') text += event.delta
      events.push(event)
    }
  }
  if (finish === null) throw new ModelError('malformed', 'The model ended its answer without an end.')
  return { events, text, finish }
}

/** The finish of a turn that took two. Null when either usage is unknown: half a number would be taken for the whole. */
export const afterRepair = (first: Finish, second: Finish): Finish => ({
  ...second,
  usage: sumUsage(first.usage, second.usage),
})

const sumUsage = (a: Usage | null, b: Usage | null): Usage | null => (a && b ? addUsage(a, b) : null)

/** Cut off or filtered: what is missing or wrong is excused by it. */
export const isCutOff = ({ reason }: Finish) => reason === 'length' || reason === 'content_filter'

export const hasCalls = (turn: HeldTurn) => turn.events.some((event) => event.type === 'call-start')
