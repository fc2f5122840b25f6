/** Reasoning of one provider means nothing to another: what is lost then is said. */

/** `origins`: the providers whose reasoning a turn carries. */
export const strangersTo = (provider: string, origins: ReadonlySet<string>): readonly string[] =>
  [...origins].filter((origin) => origin !== provider)

export const lostReasoning = (origin: string, provider: string): string =>
  `reasoning of the provider '${origin}' goes to '${provider}' as readable text at most.`
