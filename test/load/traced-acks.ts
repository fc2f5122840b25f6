/**
 * Reads what `strace -f -y` wrote of a server, and finds acknowledgements that were told too early: bytes of a response
 * that is said to be completed, handed to a socket before the write-ahead log that holds it was synced.
 *
 * Invariant: the lines of strace are in the order of the events; a call of one thread that another one interrupts has a
 * line where it begins and one where it returns. A sync counts when it has returned, a socket write when it begins.
 */

export type Acks = {
  /** Responses told as completed on a socket. */
  readonly told: number
  readonly syncs: number
  /** Ids that were told before a sync that followed their last write to the log. */
  readonly early: readonly string[]
}

type Call = { readonly name: string; readonly on: string; readonly bytes: string }
type Line = { readonly thread: string; readonly text: string }

const WRITES: ReadonlySet<string> = new Set(['write', 'writev', 'pwrite64', 'pwritev', 'sendto', 'sendmsg'])
const SYNCS: ReadonlySet<string> = new Set(['fsync', 'fdatasync'])

export function readAcks(trace: string): Acks {
  /** Completed responses in the log; false until a sync that began after the write has returned. */
  const logged = new Map<string, { synced: boolean; writtenAt: number }>()
  const begun = new Map<string, { call: Call; at: number }>()
  const told = new Set<string>()
  const early = new Set<string>()
  let syncs = 0
  const returned = ({ name, on, bytes }: Call, beganAt: number, now: number) => {
    if (!on.endsWith('-wal')) return
    if (WRITES.has(name)) {
      // A page that is written again, for the sake of another row, takes nothing back.
      const news = completedRowsIn(bytes).filter((id) => logged.get(id)?.synced !== true)
      for (const id of news) logged.set(id, { synced: false, writtenAt: now })
    }
    if (!SYNCS.has(name)) return
    syncs += 1
    for (const entry of logged.values()) if (entry.writtenAt < beganAt) entry.synced = true
  }
  for (const [now, { thread, text }] of trace.split('\n').map(toLine).entries()) {
    const resumed = begun.get(thread)
    if (text.startsWith('<... ') && resumed) {
      begun.delete(thread)
      returned(resumed.call, resumed.at, now)
      continue
    }
    const call = toCall(text)
    if (call === null) continue
    if (WRITES.has(call.name) && isSocket(call.on)) {
      for (const id of completedIn(call.bytes)) {
        told.add(id)
        if (logged.get(id)?.synced !== true) early.add(id)
      }
    }
    if (text.includes('<unfinished ...>')) begun.set(thread, { call, at: now })
    else returned(call, now, now)
  }
  return { told: told.size, syncs, early: [...early] }
}

const isSocket = (on: string) => /^(socket|TCP)/.test(on)

/** `-f -o` puts the thread's id before each line. */
function toLine(line: string): Line {
  const [, thread = '', text = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? []
  return { thread, text }
}

/** `name(3<what it is>, "bytes"...`; the strings of all buffers together. */
function toCall(text: string): Call | null {
  const match = /^(\w+)\(\d+<((?:[^>]|->)*)>/.exec(text)
  if (match === null) return null
  const [, name = '', on = ''] = match
  const strings = [...text.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, inside]) => toBytes(inside ?? ''))
  return { name, on, bytes: strings.join('') }
}

const NAMED: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', v: '\v', f: '\f' }

/** C's escapes, as Latin-1: a character is a byte. */
const toBytes = (text: string) =>
  text.replace(/\\([0-7]{1,3}|.)/g, (_, code: string) =>
    /^[0-7]/.test(code) ? String.fromCharCode(Number.parseInt(code, 8)) : (NAMED[code] ?? code),
  )

/** A row's columns stand side by side in a page: id, seconds, status. */
const completedRowsIn = (page: string): string[] =>
  [...page.matchAll(/(resp_[0-9a-f]{48})[\s\S]{1,8}?completed/g)].map(([, id]) => id ?? '')

/** In a JSON body or a terminal event, where the id stands first and the status soon after. */
function completedIn(bytes: string): string[] {
  const bodies = [...bytes.matchAll(/"response":(\{[^\n]*"status":"completed"[^\n]*)/g)].map(([, body]) => body ?? '')
  const json = /\r\n\r\n(\{"id":"resp_[\s\S]*)$/.exec(bytes)?.[1]
  const all = json?.includes('"status":"completed"') ? [...bodies, json] : bodies
  return all.map((body) => /"id":"(resp_\w+)"/.exec(body)?.[1] ?? '')
}
