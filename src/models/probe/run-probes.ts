/** Asks a model the probing questions, one after the other, and says what was found. */
import { type FieldTable, type Model, ModelError, type ModelErrorKind, type ModelEvent } from '../model.ts'
import { PROBE_CASES, type ProbeCase, type ProbeReply, type ProbeVerdict } from './probe-cases.ts'

export type ProbeResult = {
  readonly name: string
  readonly field: string | null
  /** `refused`: the provider does not take it. `failed`: it could not be asked, which tells nothing. */
  readonly outcome: ProbeVerdict | 'refused' | 'failed'
  /** The provider's words, where it did not answer. */
  readonly note: string | null
}

export type ProbeReport = { readonly results: readonly ProbeResult[]; readonly fields: FieldTable }

/** Refusals of the request itself, or answers nobody can read: the model cannot do what was asked. */
const REFUSALS: ReadonlySet<ModelErrorKind> = new Set([
  'invalid_request',
  'content_policy',
  'context_length',
  'malformed',
])

/**
 * `model`: the adapter alone, believing that its provider can do everything. When the first question already fails the
 * others are not asked.
 */
export async function runProbes(
  model: Model,
  upstreamModel: string,
  options: { readonly signal: AbortSignal; readonly onResult?: (result: ProbeResult) => void },
): Promise<ProbeReport> {
  const results: ProbeResult[] = []
  const fields: Record<string, FieldTable[keyof FieldTable]> = {}
  for (const probe of PROBE_CASES) {
    const result = await ask(model, upstreamModel, { probe, signal: options.signal })
    results.push(result)
    options.onResult?.(result)
    if (result.outcome === 'failed') break
    if (probe.field === null || result.outcome === 'unclear') continue
    fields[probe.field] = result.outcome === 'works' ? 'native' : probe.otherwise
  }
  return { results, fields }
}

type Asking = { readonly probe: ProbeCase; readonly signal: AbortSignal }

async function ask(model: Model, upstreamModel: string, { probe, signal }: Asking): Promise<ProbeResult> {
  const { name, field } = probe
  const turn = { ...probe.turn, model: upstreamModel }
  const events: ModelEvent[] = []
  let batches = 0
  try {
    for await (const batch of model.stream(turn, { signal })) {
      batches += 1
      events.push(...batch)
    }
    return { name, field, outcome: probe.verdict(toReply(events, batches)), note: null }
  } catch (error) {
    if (!(error instanceof ModelError)) throw error
    return { name, field, outcome: REFUSALS.has(error.kind) ? 'refused' : 'failed', note: error.message }
  }
}

function toReply(events: readonly ModelEvent[], batches: number): ProbeReply {
  const textOf = (type: ModelEvent['type'], id?: string) =>
    events
      .flatMap((event) =>
        event.type === type && 'delta' in event && (id === undefined || event.id === id) ? [event.delta] : [],
      )
      .join('')
  const calls = events.flatMap((event) =>
    event.type === 'call-start' ? [{ name: event.name, args: textOf('call-delta', event.id) }] : [],
  )
  return { events, batches, calls, text: textOf('text-delta') }
}
