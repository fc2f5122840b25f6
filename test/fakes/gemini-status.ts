/** How Google's services refuse: `google.rpc.Status`. */
import type { Json } from './chat-validate.ts'

export type GeminiRefusal = {
  readonly status: number
  /** The canonical code's name. */
  readonly code: string
  readonly message: string
  readonly details: readonly Json[]
}

const CODES: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
}

export const refusal = (status: number, message: string, details: readonly Json[] = []): GeminiRefusal => ({
  status,
  code: CODES[status] ?? 'UNKNOWN',
  message,
  details,
})

export const statusBody = ({ status, code, message, details }: GeminiRefusal) => ({
  error: { code: status, message, status: code, ...(details.length > 0 && { details }) },
})

export const badKey = (): GeminiRefusal =>
  refusal(400, 'API key not valid. Please pass a valid API key.', [
    {
      '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
      reason: 'API_KEY_INVALID',
      domain: 'googleapis.com',
      metadata: { service: 'generativelanguage.googleapis.com' },
    },
  ])

/** `field`: its path in the request, in the spelling of the protocol buffers. */
export const badField = (field: string, description: string): GeminiRefusal =>
  refusal(400, description, [
    { '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: [{ field, description }] },
  ])

export const quotaUsed = (retryDelay: string): GeminiRefusal =>
  refusal(429, 'You exceeded your current quota, please check your plan and billing details.', [
    {
      '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
      violations: [{ quotaId: 'GenerateRequestsPerMinutePerProjectPerModel-FreeTier' }],
    },
    { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay },
  ])
