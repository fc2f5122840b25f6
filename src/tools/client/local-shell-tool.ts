/** `local_shell`: one command as a list of words, run by the client. */
import type { ClientToolParam } from '../../protocol/client-tools.ts'
import { numberOf, textOf, textsOf } from './arguments.ts'
import { type ClientToolKind, createClientTool, isRecord } from './client-tool.ts'

type LocalShell = Extract<ClientToolParam, { type: 'local_shell' }>

const PARAMETERS = {
  type: 'object',
  properties: {
    command: {
      type: 'array',
      items: { type: 'string' },
      minItems: 1,
      description: 'The program and its arguments, as ["ls", "-l"]; for a line of shell ["bash", "-lc", "..."].',
    },
    env: { type: 'object', additionalProperties: { type: 'string' }, description: 'Environment variables to add.' },
    timeout_ms: { type: 'integer', description: 'Milliseconds that it may take.' },
    working_directory: { type: 'string', description: 'Where it runs.' },
    user: { type: 'string', description: 'Who it runs as.' },
  },
  required: ['command'],
  additionalProperties: false,
}

const LOCAL_SHELL: ClientToolKind<LocalShell, LocalShell> = {
  owns: (spec: ClientToolParam): spec is LocalShell => spec.type === 'local_shell',
  settle: (spec) => spec,
  describe: () => "Runs one command on the user's machine, and tells what it printed.",
  parameters: () => PARAMETERS,
  read(args, call) {
    const timeout_ms = numberOf(args.timeout_ms)
    const working_directory = textOf(args.working_directory)
    const user = textOf(args.user)
    return {
      ...call,
      type: 'local_shell_call',
      status: 'completed',
      action: {
        type: 'exec',
        command: textsOf(args.command),
        env: envOf(args.env),
        ...(timeout_ms === null ? {} : { timeout_ms }),
        ...(working_directory === null ? {} : { working_directory }),
        ...(user === null ? {} : { user }),
      },
    }
  },
}

export const createLocalShellTool = () => createClientTool(LOCAL_SHELL)

const envOf = (value: unknown): Record<string, string> =>
  isRecord(value)
    ? Object.fromEntries(
        Object.entries(value).flatMap(([name, text]) => (typeof text === 'string' ? [[name, text]] : [])),
      )
    : {}
