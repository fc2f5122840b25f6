/** What a container may be given here, wherever it is asked for; what cannot be had is refused by its field. */
import { ApiError, badRequest, unsupportedParameter } from './errors.ts'
import type { MEMORY_LIMIT_NAMES } from './hosted-tools.ts'

export type MemoryLimit = (typeof MEMORY_LIMIT_NAMES)[number]

/** Bytes. */
export const MEMORY_LIMITS = {
  '1g': 2 ** 30,
  '4g': 2 ** 32,
  '16g': 2 ** 34,
  '64g': 2 ** 36,
} as const satisfies Record<MemoryLimit, number>

export const refuseUnavailable = (why: string, param: string | null) =>
  new ApiError({
    status: 400,
    param,
    code: 'tool_unavailable',
    message: `Code cannot be run by this server: ${why}.`,
  })

export function admitNetwork(policy: { readonly type: string } | null | undefined, path: string): void {
  if (policy?.type === 'allowlist')
    throw unsupportedParameter(
      path,
      "Containers of this server have no network; leave it out, or say {type: 'disabled'}.",
    )
}

export function admitMemory(limit: MemoryLimit | null | undefined, path: string, maxBytes: number): void {
  if (!limit || MEMORY_LIMITS[limit] <= maxBytes) return
  const most = `This server gives a container at most ${Math.floor(maxBytes / 2 ** 20)} MB; see limits.code_memory.`
  throw badRequest(path, 'unsupported_value', `Unsupported value: '${limit}'. ${most}`)
}

export function admitIdle(minutes: number | undefined, path: string, maxMs: number): void {
  if (minutes === undefined || minutes * 60_000 <= maxMs) return
  const most = `Containers of this server live at most ${Math.floor(maxMs / 60_000)} minutes unused; see limits.container_idle.`
  throw badRequest(path, 'integer_above_max_value', `Invalid '${path}': ${minutes} minutes. ${most}`)
}
