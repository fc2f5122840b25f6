import type { Command, Option } from './command.ts'

const COLUMN = 26

export function helpText(version: string, commands: readonly Command[]): string {
  return `antiphon ${version}: the OpenAI Responses API in front of any model provider

Usage: antiphon [COMMAND] [OPTIONS]

${commandRows(commands)}

${entry('-h, --help', 'Help, also for each command.')}
${entry('-v, --version', 'The version.')}

Exit codes: 0 done; 1 it failed, for example a faulty configuration or a busy port; 2 the command
line is wrong; 3 another server uses the data directory; 70 a fault of antiphon itself; 126 its
runtime could not be started; 130 stopped at once by a second signal.
`
}

/** Of commands that share their first word, as `keys create` and `keys list`. */
export function familyHelp(family: string, commands: readonly Command[]): string {
  const members = commands.filter(({ name }) => name.startsWith(`${family} `))
  return `Usage: antiphon ${family} COMMAND [OPTIONS]\n\n${commandRows(members)}\n\nantiphon ${family} COMMAND --help shows more.\n`
}

export function commandHelp(command: Command): string {
  const { name, doc, options, details } = command
  const rows = Object.entries(options).map(([option, spec]) => entry(optionName(option, spec), spec.doc))
  const usage = ['antiphon', name, ...argumentsOf(command), '[OPTIONS]'].join(' ')
  return `${doc}\n\nUsage: ${usage}\n\n${rows.join('\n')}\n${details === undefined ? '' : `\n${details}\n`}`
}

const commandRows = (commands: readonly Command[]) =>
  commands.map((command) => entry([command.name, ...argumentsOf(command)].join(' '), command.doc)).join('\n')

const argumentsOf = ({ positionals, optionalPositionals = [], repeats }: Command) => [
  ...positionals,
  ...optionalPositionals,
  ...(repeats ? ['...'] : []),
]

const optionName = (name: string, { value, short }: Option) =>
  `${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`

const entry = (name: string, doc: string) => `  ${name.padEnd(COLUMN)} ${doc}`
