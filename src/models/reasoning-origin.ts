/**
 * PORT: whose reasoning state a turn carries. A provider understands its own state alone, and which provider a turn goes
 * to is decided after the turn was put together. So between the engine and the models a state is marked with its origin;
 * each deployment is shown its own states, without the mark (see own-reasoning.ts).
 */

export type OriginatedState = {
  /** Null: unmarked, for whoever is asked. */
  readonly provider: string | null
  readonly state: string
}

const MARK = 'origin:'

/** `provider` holds no line break. */
export const markState = (provider: string, state: string): string => `${MARK}${provider}\n${state}`

export function readState(marked: string): OriginatedState {
  const end = marked.startsWith(MARK) ? marked.indexOf('\n') : -1
  if (end === -1) return { provider: null, state: marked }
  return { provider: marked.slice(MARK.length, end), state: marked.slice(end + 1) }
}
