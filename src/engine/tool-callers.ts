/** Who may call a tool: the model itself, programs that it writes, or both. */
import { badRequest } from '../protocol/errors.ts'
import { PROGRAMS } from '../protocol/programs.ts'
import type { ToolParam } from '../protocol/tools.ts'
import type { DeclaredTool } from '../tools/tool.ts'

type Caller = 'direct' | 'programmatic'
const DIRECT: readonly Caller[] = ['direct']

const callersOfSpec = (spec: object): readonly Caller[] => {
  const given = 'allowed_callers' in spec ? spec.allowed_callers : null
  return Array.isArray(given) && given.length > 0 ? given : DIRECT
}

export function callersOf({ spec, name }: Pick<DeclaredTool, 'spec' | 'name'>): readonly Caller[] {
  const own = spec.type === 'namespace' ? spec.tools.find((tool) => tool.name === name) : spec
  return own ? callersOfSpec(own) : DIRECT
}

/** Refuses a tool that nobody could call, because the request lets no program be written. `path`: of the tools. */
export function refuseUncallable(specs: readonly ToolParam[], path: string): void {
  if (specs.some(({ type }) => type === PROGRAMS)) return
  const check = (spec: object, where: string) => {
    if (callersOfSpec(spec).includes('direct')) return
    const message =
      `The tool may be called by programs alone, and 'tools' has no '${PROGRAMS}' to write them with. Add it, or add ` +
      "'direct' to 'allowed_callers'."
    throw badRequest(`${where}.allowed_callers`, 'invalid_value', message)
  }
  specs.forEach((spec, index) => {
    const where = `${path}[${index}]`
    check(spec, where)
    if (spec.type !== 'namespace') return
    for (const [at, tool] of spec.tools.entries()) check(tool, `${where}.tools[${at}]`)
  })
}
