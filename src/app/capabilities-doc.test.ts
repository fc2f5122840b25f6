import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { TURN_FIELDS } from '../lib/field-support.ts'
import { BUILT_IN_PROVIDERS } from './built-in-providers.ts'
import { capabilitiesDoc } from './capabilities-doc.ts'

test('docs/capabilities.md is up to date; `node scripts/run.js docs` writes it', async () => {
  const written = readFileSync(new URL('../../docs/capabilities.md', import.meta.url), 'utf8')
  assert.equal(written, await capabilitiesDoc(BUILT_IN_PROVIDERS))
})

test('every provider is shown with every field', async () => {
  const doc = await capabilitiesDoc(BUILT_IN_PROVIDERS)
  for (const field of TURN_FIELDS) assert.equal(doc.split(`| \`${field}\` `).length, 2, field)
  for (const { name } of BUILT_IN_PROVIDERS) assert.equal(doc.split(`| \`${name}\` |`).length - 1, 5, name)
})
