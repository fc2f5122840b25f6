/**
 * Ids of tool calls as this API takes them: letters, digits, `_` and `-`, each only once in a request. Ids that other
 * providers made, or that count from 0 in every turn, are rewritten; the same items always get the same ids.
 */
export interface CallIds {
  /** For the next call, which went by `callId`. */
  claim(callId: string): string
}

export function createCallIds(): CallIds {
  const taken = new Set<string>()
  return {
    claim(callId) {
      const clean = callId.replace(/[^\w-]/g, '_')
      let id = clean
      for (let count = 2; taken.has(id); count++) id = `${clean}_${count}`
      taken.add(id)
      return id
    },
  }
}
