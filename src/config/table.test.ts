import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { PROVIDER_CATALOG } from '../app/built-in-providers.ts'
import { configurationDoc, EXAMPLE } from './configuration-doc.ts'
import { SETTING_PATHS } from './environment.ts'
import type { Kind } from './kinds.ts'
import { resolveConfig } from './resolve-config.ts'
import { wholeSource } from './source-node.ts'
import { SETTINGS } from './table.ts'
import { formatDuration, formatSize, parseDuration, parseSize } from './units.ts'

const PROVIDERS = PROVIDER_CATALOG

test('every default is a value of its own kind', () => {
  for (const path of SETTING_PATHS) {
    const { fallback } = SETTINGS[path]
    const kind: Kind<unknown> = SETTINGS[path].kind
    if (fallback === null || Array.isArray(fallback)) continue
    const shown = kind.show(fallback)
    const node = { type: 'scalar', value: shown, text: shown, place: wholeSource(path) } as const
    const read = kind.read(node, {
      env: {},
      home: '/',
      error: (_place, message) => assert.fail(`${path}: ${message}`),
      warn: (_place, message) => assert.fail(`${path}: ${message}`),
      folderOf: () => '/',
      readFile: () => '',
    })
    assert.deepEqual(read, fallback, path)
  }
})

test('every setting says what it means and what it takes', () => {
  for (const path of SETTING_PATHS) {
    assert.match(SETTINGS[path].doc, /^[A-Z].*[.`]$/s, path)
    assert.ok(SETTINGS[path].kind.says.length > 0, path)
  }
})

test('docs/configuration.md is up to date; `node scripts/run.js docs` writes it', () => {
  assert.equal(
    readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8'),
    configurationDoc(PROVIDERS),
  )
})

test('the documented example is valid', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'antiphon-example-'))
  writeFileSync(join(cwd, 'antiphon.yaml'), EXAMPLE)
  const env = { OPENAI_API_KEY: 'sk-test' }
  const result = await resolveConfig({
    flags: new Map(),
    file: null,
    noAuth: false,
    env,
    providers: PROVIDERS,
    cwd,
    home: cwd,
  })
  rmSync(cwd, { recursive: true })
  assert.deepEqual(result.type === 'problems' ? result.problems : result.warnings, [])
})

test('durations and sizes are read back as they are written', () => {
  for (const ms of [1, 300, 1_500, 30_000, 300_000, 5_400_000, 86_400_000]) {
    assert.equal(parseDuration(formatDuration(ms)), ms)
  }
  for (const bytes of [1, 256, 1024, 1536, 32 * 1024 ** 2]) assert.equal(parseSize(formatSize(bytes)), bytes)
  assert.equal(parseDuration('1.5h'), 5_400_000)
  assert.equal(parseDuration('30'), null)
  assert.equal(parseSize('32mb'), 32 * 1024 ** 2)
})
