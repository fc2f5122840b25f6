/** What a name with several deployments can do: what every one of them can, since nobody knows which one it will be. */

import { FIELD_SUPPORTS, TURN_FIELDS, type TurnField } from '../lib/field-support.ts'
import type { FieldTable, ModelCapabilities } from './model.ts'

/** How a field fares where it fares worst. */
export function commonFields(all: readonly FieldTable[]): FieldTable {
  const [only] = all
  if (only !== undefined && all.length === 1) return only
  const worst = (field: TurnField) =>
    Math.max(...all.map((fields) => FIELD_SUPPORTS.indexOf(fields[field] ?? 'native')))
  return Object.fromEntries(TURN_FIELDS.map((field) => [field, FIELD_SUPPORTS[worst(field)]]))
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
    seesImages: every('seesImages'),
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
