/** Writes the pages of `docs/` that follow from the code. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PROVIDER_CATALOG } from '../src/app/built-in-providers.ts'
import { configurationDoc } from '../src/config/configuration-doc.ts'
import { ROOT } from './paths.js'

export function run() {
  writeFileSync(join(ROOT, 'docs', 'configuration.md'), configurationDoc(PROVIDER_CATALOG))
  return 0
}
