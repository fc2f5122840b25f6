/** What a command is made of; `parse-command-line.ts` and `help.ts` read this and nothing else. */
import type { SettingPath } from '../config/table.ts'
import type { Host } from './host.ts'

export type Option = {
  readonly doc: string
  /** What stands for the value in the help; absent for a switch. */
  readonly value?: string
  readonly short?: string
  /** The setting it gives; a switch gives `gives`. */
  readonly setting?: SettingPath
  readonly gives?: string
}

export type CommandInput = {
  readonly positionals: readonly string[]
  readonly values: ReadonlyMap<string, string>
  readonly switches: ReadonlySet<string>
}

export type Command = {
  /** One or two words, as `keys create`. */
  readonly name: string
  readonly doc: string
  /** Names of the arguments, all required. */
  readonly positionals: readonly string[]
  /** Arguments after those that may be left out, as `[NAME]`. */
  readonly optionalPositionals?: readonly string[]
  /** The last argument may be given several times. */
  readonly repeats?: true
  readonly options: Readonly<Record<string, Option>>
  readonly details?: string
  /** Answers the exit code. May throw `CommandError`. */
  run(input: CommandInput, host: Host): Promise<number>
}

/** For every command that reads the configuration. */
export const CONFIG_OPTIONS = {
  config: { value: 'FILE', short: 'c', doc: 'Configuration file.' },
  'data-dir': { value: 'DIR', doc: 'Data directory.', setting: 'storage.data_dir' },
} as const satisfies Record<string, Option>

export const JSON_OPTION = { json: { doc: 'Print JSON.' } } as const satisfies Record<string, Option>
