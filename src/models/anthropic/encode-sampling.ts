/** `temperature`, `top_p` and `stop`, as far as the model takes them. */
import type { ModelTurn, NotCarried } from '../model.ts'
import type { Family } from './family.ts'

type SamplingSource = Pick<ModelTurn, 'temperature' | 'topP' | 'stop'>
type EncodedSampling = {
  readonly fields: Readonly<Record<string, unknown>>
  readonly lost: readonly NotCarried[]
}

/** Both APIs have 1 as the default of both, so it is never sent. */
export const DEFAULT_SAMPLING = 1
const MAX_TEMPERATURE = 1
/** While thinking. */
const MIN_TOP_P = 0.95

/** `thinking`: the turn switches it on. Newer models take only their defaults anyway. */
export function encodeSampling(turn: SamplingSource, { sampling }: Family, thinking: boolean): EncodedSampling {
  const fields: Record<string, unknown> = {}
  const lost: NotCarried[] = []
  const put = (name: 'temperature' | 'top_p', value: number | null, fits: boolean) => {
    if (value === null || value === DEFAULT_SAMPLING) return
    if (fits) fields[name] = value
    else lost.push({ param: name, weight: 'meaning' })
  }
  const { temperature, topP } = turn
  const free = sampling !== 'none'
  put('temperature', temperature, free && !thinking && (temperature ?? 0) <= MAX_TEMPERATURE)
  const alone = sampling === 'any' || fields.temperature === undefined
  put('top_p', topP, free && alone && (!thinking || (topP ?? 0) >= MIN_TOP_P))

  const stop = turn.stop?.filter((sequence) => sequence.trim() !== '') ?? []
  if (stop.length > 0) fields.stop_sequences = stop
  // A sequence of white space alone is refused there.
  if (stop.length < (turn.stop?.length ?? 0)) lost.push({ param: 'stop', weight: 'meaning' })
  return { fields, lost }
}
