import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { PROVIDER_CATALOG } from '../app/built-in-providers.ts'
import { resolveConfig } from './resolve-config.ts'
import { formatProblem } from './source-node.ts'

const folder = mkdtempSync(join(tmpdir(), 'antiphon-prices-'))
after(() => rmSync(folder, { recursive: true }))

function resolve(yaml: string) {
  const cwd = mkdtempSync(join(folder, 'case-'))
  writeFileSync(join(cwd, 'antiphon.yaml'), yaml)
  const home = join(cwd, 'home')
  return resolveConfig({ providers: PROVIDER_CATALOG, flags: new Map(), file: null, noAuth: false, env: {}, cwd, home })
}

async function load(yaml: string) {
  const result = await resolve(yaml)
  assert.ok(result.type === 'config')
  return result.config
}

async function faults(yaml: string): Promise<string[]> {
  const result = await resolve(yaml)
  return result.type === 'problems' ? result.problems.map(formatProblem) : []
}

test('prices belong to a model, and a deployment may have its own', async () => {
  const config = await load(`
providers: { proxy: { api_base: "http://10.0.0.1/v1", price_list: openai } }
models:
  - model_name: smart
    deployments:
      - { model: demo/a }
      - { model: demo/b, model_info: { input_cost_per_mtok: 0, output_cost_per_mtok: 0.5, cached_input_cost_per_mtok: 0 } }
    model_info: { input_cost_per_mtok: 2, output_cost_per_mtok: 8, cache_write_cost_per_mtok: 3 }
`)
  assert.deepEqual(
    config.models[0]?.deployments.map(({ price }) => price),
    [
      { input: 2, cachedInput: null, cacheWrite: 3, output: 8 },
      { input: 0, cachedInput: 0, cacheWrite: null, output: 0.5 },
    ],
  )
  assert.equal(config.providers[0]?.priceList, 'openai')
})

test('a price that is half said, negative, or said twice in different ways is a fault', async () => {
  const half = await faults(
    'models: [{ model_name: m, deployments: [{ model: demo/a }], model_info: { input_cost_per_mtok: 1 } }]',
  )
  assert.match(half.join('\n'), /prices need both "input_cost_per_mtok" and "output_cost_per_mtok"/)
  const negative = 'model_info: { input_cost_per_mtok: -1, output_cost_per_mtok: 1 }'
  assert.match(
    (await faults(`models: [{ model_name: m, deployments: [{ model: demo/a }], ${negative} }]`)).join('\n'),
    /a number from 0/,
  )
  const priced = (name: string, price: number) =>
    `  - { model_name: ${name}, deployments: [{ model: demo/a }], model_info: { input_cost_per_mtok: ${price}, output_cost_per_mtok: 1 } }`
  const twice = await faults(`models:\n${priced('m', 1)}\n${priced('n', 2)}`)
  assert.match(twice.join('\n'), /"demo\/a" has two different prices/)
  assert.deepEqual((await load(`models:\n${priced('m', 1)}\n${priced('n', 1)}`)).models.length, 2)
})
