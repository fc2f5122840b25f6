import { createAnthropicModel } from '../../models/anthropic/anthropic-model.ts'
import { familyOf } from '../../models/anthropic/family.ts'
import { ANTHROPIC_VERSION, withVersion } from '../../models/anthropic/providers.ts'
import { BELIEVED, type Wire } from './wire.ts'

export const ANTHROPIC: Wire = {
  open(options, _connection, info) {
    const { thinking, structuredOutput } = familyOf(options.model)
    const believed = { ...BELIEVED, logprobs: false, reasoning: thinking !== 'none', structuredOutput }
    return createAnthropicModel({ ...options, capabilities: { ...believed, ...info } })
  },
  listKind: () => 'anthropic',
  base: ({ apiBase }) => withVersion(apiBase),
  authorize: (apiKey) => ({ 'x-api-key': apiKey, 'anthropic-version': ANTHROPIC_VERSION }),
}
