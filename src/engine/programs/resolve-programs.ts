/** The programs of a context that go on, because what they waited for is there. Refused before anything is answered. */
import { badRequest } from '../../protocol/errors.ts'
import type { Item } from '../../protocol/items.ts'
import { PROGRAMS, type Program } from '../../protocol/programs.ts'
import type { OfferedTool } from '../offered-tool.ts'
import type { OfferedTools } from '../resolve-tools.ts'
import { answeredPrograms, momentOf } from './program-items.ts'

export type GoingProgram = {
  readonly program: Program
  /** When the response began that it was written in; seconds. */
  readonly at: number
  readonly offered: OfferedTool
}

export function resolvePrograms(
  items: readonly Item[],
  { byModelName }: Pick<OfferedTools, 'byModelName'>,
): readonly GoingProgram[] {
  return answeredPrograms(items).map((program) => {
    const offered = byModelName.get(PROGRAMS)
    if (offered) return { program, at: momentOf(program), offered }
    const message = `The program '${program.call_id}' waits for the outputs in this request. Name the tool '${PROGRAMS}' in 'tools' again, and those that it calls.`
    throw badRequest('tools', 'invalid_value', message)
  })
}
