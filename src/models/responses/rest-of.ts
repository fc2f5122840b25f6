/** What of a whole text has not been streamed. Where the two do not agree, what was streamed stands. */
export const restOf = (streamed: string, whole: string | null): string =>
  whole !== null && whole.length > streamed.length && whole.startsWith(streamed) ? whole.slice(streamed.length) : ''
