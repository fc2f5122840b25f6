/** Where a known provider is, when the environment moves it. */
import type { KnownProvider } from './known-providers.ts'
import { isLoopback } from './loopback.ts'

type Env = Readonly<Record<string, string | undefined>>

const HAS_SCHEME = /^https?:\/\//i
const HAS_PORT = /:\d+(\/|$)/

/**
 * The address, moved by a variable where there is one that makes sense. Engines' own variables hold what they listen
 * on, for example `0.0.0.0:11434`, `:8081` or a bare host, so host, scheme, port and path may be missing.
 */
export function baseUrlOf(known: KnownProvider, env: Env): string {
  const written = movedTo(known, env)
  if (written === null) return known.baseUrl
  const usual = new URL(known.baseUrl)
  const rest = written.replace(HAS_SCHEME, '')
  const scheme = HAS_SCHEME.exec(written)?.[0] ?? 'http://'
  const url = URL.parse(`${scheme}${rest.startsWith(':') ? `127.0.0.1${rest}` : rest}`)
  if (url === null || url.username !== '' || url.password !== '') return known.baseUrl
  if (url.hostname === '0.0.0.0' || url.hostname === '[::]') url.hostname = '127.0.0.1'
  if (!HAS_SCHEME.test(written) && !HAS_PORT.test(rest)) url.port = usual.port
  const path = url.pathname === '/' ? usual.pathname : url.pathname
  return `${url.origin}${path}`.replace(/\/+$/, '')
}

/**
 * Whether the variable points back at this server: a shell that is set up for its clients has the server's own address
 * and key in the variables of the provider. Neither is the provider's.
 */
export function leadsToSelf(known: KnownProvider, env: Env, own: { host: string; port: number }): boolean {
  if (movedTo(known, env) === null) return false
  const url = new URL(baseUrlOf(known, env))
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
  return port === own.port && (url.hostname === own.host || isLoopback(url.hostname))
}

function movedTo({ envBaseUrls }: KnownProvider, env: Env): string | null {
  const variable = envBaseUrls.find((name) => env[name]?.trim())
  return variable === undefined ? null : (env[variable]?.trim() ?? null)
}
