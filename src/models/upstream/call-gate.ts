/** Which calls of a turn are taken: of tools that were offered, and not without number. */
import { ModelError, type ToolDeclaration } from '../model.ts'

/** More calls than this in one turn are a runaway, not an answer. */
export const MAX_CALLS = 256

export interface CallGate {
  /** The calls that were let in. */
  count(): number
  /** Throws `ModelError`. */
  enter(name: string): void
}

export function createCallGate(tools: readonly Pick<ToolDeclaration, 'name'>[]): CallGate {
  const names = new Set(tools.map(({ name }) => name))
  let count = 0
  return {
    count: () => count,
    enter(name) {
      if (!names.has(name)) {
        throw malformed(`The model called '${name.slice(0, 128)}', which is not a tool of this request.`)
      }
      if (count === MAX_CALLS) throw malformed(`The model made more than ${MAX_CALLS} tool calls in one turn.`)
      count += 1
    },
  }
}

const malformed = (message: string) => new ModelError('malformed', message)
