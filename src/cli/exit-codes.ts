/** What the process ends with; also in `antiphon --help`. */
export const EXIT = {
  ok: 0,
  /** It was tried and did not succeed: a faulty configuration, a busy port, an unknown id. */
  failed: 1,
  /** The command line is wrong, or asks for what is not allowed. */
  usage: 2,
  /** Another server uses the data directory. */
  dataInUse: 3,
  /** A fault of ours. */
  internal: 70,
  /** Stopped at once, by a second signal. */
  interrupted: 130,
} as const
