/** What is refused from the request line and headers alone, before any route is looked at. */
import type { IncomingMessage } from 'node:http'
import { ApiError, badRequest } from '../protocol/errors.ts'
import type { HttpLimits } from './limits.ts'

export type GuardSettings = {
  /** Names this server answers to; null: any name. */
  readonly hosts: ReadonlySet<string> | null
  /** Pages that may call from a browser, as `https://host:port`. */
  readonly origins: ReadonlySet<string>
  readonly limits: Pick<HttpLimits, 'urlBytes' | 'headerCount'>
}

export const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'] as const

/** Null when the request may pass. `url`: as it came, before it was rewritten. */
export function guard(raw: IncomingMessage, url: string, settings: GuardSettings): ApiError | null {
  if (url.length > settings.limits.urlBytes) return uriTooLong(settings.limits.urlBytes)
  if (raw.rawHeaders.length > settings.limits.headerCount * 2) return tooManyHeaders(settings.limits.headerCount)
  if (!url.startsWith('/'))
    return badRequest(null, null, 'Send the path alone in the request line, as in GET /v1/models.')
  return checkSingle(raw) ?? checkHost(raw, settings.hosts) ?? checkOrigin(raw, settings.origins)
}

/** Node keeps the first of two such headers; a proxy in front may have looked at the other one. */
function checkSingle(raw: IncomingMessage): ApiError | null {
  let hosts = 0
  let credentials = 0
  for (let i = 0; i < raw.rawHeaders.length; i += 2) {
    const name = raw.rawHeaders[i] ?? ''
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++
    else if (name.length === 13 && name.toLowerCase() === 'authorization') credentials++
  }
  if (credentials > 1) return badRequest(null, null, 'Send one Authorization header, not several.')
  if (hosts > 1) return badRequest(null, null, 'Send one Host header, not several.')
  if (hosts === 0 && raw.httpVersion !== '1.0') return badRequest(null, null, 'The Host header is missing.')
  return null
}

const HOST_PATTERN = /^(\[[0-9a-fA-F:.]{2,45}\]|[^:[\]]{1,255})(?::\d{1,5})?$/

/** Against DNS rebinding: a web page whose name was pointed at this machine still sends its own name. */
function checkHost(raw: IncomingMessage, hosts: ReadonlySet<string> | null): ApiError | null {
  if (hosts === null) return null
  const name = HOST_PATTERN.exec(raw.headers.host ?? '')?.[1]?.toLowerCase()
  if (name !== undefined && hosts.has(name)) return null
  return new ApiError({
    status: 421,
    code: 'host_not_allowed',
    message:
      'This server does not answer to the name in the Host header. The operator can add it to the allowed hosts.',
  })
}

function checkOrigin(raw: IncomingMessage, origins: ReadonlySet<string>): ApiError | null {
  const { origin } = raw.headers
  if (origin === undefined || origins.has(origin)) return null
  return new ApiError({
    status: 403,
    code: 'origin_not_allowed',
    message: 'Requests from web pages of this origin are not allowed. The operator can add it to the allowed origins.',
  })
}

const uriTooLong = (max: number) =>
  new ApiError({ status: 414, message: `The URL is too long: at most ${max} characters are taken.` })

const tooManyHeaders = (max: number) =>
  new ApiError({ status: 431, message: `The request has too many headers: at most ${max} are taken.` })
