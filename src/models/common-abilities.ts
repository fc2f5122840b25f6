/** What a name with several deployments can do: what every one of them can, since nobody knows which one it will be. */
import { type FieldSupport, type FieldTable, type ModelCapabilities, TURN_FIELDS, type TurnField } from './model.ts'

const WORST_LAST: readonly FieldSupport[] = ['native', 'emulated', 'ignored', 'refused']

/** How a field fares where it fares worst. */
export function commonFields(all: readonly FieldTable[]): FieldTable {
  const worst = (field: TurnField) => Math.max(...all.map((fields) => WORST_LAST.indexOf(fields[field] ?? 'native')))
  return Object.fromEntries(TURN_FIELDS.map((field) => [field, WORST_LAST[worst(field)]]))
}

export function commonCapabilities(all: readonly ModelCapabilities[]): ModelCapabilities {
  const smallest = (field: 'contextWindow' | 'maxOutputTokens') => {
    const known = all.map((capabilities) => capabilities[field]).filter((value) => value !== null)
    return known.length === 0 ? null : Math.min(...known)
  }
  const every = (field: Exclude<keyof ModelCapabilities, 'contextWindow' | 'maxOutputTokens' | 'hostedTools'>) =>
    all.every((capabilities) => capabilities[field] === true)
  return {
    contextWindow: smallest('contextWindow'),
    maxOutputTokens: smallest('maxOutputTokens'),
    imageInput: every('imageInput'),
    fileInput: every('fileInput'),
    functionTools: every('functionTools'),
    customTools: every('customTools'),
    structuredOutput: every('structuredOutput'),
    reasoning: every('reasoning'),
    logprobs: every('logprobs'),
    isDemo: every('isDemo'),
    hostedTools: (all[0]?.hostedTools ?? []).filter((tool) => all.every((it) => it.hostedTools?.includes(tool))),
  }
}
