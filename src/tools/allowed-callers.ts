/** Who may call a tool. Programs that call tools need a sandbox to run in, and this server has none. */
import { badRequest } from '../protocol/errors.ts'

/** Refuses a tool that could never be called. `path`: of the tool. */
export function refuseProgramsOnly(callers: readonly string[] | null | undefined, path: string): void {
  if (!callers || callers.includes('direct')) return
  const message =
    'The tool may be called by programs alone, and this server has no sandbox to run programs in. ' +
    "Add 'direct' to 'allowed_callers'."
  throw badRequest(`${path}.allowed_callers`, 'unsupported_value', message)
}
