import type { ProviderConfig } from '../../config/resolved-config.ts'
import type { ModelCapabilities } from '../../models/model.ts'
import { keyHeaders, responsesQuirksOf } from '../../models/responses/providers.ts'
import { createResponsesModel } from '../../models/responses/responses-model.ts'
import { listKindOf } from './list-kind.ts'
import { BELIEVED, type Wire } from './wire.ts'

export const RESPONSES: Wire = {
  open(options, { type, hostedTools, quirks: switched }, info) {
    const quirks = responsesQuirksOf(type, switched)
    const capabilities: ModelCapabilities = { ...BELIEVED, customTools: quirks.customTools, hostedTools, ...info }
    return createResponsesModel({ ...options, quirks, capabilities, keyHeaders: (key) => keyHeaders(type, key) })
  },
  listKind: listKindOf,
  base: withApiVersion,
  authorize: (apiKey, { type }) => keyHeaders(type, apiKey),
}

/** Only Azure's older endpoints have one. */
function withApiVersion({ apiBase, apiVersion }: ProviderConfig): string {
  return apiVersion === null ? apiBase : `${apiBase}?api-version=${encodeURIComponent(apiVersion)}`
}
