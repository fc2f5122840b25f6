/** The process as commands see it, so that they can run in a test. */
import type { ProviderCatalog } from '../config/known-providers.ts'
import type { AppModule } from './app-interface.ts'

export interface Output {
  write(text: string): void
  readonly isTerminal: boolean
}

export type Host = {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly home: string
  readonly version: string
  readonly stdout: Output
  readonly stderr: Output
  readonly providers: ProviderCatalog
  /** Milliseconds since the epoch. */
  now(): number
  loadApp(): Promise<AppModule>
  /** Resolves when the process is asked to stop. Called once, by `serve`. */
  waitForStop(): Promise<void>
  /** Ends the process after `ms`, unless it ended before. */
  limitShutdown(ms: number): void
}

export const line = (output: Output, text = '') => output.write(`${text}\n`)

/** `NO_COLOR` set to anything but nothing switches colours off, as no-color.org has it. */
export const wantsColour = (output: Output, env: Host['env']) =>
  output.isTerminal && !env.NO_COLOR && env.TERM !== 'dumb'
