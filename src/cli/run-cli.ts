/** From the arguments to an exit code. Never throws; what is unforeseen is told as a fault of ours. */
import { CommandError } from './app-interface.ts'
import { backup, migrate, restore } from './backup.ts'
import { check } from './check.ts'
import type { Command } from './command.ts'
import { EXIT } from './exit-codes.ts'
import { filesDelete, filesList, filesUpload } from './files.ts'
import { commandHelp, familyHelp, helpText } from './help.ts'
import { type Host, line } from './host.ts'
import { keysCreate, keysList, keysRevoke, keysRotateSealing } from './keys.ts'
import { models } from './models.ts'
import { modelsTest } from './models-test.ts'
import { parseCommandLine } from './parse-command-line.ts'
import { prune } from './prune.ts'
import { pull } from './pull.ts'
import { sandboxServe } from './sandbox-serve.ts'
import { serve } from './serve.ts'
import { usage } from './usage.ts'
import { vectorStoresAdd } from './vector-stores.ts'

/** The first one runs when none is named. */
const COMMANDS: readonly Command[] = [
  serve,
  check,
  keysCreate,
  keysList,
  keysRevoke,
  keysRotateSealing,
  prune,
  models,
  modelsTest,
  pull,
  filesUpload,
  filesList,
  filesDelete,
  vectorStoresAdd,
  usage,
  backup,
  restore,
  migrate,
  sandboxServe,
]

export async function runCli(args: readonly string[], host: Host): Promise<number> {
  try {
    return await dispatch(args, host)
  } catch (error) {
    const exitCode = exitCodeOf(error)
    if (error instanceof Error && exitCode !== null) {
      line(host.stderr, `antiphon: ${error.message}`)
      return exitCode
    }
    line(host.stderr, `antiphon: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    return EXIT.internal
  }
}

/**
 * Errors whose message is meant for the operator and says what to do, by name: their classes belong to adapters, which
 * a command may not import.
 */
const OPERATOR_ERRORS: Readonly<Record<string, number>> = {
  DataDirLocked: EXIT.dataInUse,
  DataDirUnusable: EXIT.failed,
  PullFailed: EXIT.failed,
  SandboxUnavailable: EXIT.failed,
  SchemaTooNew: EXIT.failed,
  StorageBusy: EXIT.failed,
  StorageFull: EXIT.failed,
  StorageUnavailable: EXIT.failed,
  StorageUnusable: EXIT.failed,
}

/** Null for what is a fault of ours, and is shown with its stack. */
function exitCodeOf(error: unknown): number | null {
  if (error instanceof CommandError) return error.exitCode
  // Those of the store have `ApiError` as their name, because requests meet them too, and are known by their class.
  const names = error instanceof Error ? [error.name, error.constructor.name] : []
  const known = names.find((name) => Object.hasOwn(OPERATOR_ERRORS, name))
  return known === undefined ? null : (OPERATOR_ERRORS[known] ?? null)
}

/** A first word that is no command by itself, as `keys`. */
const isFamily = (word: string) =>
  COMMANDS.some(({ name }) => name.startsWith(`${word} `)) && !COMMANDS.some(({ name }) => name === word)

async function dispatch(args: readonly string[], host: Host): Promise<number> {
  const [first, second] = args
  if (first === '--version' || first === '-v' || first === 'version') {
    line(host.stdout, host.version)
    return EXIT.ok
  }
  if (first === '--help' || first === '-h' || first === 'help') {
    host.stdout.write(helpText(host.version, COMMANDS))
    return EXIT.ok
  }
  if (first !== undefined && isFamily(first) && (second === '--help' || second === '-h')) {
    host.stdout.write(familyHelp(first, COMMANDS))
    return EXIT.ok
  }
  const { command, input, help } = parseCommandLine(args, COMMANDS)
  if (!help) return command.run(input, host)
  host.stdout.write(commandHelp(command))
  return EXIT.ok
}
