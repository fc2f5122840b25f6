/** One tool call of a reply. It starts when its name is known, and ends when its item does. */
import { ModelError, type ModelEvent } from '../model.ts'
import { asFields, asText, type Fields, parseJson } from '../upstream/fields.ts'
import { createSurrogateJoiner } from '../upstream/surrogates.ts'
import { restOf } from './rest-of.ts'

export interface CallReader {
  input(delta: string, out: ModelEvent[]): void
  /** The whole item: what was not streamed of it comes now. */
  done(item: Fields, out: ModelEvent[]): void
  /** The next item begins: a function call whose arguments are whole ends, though nobody said so. */
  endIfWhole(out: ModelEvent[]): void
  /** Nothing more will come. Throws `ModelError` for a call that never got a name. */
  end(out: ModelEvent[]): void
}

export type CallKind = 'function' | 'custom'

/** `newId` throws for a call that is not taken. */
export function createCallReader(kind: CallKind, item: Fields, newId: (name: string) => string): CallReader {
  const joiner = createSurrogateJoiner()
  let id: string | null = null
  let ended = false
  let input = ''

  const write = (text: string, out: ModelEvent[]) => {
    if (id !== null && text !== '') out.push({ type: 'call-delta', id, delta: text })
  }
  const start = ({ name, call_id }: Fields, out: ModelEvent[]) => {
    const known = asText(name)
    if (id !== null || known === null) return
    id = newId(known)
    out.push({ type: 'call-start', id, kind, name: known, callId: asText(call_id) })
    write(joiner.push(input), out)
  }
  const add = (delta: string, out: ModelEvent[]) => {
    if (ended || delta === '') return
    input += delta
    if (id !== null) write(joiner.push(delta), out)
  }
  const end = (out: ModelEvent[]) => {
    if (ended) return
    if (id === null) throw new ModelError('malformed', 'The model made a tool call without a name.')
    write(joiner.flush(), out)
    // No arguments at all mean an empty object: what clients parse must be JSON.
    if (kind === 'function' && input.trim() === '') write('{}', out)
    ended = true
    out.push({ type: 'call-end', id })
  }

  return {
    input(delta, out) {
      if (id === null) start(item, out)
      add(delta, out)
    },
    done(whole, out) {
      start(item, out)
      start(whole, out)
      add(restOf(input, asText(kind === 'function' ? whole.arguments : whole.input)), out)
      end(out)
    },
    endIfWhole(out) {
      if (id !== null && kind === 'function' && asFields(parseJson(input))) end(out)
    },
    end,
  }
}
