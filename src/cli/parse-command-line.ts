import { parseArgs } from 'node:util'
import { didYouMean } from '../config/suggest.ts'
import { CommandError } from './app-interface.ts'
import type { Command, CommandInput } from './command.ts'
import { EXIT } from './exit-codes.ts'

export type Parsed = { readonly command: Command; readonly input: CommandInput; readonly help: boolean }

const usageError = (message: string) => new CommandError(message, { exitCode: EXIT.usage })

/**
 * Finds the command and its options. Without a command word it is the first command of `commands`.
 * Throws `CommandError` with a suggestion for whatever is not known.
 */
export function parseCommandLine(args: readonly string[], commands: readonly Command[]): Parsed {
  const { command, rest } = findCommand(args, commands)
  const options = { ...command.options, help: { doc: '', short: 'h' } }
  const { tokens } = parseArgs({
    args: [...rest],
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: Object.fromEntries(
      Object.entries(options).map(([name, { short, ...option }]) => [
        name,
        { type: 'value' in option ? 'string' : 'boolean', ...(short === undefined ? {} : { short }) } as const,
      ]),
    ),
  })
  const values = new Map<string, string>()
  const switches = new Set<string>()
  const positionals: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value)
    if (token.kind !== 'option') continue
    const option = checkOption(token, options, command)
    if (option.value === undefined) switches.add(token.name)
    else values.set(token.name, token.value ?? '')
  }
  const help = switches.has('help')
  if (!help) checkPositionals(positionals, command, commands)
  return { command, input: { positionals, values, switches }, help }
}

function findCommand(args: readonly string[], commands: readonly Command[]) {
  const [first, second] = args
  const two = commands.find(({ name }) => name === `${first} ${second}`)
  if (two !== undefined) return { command: two, rest: args.slice(2) }
  const one = commands.find(({ name }) => name === first)
  if (one !== undefined) return { command: one, rest: args.slice(1) }
  const [fallback] = commands
  if (fallback === undefined) throw new RangeError('there are no commands')
  if (first === undefined || first.startsWith('-')) return { command: fallback, rest: args }
  const family = commands.filter(({ name }) => name.startsWith(`${first} `)).map(({ name }) => name)
  if (family.length > 0) {
    const given =
      second === undefined || second.startsWith('-') ? 'say which command' : `unknown command "${first} ${second}"`
    throw usageError(`${given}: ${family.join(', ')}`)
  }
  throw usageError(`unknown command "${first}"${didYouMean(first, namesOf(commands))}; see antiphon --help`)
}

const namesOf = (commands: readonly Command[]) => commands.map(({ name }) => name)

type OptionToken = {
  readonly name: string
  readonly rawName: string
  readonly value?: string | undefined
  readonly inlineValue?: boolean | undefined
}

function checkOption(token: OptionToken, options: Command['options'], command: Command) {
  const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined
  if (option === undefined) {
    const hint = didYouMean(token.name, Object.keys(options)).replace(/"(.*)"/, '"--$1"')
    throw usageError(`unknown option ${token.rawName}${hint}; see antiphon ${command.name} --help`)
  }
  if (option.value === undefined && token.inlineValue === true) throw usageError(`${token.rawName} takes no value`)
  const missing = token.value === undefined || token.value === '' || (!token.inlineValue && token.value.startsWith('-'))
  if (option.value !== undefined && missing) throw usageError(`${token.rawName} needs a value: ${option.value}`)
  return option
}

function checkPositionals(given: readonly string[], command: Command, commands: readonly Command[]): void {
  const extra = given[command.positionals.length + (command.optionalPositionals?.length ?? 0)]
  if (extra !== undefined && !command.repeats) {
    throw usageError(`unexpected argument "${extra}"${didYouMean(extra, namesOf(commands))}; see antiphon --help`)
  }
  const missing = command.positionals[given.length]
  if (missing !== undefined) throw usageError(`antiphon ${command.name} needs ${missing}`)
}
