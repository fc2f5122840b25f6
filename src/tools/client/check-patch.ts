/**
 * The syntax of the diffs of `apply_patch` (V4A): the lines of one file, without the headers of a whole patch. Whether
 * they fit the file only the client can tell.
 */
import type { PatchOperation } from '../../protocol/client-items.ts'

const END_OF_FILE = '*** End of File'

/** What is wrong with it, in words for the model; null: nothing. */
export function checkPatch(operation: PatchOperation): string | null {
  switch (operation.type) {
    case 'delete_file':
      return null
    case 'create_file':
      return firstProblem(linesOf(operation.diff), createProblem)
    case 'update_file': {
      const lines = linesOf(operation.diff)
      const problem = firstProblem(lines, updateProblem)
      return problem ?? (lines.some((line) => /^[+-]/.test(line)) ? null : 'the diff changes no line')
    }
    default:
      return operation satisfies never
  }
}

/** The end of the last line begins no other. */
function linesOf(diff: string): readonly string[] {
  const lines = diff.split(/\r?\n/)
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines
}

type LineProblem = (line: string, next: string | undefined) => string | null

function firstProblem(lines: readonly string[], problemOf: LineProblem): string | null {
  for (const [index, line] of lines.entries()) {
    const problem = problemOf(line, lines[index + 1])
    if (problem !== null) return `line ${index + 1} of the diff ${problem}`
  }
  return null
}

const createProblem: LineProblem = (line) =>
  line.startsWith('+') ? null : "does not begin with '+', as every line of a new file must"

const updateProblem: LineProblem = (line, next) => {
  if (line === END_OF_FILE)
    return next === undefined || next.startsWith('@@') ? null : 'ends the file, but others follow'
  if (line.startsWith('***')) return 'is a header of a patch; the diff holds the lines of one file alone'
  if (line.startsWith('@@')) return line === '@@' || line.startsWith('@@ ') ? null : "lacks the space after '@@'"
  return line === '' || /^[ +-]/.test(line) ? null : "begins with none of ' ', '+', '-' and '@@'"
}
