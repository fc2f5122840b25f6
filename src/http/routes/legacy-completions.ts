/** `POST /v1/completions`, the completion of bare text: not offered, and said so, because its name is so near. */
import { ApiError } from '../../protocol/errors.ts'
import type { ProtectedRoute } from '../route-table.ts'

export const legacyCompletions = (): ProtectedRoute => ({
  method: 'POST',
  pattern: '/v1/completions',
  access: 'responses',
  body: 'none',
  async handle() {
    throw new ApiError({
      status: 404,
      code: 'unknown_url',
      message:
        'The legacy completions API is not offered. Use POST /v1/chat/completions with messages, or POST /v1/responses.',
    })
  },
})
