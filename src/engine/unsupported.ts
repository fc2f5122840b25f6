/**
 * What a model cannot do is refused or reported, never dropped in silence (law 17). A parameter that changes what the
 * answer means is refused, a hint is reported; the operator's setting moves both.
 */
import { unsupportedParameter } from '../protocol/errors.ts'

/** `null`: refuse what changes the meaning, report hints. */
export type UnsupportedPolicy = 'error' | 'warn' | 'drop' | null

export interface UnsupportedLedger {
  /** The parameter changes the meaning of the answer. */
  meaning(param: string, why: string): void
  /** The answer is the same kind of answer without it. */
  hint(param: string, why: string): void
  /** Nobody asked for what is lost: it is reported, whatever the policy. */
  note(param: string, why: string): void
  /** One line each, for `x-antiphon-warnings`. */
  readonly warnings: readonly string[]
  readonly params: readonly string[]
}

export function createUnsupportedLedger(policy: UnsupportedPolicy): UnsupportedLedger {
  const warnings: string[] = []
  const params: string[] = []
  const report = (param: string, why: string) => {
    warnings.push(`${param}: ${why}`)
    params.push(param)
  }
  return {
    warnings,
    params,
    note: report,
    meaning(param, why) {
      if (policy === null || policy === 'error') throw unsupportedParameter(param, why)
      report(param, why)
    },
    hint(param, why) {
      if (policy === 'error') throw unsupportedParameter(param, why)
      report(param, why)
    },
  }
}
