/** Writes the pages of `docs/` that follow from the code. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BUILT_IN_PROVIDERS } from '../src/app/built-in-providers.ts'
import { configurationDoc } from '../src/config/configuration-doc.ts'
import { createProviderCatalog } from '../src/config/known-providers.ts'
import { DEFAULT_QUIRKS } from '../src/models/chat-completions/quirks.ts'
import { ROOT } from './paths.js'

export function run() {
  const providers = createProviderCatalog(BUILT_IN_PROVIDERS, DEFAULT_QUIRKS)
  writeFileSync(join(ROOT, 'docs', 'configuration.md'), configurationDoc(providers))
  return 0
}
