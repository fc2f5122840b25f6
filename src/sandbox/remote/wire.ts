/** What a server and a worker say to each other before the frames begin. */
import type { SandboxTraits, SessionLimits } from '../sandbox.ts'

export const PATH = 'v1/container'
export const PROTOCOL = 'antiphon-container-2'
/** What code finds there: `SandboxTraits` as JSON. */
export const TRAITS_HEADER = 'x-antiphon-traits'
export const LIMITS_HEADER = 'x-antiphon-limits'

/** What was asked for, and never more than `most`. Null for what is no limits. */
export function readLimits(text: string | undefined, most: SessionLimits): SessionLimits | null {
  const asked = parse(text ?? '')
  if (asked === null) return null
  const least = (name: keyof SessionLimits): number => {
    const value: unknown = Reflect.get(asked, name)
    return typeof value === 'number' && Number.isFinite(value) && value > 0 ? Math.min(value, most[name]) : most[name]
  }
  return {
    wallMs: least('wallMs'),
    cpuMs: least('cpuMs'),
    memoryBytes: least('memoryBytes'),
    diskBytes: least('diskBytes'),
    outputBytes: least('outputBytes'),
    processes: least('processes'),
    files: least('files'),
  }
}

/** Null for what is none. */
export function readTraits(text: string | undefined): SandboxTraits | null {
  const said = parse(text ?? '')
  const is = (name: keyof SandboxTraits) => said !== null && Reflect.get(said, name) === true
  return said && { hasProcesses: is('hasProcesses'), hasPackages: is('hasPackages') }
}

function parse(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : null
  } catch {
    return null
  }
}
