/** `shell`, where the client runs the commands. */
import type { ClientToolParam, ShellTool, ShellToolParam } from '../../protocol/client-tools.ts'
import { badRequest } from '../../protocol/errors.ts'
import { numberOf, textsOf } from './arguments.ts'
import { type ClientToolKind, createClientTool } from './client-tool.ts'

const PARAMETERS = {
  type: 'object',
  properties: {
    commands: {
      type: 'array',
      items: { type: 'string' },
      minItems: 1,
      description: 'Shell commands, run one after another in the same environment.',
    },
    timeout_ms: { type: 'integer', description: 'Milliseconds that they may take.' },
    max_output_length: { type: 'integer', description: 'Characters of output that are wanted at most.' },
  },
  required: ['commands'],
  additionalProperties: false,
}

const SHELL: ClientToolKind<ShellToolParam, ShellTool> = {
  owns: (spec: ClientToolParam): spec is ShellToolParam => spec.type === 'shell',
  settle(spec, path) {
    const environment = spec.environment ?? { type: 'local' as const }
    if (environment.type !== 'local') throw noContainers(environment.type, path)
    return { ...spec, environment }
  },
  describe: (spec) =>
    [
      "Runs shell commands on the user's machine, and tells what they printed and how they ended.",
      ...skillsOf(spec),
    ].join('\n'),
  parameters: () => PARAMETERS,
  read: (args, call) => ({
    ...call,
    type: 'shell_call',
    status: 'completed',
    action: {
      commands: textsOf(args.commands),
      timeout_ms: numberOf(args.timeout_ms),
      max_output_length: numberOf(args.max_output_length),
    },
    environment: { type: 'local' },
  }),
}

export const createShellTool = () => createClientTool(SHELL)

function skillsOf({ environment }: ShellTool): readonly string[] {
  if (environment?.type !== 'local' || !environment.skills || environment.skills.length === 0) return []
  const skills = environment.skills.map(({ name, description, path }) => `- ${name} (${path}): ${description}`)
  return ['These skills lie there; read one before you use it:', ...skills]
}

const noContainers = (type: string, path: string) =>
  badRequest(
    `${path}.environment.type`,
    'unsupported_value',
    `Unsupported value: '${path}.environment.type' does not support '${type}'. This server runs no code ` +
      "(tools.code_interpreter.sandbox is 'off'). Use an environment of type 'local' and run them in your client.",
  )
