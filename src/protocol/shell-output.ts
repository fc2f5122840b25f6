/** The output of shell commands: what its events do to its item, and how a model is told of it. */
import type { ShellCallOutput } from './client-items.ts'

export type CommandResult = ShellCallOutput['output'][number]

/** What happens while commands run, without what the composer alone may say. */
export type ShellProgress =
  | {
      readonly type: 'response.shell_call_output_content.delta'
      readonly command_index: number
      readonly delta: { stdout?: string; stderr?: string }
    }
  | {
      readonly type: 'response.shell_call_output_content.done'
      readonly command_index: number
      readonly output: CommandResult[]
    }

/**
 * The item after one of its events. Commands run side by side, so what they say comes mixed; an item holds what has
 * ended, in the order of the commands.
 *
 * @throws TypeError for an event that may not follow
 */
export function applyShellProgress(item: ShellCallOutput, event: ShellProgress): ShellCallOutput {
  const { command_index } = event
  if (event.type === 'response.shell_call_output_content.delta') {
    if (command_index < item.output.length) throw new TypeError(`${event.type} comes after the end of its command`)
    return item
  }
  if (command_index !== item.output.length) throw new TypeError(`${event.type}: command_index appends`)
  return { ...item, output: [...item.output, ...event.output] }
}

export const tellCommands = (output: readonly CommandResult[]): string =>
  output.map(tellCommand).join('\n\n') || 'The commands gave nothing.'

function tellCommand({ stdout, stderr, outcome }: CommandResult): string {
  const end = outcome.type === 'exit' ? `Exit code: ${outcome.exit_code}` : 'It was stopped: it took too long.'
  return [end, stdout && `stdout:\n${stdout}`, stderr && `stderr:\n${stderr}`].filter(Boolean).join('\n')
}
