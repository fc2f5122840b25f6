/** The `x-antiphon-*` headers: what happened behind the API, for people who debug. */
import type { Run } from '../engine/engine.ts'
import { REPLAYED } from './idempotency-key.ts'

const MAX_NAME_CHARS = 256

type Reported = Pick<Run, 'report' | 'replayed'>

/** `warnings`: all of them, those of the validation first. */
export function runHeaders(
  run: Reported,
  warnings: readonly string[],
  maxWarningBytes: number,
): Record<string, string> {
  if (run.replayed) return { ...REPLAYED, ...warningHeaders(warnings, maxWarningBytes) }
  const report = run.report()
  return {
    'x-antiphon-provider': name(report.provider),
    'x-antiphon-model': name(report.upstreamModel),
    'x-antiphon-deployment': name(`${report.provider}/${report.upstreamModel}`),
    ...(report.fallbackFrom !== null && { 'x-antiphon-fallback': name(report.fallbackFrom) }),
    'x-antiphon-attempts': String(report.attempts),
    ...(report.costUsd !== null && { 'x-antiphon-cost': formatUsd(report.costUsd) }),
    'x-antiphon-overhead-ms': String(Math.max(0, Math.round(report.overheadMs))),
    ...(report.upstreamRequestId !== null && {
      'x-antiphon-upstream-request-id': name(report.upstreamRequestId),
    }),
    ...warningHeaders([...warnings, ...report.warnings], maxWarningBytes),
  }
}

const COST_DECIMALS = 10

/** US dollars without an exponent, and without zeros at the end. */
export const formatUsd = (usd: number): string => usd.toFixed(COST_DECIMALS).replace(/\.?0+$/, '')

const name = (text: string) => toHeaderValue(text).slice(0, MAX_NAME_CHARS)

/** Warnings joined by `; `. Those that do not fit are counted at the end. */
export function warningHeaders(warnings: readonly string[], maxBytes: number): Record<string, string> {
  if (warnings.length === 0) return {}
  return { 'x-antiphon-warnings': fittingWarnings(warnings.map(toHeaderValue), maxBytes).join(SEPARATOR) }
}

const SEPARATOR = '; '

/** The first that fit, and how many did not. */
export function fittingWarnings(warnings: readonly string[], maxBytes: number): readonly string[] {
  const kept: string[] = []
  let room = maxBytes - `${SEPARATOR}(+99999 more)`.length
  for (const warning of warnings) {
    const bytes = Buffer.byteLength(warning) + SEPARATOR.length
    if (bytes > room) break
    kept.push(warning)
    room -= bytes
  }
  const left = warnings.length - kept.length
  return left > 0 ? [...kept, `(+${left} more)`] : kept
}

/** Printable ASCII; everything else, and `%` itself, percent-encoded as UTF-8. Safe against header injection. */
export function toHeaderValue(text: string): string {
  if (/^[\x20-\x24\x26-\x7e]*$/.test(text)) return text
  return text.toWellFormed().replace(/[^\x20-\x24\x26-\x7e]/gu, (char) => encodeURIComponent(char))
}
