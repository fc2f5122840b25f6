/** Where a provider is and what lets us in: the same for every adapter that speaks HTTP. */
export type Connection = {
  /** The name of the connection, for errors and the ledger. */
  readonly provider: string
  /** Up to and including the version segment, as `https://api.openai.com/v1`. Without user name and password. */
  readonly baseUrl: string
  /** Null: nothing is sent. */
  readonly apiKey: string | null
  /** The operator's own headers. */
  readonly headers?: Readonly<Record<string, string>>
}

/** Throws `TypeError` for a base URL that no request could be sent to. `path` begins with a slash. */
export function endpoint(baseUrl: string, path: string): URL {
  const url = new URL(baseUrl)
  if (url.username || url.password) throw new TypeError('A base URL must not hold a user name or password: use apiKey.')
  url.pathname = `${url.pathname.replace(/\/+$/, '')}${path}`
  return url
}

/**
 * The headers of every call: `own` of the adapter stand above the operator's. Throws `TypeError` for a header no
 * request could be sent with.
 */
export function fixedHeaders({ headers = {} }: Connection, own: Readonly<Record<string, string>>) {
  const all: Record<string, string> = {
    'user-agent': 'antiphon',
    ...lowerCased(headers),
    'content-type': 'application/json',
    accept: 'text/event-stream',
    ...own,
  }
  for (const [name, value] of Object.entries(all)) {
    if (!/^[!#$%&'*+.^_`|~\w-]+$/.test(name) || !/^[\t\x20-\x7e]*$/.test(value)) {
      throw new TypeError(`The header '${name}' holds characters that headers cannot hold.`)
    }
  }
  return all
}

const lowerCased = (headers: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

export const secretsOf = ({ apiKey, headers = {} }: Connection): readonly string[] => [
  ...(apiKey === null ? [] : [apiKey.trim()]),
  ...Object.values(headers),
]
