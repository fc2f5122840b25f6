/**
 * The body of a request: content type, encoding, size, shape. Called only after the caller is known, so nobody without
 * a key can make the server read or unpack anything.
 */
import type { IncomingMessage } from 'node:http'
import { DecodeBodyError, decodeBody } from '../lib/decode-body.ts'
import { JsonError, parseJson } from '../lib/json-limits.ts'
import { ApiError, badRequest } from '../protocol/errors.ts'
import type { HttpLimits } from './limits.ts'

type BodyLimits = Pick<HttpLimits, 'bodyBytes' | 'jsonDepth' | 'jsonNodes'>
export type JsonObject = Readonly<Record<string, unknown>>

/** Throws `ApiError` 400, 413 or 415. */
export async function readJsonBody(raw: IncomingMessage, limits: BodyLimits): Promise<JsonObject> {
  checkContentType(raw)
  const sent = await readBytes(raw, limits.bodyBytes)
  const decoded = await decode(sent, raw.headers['content-encoding'], limits.bodyBytes)
  return toObject(parse(decoded, limits))
}

/** A whole text that came by another way, by the same rules. Throws `ApiError` 400. */
export const parseJsonObject = (bytes: Buffer, limits: Pick<HttpLimits, 'jsonDepth' | 'jsonNodes'>): JsonObject =>
  toObject(parse(bytes, limits))

const JSON_TYPE = /^application\/json[\t ]*(?:;|$)/i

function checkContentType(raw: IncomingMessage): void {
  const type = raw.headers['content-type']
  if (type !== undefined && JSON_TYPE.test(type)) return
  if (type === undefined && !hasBody(raw)) throw unparsable('the body is empty')
  throw new ApiError({
    status: 415,
    message: "Unsupported content type. Send the body as JSON with 'Content-Type: application/json'.",
  })
}

export const hasBody = (raw: IncomingMessage) =>
  raw.headers['transfer-encoding'] !== undefined || Number(raw.headers['content-length'] ?? 0) > 0

function readBytes(raw: IncomingMessage, maxBytes: number): Promise<Buffer> {
  if (Number(raw.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes)
  if (raw.destroyed) throw cutShort()
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const stop = (settle: () => void) => {
      raw.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose)
      settle()
    }
    const onData = (chunk: Buffer) => {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes > maxBytes) stop(() => reject(tooLarge(maxBytes)))
    }
    const onEnd = () => stop(() => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)))
    const onClose = () => stop(() => reject(cutShort()))
    raw.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose)
  })
}

async function decode(sent: Buffer, encoding: string | undefined, maxBytes: number): Promise<Buffer> {
  if (encoding === undefined) return sent
  try {
    return await decodeBody(sent, encoding, maxBytes)
  } catch (error) {
    if (!(error instanceof DecodeBodyError)) throw error
    if (error.kind === 'too-large') throw tooLarge(maxBytes)
    throw new ApiError({ status: error.kind === 'unsupported' ? 415 : 400, message: error.message })
  }
}

function parse(bytes: Buffer, limits: Pick<BodyLimits, 'jsonDepth' | 'jsonNodes'>): unknown {
  try {
    return parseJson(bytes, { maxDepth: limits.jsonDepth, maxNodes: limits.jsonNodes })
  } catch (error) {
    if (error instanceof JsonError) throw toApiError(error)
    throw error
  }
}

function toApiError(error: JsonError): ApiError {
  switch (error.kind) {
    case 'syntax':
    case 'encoding':
      return unparsable(error.message)
    case 'depth':
    case 'nodes':
      return badRequest(null, 'invalid_value', `The JSON body of your request is too complex: it has ${shape(error)}.`)
    case 'proto-key':
      return badRequest(
        error.path,
        'invalid_value',
        "The JSON body of your request has a key named '__proto__'. Rename it.",
      )
    case 'unstorable-text':
      return badRequest(
        error.path,
        'invalid_value',
        `Invalid text in '${error.path ?? 'body'}': NUL characters and lone surrogates cannot be stored. Remove them.`,
      )
  }
}

const shape = (error: JsonError) => (error.kind === 'depth' ? `values ${error.message}` : error.message)

function toObject(value: unknown): JsonObject {
  if (isObject(value)) return value
  const got = value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`
  const message = `Invalid type for the body of your request: expected an object, but got ${got} instead.`
  throw badRequest(null, 'invalid_type', message)
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const unparsable = (what: string) =>
  badRequest(
    null,
    null,
    "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library " +
      `correctly. The API expects a JSON payload, but what was sent was not valid JSON: ${what}.)`,
  )

export const cutShort = () => badRequest(null, null, 'The connection closed before the body of the request ended.')

const tooLarge = (maxBytes: number) =>
  new ApiError({
    status: 413,
    message: `The body of your request is too large: at most ${maxBytes} bytes are taken, before and after decoding.`,
  })
