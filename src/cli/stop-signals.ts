/** When the process shall stop. */
import { EXIT } from './exit-codes.ts'

/**
 * A terminal sends Ctrl-C to the launcher and to the server, and the launcher passes its own on: signals that come
 * this close together are one.
 */
const SAME_SIGNAL_MS = 300

export type StopOptions = {
  /** The process's own terminal: its hang-up means that the user has left. */
  readonly hasTerminal: boolean
  readonly say: (text: string) => void
  readonly now?: () => number
}

/** Resolves at the first request to stop; a second one ends the process at once. */
export function waitForStop(process: NodeJS.Process, options: StopOptions): Promise<void> {
  const { now = () => performance.now() } = options
  return new Promise((resolve) => {
    let since: number | null = null
    const stop = (why: string) => {
      if (since === null) {
        since = now()
        options.say(`${why}: running responses may end; once more stops at once`)
        resolve()
      } else if (now() - since > SAME_SIGNAL_MS) {
        options.say('stopped at once')
        process.exit(EXIT.interrupted)
      }
    }
    process.on('SIGTERM', () => stop('SIGTERM'))
    process.on('SIGINT', () => stop('SIGINT'))
    process.on('SIGHUP', () => {
      if (options.hasTerminal) stop('SIGHUP')
      else options.say('SIGHUP: this version cannot reload its configuration; restart it instead')
    })
    // The launcher's channel closes when the launcher is killed: nobody would stop this process any more.
    process.once('disconnect', () => stop('the launcher has gone'))
    process.channel?.unref()
  })
}
