/** What the guide to providers shows of a configuration file is one. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { PROVIDER_CATALOG } from '../../src/app/built-in-providers.ts'
import { resolveConfig } from '../../src/config/resolve-config.ts'

const pageAt = (name: string) => new URL(`../../docs/${name}`, import.meta.url)

for (const name of ['providers.md', 'web-search.md']) {
  test(`every configuration in ${name} starts without a fault or a warning`, () => startAll(name))
}

async function startAll(name: string) {
  const blocks = [...(await readFile(pageAt(name), 'utf8')).matchAll(/^```yaml\n(.*?)^```$/gms)].map(
    ([, yaml = '']) => yaml,
  )
  assert.ok(blocks.length >= 2)
  const home = await mkdtemp(join(tmpdir(), 'antiphon-docs-'))
  try {
    for (const yaml of blocks) {
      const file = join(home, 'antiphon.yaml')
      await writeFile(file, yaml)
      const resolved = await resolveConfig({
        flags: new Map(),
        file,
        noAuth: false,
        env: { ANTIPHON_DATA_DIR: join(home, 'data'), ANTHROPIC_API_KEY: 'k', GATEWAY_TOKEN: 't' },
        providers: PROVIDER_CATALOG,
        cwd: home,
        home,
      })
      assert.ok(resolved.type !== 'problems', `${JSON.stringify(resolved)}\n${yaml}`)
      assert.deepEqual(resolved.warnings, [], yaml)
      const { providers, webSearch } = resolved.config
      assert.ok(providers.length + webSearch.engines.length > 0, yaml)
    }
  } finally {
    await rm(home, { recursive: true })
  }
}
