/**
 * PORT: a place where programs run that models wrote to call tools. One process for each; it stops whenever it waits for
 * calls, and ends with its program.
 *
 * The laws, held by `program-sandbox.contract.ts`:
 * - Nothing of the host is reached from inside: no environment, file, process, socket or network.
 * - A program is a function of its code, its moment and the results it was given, in their order: run again with the same it
 *   makes the same calls.
 * - No limit is passed by more than a second, and nothing goes on when a program has ended.
 * - A sandbox that its own self-test can reach anything from does not open.
 */
export interface ProgramSandbox {
  /** As it is told in logs and errors. */
  readonly name: string
  /** Throws `SandboxUnavailable`, and does so for a while then. */
  ready(): Promise<void>
  /** Throws `SandboxUnavailable`. Waits while too many run. Aborting the signal ends the program. */
  start(program: ProgramSpec, signal: AbortSignal): Promise<ProgramRun>
  close(): Promise<void>
}

export type ProgramSpec = {
  /** JavaScript, with `await` at its top level. */
  readonly code: string
  /** What time it is to the program, which stands still; milliseconds. */
  readonly at: number
  /** Of its random numbers. */
  readonly seed: string
  readonly tools: readonly ProgramTool[]
}

export type ProgramTool = {
  /** As a call names it. */
  readonly name: string
  /** Where it stands below `tools`. */
  readonly path: readonly string[]
  /** What it is called with: an object, or a text. */
  readonly takes: 'object' | 'text'
}

export interface ProgramRun {
  /** Goes on with what the calls of the step before gave, in their order; the first time with nothing. */
  advance(results: readonly ProgramResult[]): Promise<ProgramStep>
  /** Ends it at once. */
  close(): void
}

export type ProgramCall = { readonly name: string; readonly input: string }

/** `value`: JSON. `error`: what the program catches. */
export type ProgramResult = { readonly value: string } | { readonly error: string }

export type ProgramStep =
  | { readonly type: 'calls'; readonly calls: readonly ProgramCall[] }
  | {
      readonly type: 'end'
      readonly output: readonly ProgramOutputPiece[]
      /** Of the output. */
      readonly isCut: boolean
      /** Why it came to no good end, as a model is told; null: it did. */
      readonly problem: string | null
    }

export type ProgramOutputPiece =
  | { readonly type: 'text'; readonly text: string }
  /** A data URL. */
  | { readonly type: 'image'; readonly url: string }

/** Bytes and milliseconds. */
export type ProgramLimits = {
  /** Of computing: while it waits for calls no time passes. */
  readonly wallMs: number
  readonly cpuMs: number
  readonly memoryBytes: number
  readonly outputBytes: number
}

/** Calls of one program. */
export const MAX_PROGRAM_CALLS = 256
