/** What a client may say on a socket, told apart before anything is done with it. */
import { ApiError, badRequest, missingParameter, unsupportedParameter } from '../../protocol/errors.ts'
import type { HttpLimits } from '../limits.ts'
import { type JsonObject, parseJsonObject } from '../read-json-body.ts'

/** A lane holds responses that run one after the other; null is the one without a name. */
export type LaneName = string | null

export type CreateMessage = {
  readonly type: 'create'
  readonly lane: LaneName
  /** False: call no model. */
  readonly generate: boolean
  /** The create parameters, as a body of `POST /v1/responses`. */
  readonly body: JsonObject
  readonly bytes: number
}
type RefusedMessage = { readonly type: 'refused'; readonly lane: LaneName; readonly error: ApiError }

const CREATE = 'response.create'
const LANE_NAME = /^[A-Za-z0-9_.-]{1,256}$/
const MAX_ECHO = 64

/** Never throws for what a client sent. */
export function readMessage(
  data: Buffer,
  isBinary: boolean,
  limits: Pick<HttpLimits, 'jsonDepth' | 'jsonNodes'>,
): CreateMessage | RefusedMessage {
  let lane: LaneName = null
  try {
    if (isBinary) throw badRequest(null, null, 'Send messages as text frames that hold JSON; a binary frame came.')
    const { type, stream_id, generate, ...body } = parseJsonObject(data, limits)
    lane = readLane(stream_id)
    checkType(type)
    const wantsOutput = readGenerate(generate)
    if (body.background === true) throw inBackground()
    // A socket streams whatever `stream` says.
    return { type: 'create', lane, generate: wantsOutput, body: { ...body, stream: true }, bytes: data.length }
  } catch (error) {
    if (error instanceof ApiError) return { type: 'refused', lane, error }
    throw error
  }
}

function readLane(given: unknown): LaneName {
  if (given === undefined || given === null) return null
  if (typeof given === 'string' && LANE_NAME.test(given)) return given
  throw badRequest(
    'stream_id',
    'invalid_stream_id',
    "Invalid 'stream_id': expected 1 to 256 letters, digits, underscores, dots or hyphens.",
  )
}

function checkType(type: unknown): void {
  if (type === CREATE) return
  if (type === undefined || type === null) throw missingParameter('type')
  const shown = typeof type === 'string' ? `'${type.slice(0, MAX_ECHO)}'` : `a ${typeof type}`
  throw badRequest('type', 'invalid_value', `Invalid value: ${shown}. Supported values are: '${CREATE}'.`)
}

function readGenerate(given: unknown): boolean {
  if (given === undefined || given === null || typeof given === 'boolean') return given !== false
  throw badRequest(
    'generate',
    'invalid_type',
    `Invalid type for 'generate': expected a boolean, but got a ${typeof given} instead.`,
  )
}

const inBackground = () =>
  unsupportedParameter(
    'background',
    'A response on a WebSocket runs in the foreground. Use POST /v1/responses instead.',
  )
