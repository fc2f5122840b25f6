/** What a model wrote as the arguments of a shell call. */
import type { ShellCall } from '../../protocol/client-items.ts'

/** Of one call; each has processes of its own. */
export const MAX_COMMANDS = 16
/** Of one command: the kernel takes no more as one argument. */
const MAX_COMMAND_BYTES = 100_000

type Read =
  | { readonly ok: true; readonly action: ShellCall['action'] }
  | { readonly ok: false; readonly problem: string }

/** Models write null for what they leave out. */
export function readAction(input: string): Read {
  const args = parse(input)
  if (args === null) return broken('they are not a JSON object')
  const { commands, timeout_ms, max_output_length } = args
  if (!areTexts(commands) || commands.length === 0) return broken('they need "commands", a list of texts')
  if (commands.length > MAX_COMMANDS) return broken(`they hold more than ${MAX_COMMANDS} commands`)
  for (const command of commands) {
    if (command.includes('\0') || !command.isWellFormed()) return broken('a command holds characters that are none')
    if (Buffer.byteLength(command) > MAX_COMMAND_BYTES)
      return broken(`a command is longer than ${MAX_COMMAND_BYTES} bytes; write a long text into a file piece by piece`)
  }
  const limits = { timeout_ms: readCount(timeout_ms), max_output_length: readCount(max_output_length) }
  for (const [name, value] of Object.entries(limits))
    if (value !== null && Number.isNaN(value)) return broken(`"${name}" is not a whole number above zero`)
  return { ok: true, action: { commands: [...commands], ...limits } }
}

const broken = (problem: string): Read => ({ ok: false, problem })

const areTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((text) => typeof text === 'string')

/** NaN for what is no count. */
function readCount(value: unknown): number | null {
  if (value === null || value === undefined) return null
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : Number.NaN
}

function parse(input: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(input)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null
  } catch {
    return null
  }
}
