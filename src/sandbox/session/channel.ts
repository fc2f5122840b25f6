/** What a session speaks through: a process here, or a connection to where one is. */
export interface Channel {
  write(bytes: Uint8Array): void
  /** In the order in which they came; set once, before anything can have come. */
  onData(listener: (bytes: Buffer) => void): void
  /** Once, when nothing more will come. `problem`: what the process said when it failed to start, or an empty text. */
  onEnd(listener: (problem: string) => void): void
  /** Ends the process, and all below it. */
  kill(): void
}
