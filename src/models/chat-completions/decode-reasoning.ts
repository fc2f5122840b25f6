/** Reasoning that comes in fields of its own: plain text, and the opaque state some vendors want to see again. */
import { asFields, asList, asNumber, asText, type Fields } from '../upstream/fields.ts'
import type { Quirks } from './quirks.ts'
import { packReasoningState } from './reasoning-state.ts'

export type ReasoningPiece = { readonly kind: 'summary' | 'text'; readonly source: number; readonly text: string }

/** The readable reasoning of a delta. The same text is often there twice, so the first filled place counts. */
export function readReasoning(delta: Fields, names: readonly string[]): readonly ReasoningPiece[] {
  for (const name of names) {
    const value = delta[name]
    if (value === undefined || value === null || value === '') continue
    const fields = asFields(value)
    const text = asText(value) ?? asText(fields?.content) ?? asText(fields?.text)
    if (text) return [{ kind: 'text', source: 0, text }]
  }
  if (delta.reasoning_details === undefined) return NOTHING
  return asList(delta.reasoning_details).flatMap(readDetail)
}

const NOTHING: readonly ReasoningPiece[] = []

function readDetail(entry: unknown): ReasoningPiece[] {
  const detail = asFields(entry)
  const source = asNumber(detail?.index) ?? 0
  const text = asText(detail?.text)
  if (text) return [{ kind: 'text', source, text }]
  const summary = asText(detail?.summary)
  return summary ? [{ kind: 'summary', source, text: summary }] : []
}

export interface ReasoningStateCollector {
  collect(delta: Fields): void
  /** What was collected since the last call, packed; undefined when there was nothing. */
  take(): string | undefined
}

/** `kind` null: this provider wants nothing back, and nothing is collected. */
export function createReasoningStateCollector(kind: Quirks['reasoningState']): ReasoningStateCollector {
  let details: Record<string, unknown>[] = []
  let callExtras: Record<string, unknown> = {}
  return {
    collect(delta) {
      if (kind === 'reasoning_details') for (const entry of asList(delta.reasoning_details)) addDetail(details, entry)
      if (kind !== 'extra_content') return
      for (const entry of asList(delta.tool_calls)) {
        const call = asFields(entry)
        const id = asText(call?.id)
        if (id && call?.extra_content) callExtras[id] = call.extra_content
      }
    },
    take() {
      const state = packReasoningState({ details, callExtras })
      details = []
      callExtras = {}
      return state
    },
  }
}

const JOINED_FIELDS: ReadonlySet<string> = new Set(['text', 'summary', 'data'])

/** Fragments of one detail have the same type and index: texts are joined, the rest is the latest. */
function addDetail(details: Record<string, unknown>[], entry: unknown): void {
  const fragment = asFields(entry)
  if (!fragment) return
  const last = details.at(-1)
  if (!last || last.type !== fragment.type || last.index !== fragment.index) {
    details.push({ ...fragment })
    return
  }
  for (const [key, value] of Object.entries(fragment)) {
    if (value === null || value === undefined) continue
    const before = last[key]
    last[key] =
      JOINED_FIELDS.has(key) && typeof before === 'string' && typeof value === 'string' ? before + value : value
  }
}
