/**
 * What commands that run side by side say, as events and as results.
 *
 * Invariant: what a command said piece by piece is its result. Its end is told when those of all before it were, so the
 * results of an item are in the order of its commands.
 */
import type { CommandResult, ShellProgress } from '../../protocol/shell-output.ts'
import type { CommandOutput, ShellResult } from '../containers.ts'

export interface CommandsLog {
  add(piece: CommandOutput): void
  /** Resolves when there is something to take. */
  hasMore(): Promise<void>
  take(): readonly ShellProgress[]
  /** All of them have ended, or were ended. What is left to tell. */
  ended(result: ShellResult): readonly ShellProgress[]
  /** They could not be run. */
  failed(why: string): readonly ShellProgress[]
  results(): readonly CommandResult[]
}

type Command = { stdout: string; stderr: string; room: number; outcome: CommandResult['outcome'] | null }

/** As a shell tells of what cannot be run, and of what a signal ended. */
const CANNOT_RUN = 126
const OF_SIGNAL = 128
const SIGKILL = 9

/** `maxChars`: of what one command says, both streams together; null: all of it. */
export function createCommandsLog(count: number, maxChars: number | null): CommandsLog {
  const room = maxChars ?? Number.POSITIVE_INFINITY
  const commands = Array.from({ length: count }, (): Command => ({ stdout: '', stderr: '', room, outcome: null }))
  let events: ShellProgress[] = []
  let told = 0
  let wake = Promise.withResolvers<void>()
  const push = (event: ShellProgress) => {
    events.push(event)
    wake.resolve()
  }
  const say = (index: number, stream: 'stdout' | 'stderr', text: string) => {
    const command = commands[index]
    if (!command || command.outcome !== null) return
    const kept = firstChars(text, command.room)
    if (kept === '') return
    command.room -= [...kept].length
    command[stream] += kept
    push({ type: 'response.shell_call_output_content.delta', command_index: index, delta: { [stream]: kept } })
  }
  const end = (index: number, outcome: CommandResult['outcome']) => {
    const command = commands[index]
    if (!command || command.outcome !== null) return
    command.outcome = outcome
    for (let next = commands[told]; next?.outcome; next = commands[told]) {
      const { stdout, stderr, outcome: how } = next
      const output = [{ stdout, stderr, outcome: how }]
      push({ type: 'response.shell_call_output_content.done', command_index: told, output })
      told += 1
    }
  }
  const take = () => {
    const taken = events
    events = []
    wake = Promise.withResolvers()
    return taken
  }
  return {
    add(piece) {
      if (piece.type === 'exit') end(piece.command, exit(piece.code))
      else say(piece.command, piece.type, piece.text)
    },
    hasMore: () => (events.length > 0 ? Promise.resolve() : wake.promise),
    take,
    ended({ status, exits }) {
      exits.forEach((code, index) => {
        end(index, code !== null ? exit(code) : status === 'timeout' ? { type: 'timeout' } : exit(-SIGKILL))
      })
      return take()
    },
    failed(why) {
      commands.forEach((command, index) => {
        if (command.outcome === null) say(index, 'stderr', why)
        end(index, { type: 'exit', exit_code: CANNOT_RUN })
      })
      return take()
    },
    results: () =>
      commands.flatMap(({ stdout, stderr, outcome }) => (outcome === null ? [] : [{ stdout, stderr, outcome }])),
  }
}

const exit = (code: number) => ({ type: 'exit' as const, exit_code: code < 0 ? OF_SIGNAL - code : code })

/** No character is cut in two. */
function firstChars(text: string, count: number): string {
  if (text.length <= count) return text
  let kept = ''
  let left = count
  for (const char of text) {
    if (left-- <= 0) break
    kept += char
  }
  return kept
}
