/** The guide to providers names every provider that needs a package, and the line that installs it. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { BRIDGED_PROVIDERS } from '../../src/models/ai-sdk/providers.ts'

test('the table of providers with packages has exactly the known ones', async () => {
  const page = await readFile(new URL('../../docs/providers.md', import.meta.url), 'utf8')
  const rows = [...page.matchAll(/^\| `([\w-]+)` \| `npm install ([^`]+)` \|/gm)].map(([, name, line]) => [name, line])
  assert.deepEqual(
    rows,
    BRIDGED_PROVIDERS.map(({ name, packageName }) => [name, packageName]),
  )
})
