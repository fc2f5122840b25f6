/**
 * The arguments a model wrote for a tool that runs here. A client gets those of its own functions as they are, and what it
 * makes of broken ones is its own affair.
 */
import { satisfiesSchema } from '../lib/check-schema.ts'
import type { FinishedCall, ToolOutcome } from './tool.ts'

/** Of one check; a schema that needs more is the tool's own to enforce. */
const MAX_STEPS = 100_000

export type ReadArguments =
  | { readonly ok: true; readonly value: Readonly<Record<string, unknown>> }
  /** To be returned as it is. It quotes nothing of the text. */
  | { readonly ok: false; readonly outcome: Extract<ToolOutcome, { type: 'bad-arguments' }> }

/** A JSON object that, where the model was held to the schema of the tool, fits it. */
export function readArguments({ declared: { declaration }, input }: FinishedCall): ReadArguments {
  const value = parse(input)
  if (!isRecord(value)) return broken('they are not a JSON object')
  if (declaration.type !== 'function' || !declaration.strict || declaration.parameters === null) {
    return { ok: true, value }
  }
  const steps = { left: MAX_STEPS }
  const fits = satisfiesSchema(declaration.parameters, value, declaration.parameters, steps)
  return fits || steps.left < 0 ? { ok: true, value } : broken('they do not fit the schema of the tool')
}

const broken = (problem: string): ReadArguments => ({ ok: false, outcome: { type: 'bad-arguments', problem } })

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
