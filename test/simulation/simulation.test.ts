/** Many seeds of several replicas on one store, with faults; and faults of our own that the laws must find. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { printFigures } from '../load/figures.ts'
import { PLANTED } from './planted.ts'
import { simulate } from './simulate.ts'
import { openWorld, type World } from './world.ts'

const SEEDS = process.env.ANTIPHON_FAULTS === 'full' ? 5_000 : 40
/** Another one than 1 is given to go on where a run of seeds ended. */
const FIRST_SEED = Number(process.env.ANTIPHON_SEED ?? 1)

/** Seeds in one world: what died in it stays until it is closed. */
const SEEDS_OF_A_WORLD = 50

async function* worlds(): AsyncGenerator<readonly [seed: number, world: World]> {
  for (let first = FIRST_SEED; first < FIRST_SEED + SEEDS; first += SEEDS_OF_A_WORLD) {
    const world = await openWorld()
    const end = Math.min(first + SEEDS_OF_A_WORLD, FIRST_SEED + SEEDS)
    for (let seed = first; seed < end; seed++) yield [seed, world]
    await world.close()
  }
}

test('whatever happens to replicas, every run ends once, nothing is told twice, and no tool runs twice', async (t) => {
  const sum = { seeds: 0, runs: 0, deaths: 0, resumed: 0, 'virtual minutes': 0 }
  const began = performance.now()
  for await (const [seed, world] of worlds()) {
    const outcome = await simulate(world, seed).catch((error) => {
      throw new Error(`seed ${seed}: ANTIPHON_SEED=${seed} plays it again`, { cause: error })
    })
    sum.seeds += 1
    sum.runs += outcome.runs
    sum.deaths += outcome.deaths
    sum.resumed += outcome.resumed
    sum['virtual minutes'] += outcome.virtualMs / 60_000
  }
  printFigures(t, 'simulation', { ...sum, 'ms a seed': (performance.now() - began) / SEEDS })
  assert.ok(sum.runs > SEEDS && sum.deaths > SEEDS / 4)
})

/** Of which one at least has to find a planted fault. */
const SEEDS_FOR_A_FAULT = 60

for (const [name, plant] of Object.entries(PLANTED)) {
  test(`a planted fault is found: ${name}`, async (t) => {
    const broken = await openWorld()
    t.after(() => broken.close())
    for (let seed = 1; seed <= SEEDS_FOR_A_FAULT; seed++) {
      const found = await simulate(broken, seed, plant()).then(
        () => null,
        (error: unknown) => error,
      )
      if (found === null) continue
      assert.ok(found instanceof assert.AssertionError, String(found))
      return t.diagnostic(`seed ${seed}: ${found.message.split('\n')[0]}`)
    }
    assert.fail('no seed found it')
  })
}
