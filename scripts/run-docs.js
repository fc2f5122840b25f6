/** Writes the pages of `docs/` that follow from the code. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BUILT_IN_PROVIDERS, PROVIDER_CATALOG } from '../src/app/built-in-providers.ts'
import { capabilitiesDoc } from '../src/app/capabilities-doc.ts'
import { configurationDoc } from '../src/config/configuration-doc.ts'
import { ROOT } from './paths.js'

export async function run() {
  writeFileSync(join(ROOT, 'docs', 'configuration.md'), configurationDoc(PROVIDER_CATALOG))
  writeFileSync(join(ROOT, 'docs', 'capabilities.md'), await capabilitiesDoc(BUILT_IN_PROVIDERS))
  return 0
}
