/** Laws of prompt templates. */
import assert from 'node:assert/strict'
import type { NewPromptVersion } from './store.ts'
import { type Law, START_SECONDS } from './store-fixtures.contract.ts'

const version = (id: string, text: string, name: string | null = null): NewPromptVersion => ({
  id,
  name,
  template: { instructions: text },
  createdAt: START_SECONDS,
})
const PAGE = { limit: 10, order: 'asc', after: null } as const
const MANY = 100

export function promptContract(law: Law): void {
  versions(law)
  pages(law)
  scope(law)
}

function versions(law: Law): void {
  law(
    'a prompt begins with version 1; each new version is kept beside the old ones and counts',
    async ({ project }) => {
      const { prompts } = project
      const made = await prompts.create(version('pmpt_1', 'one', 'greeting'), MANY)
      assert.deepEqual(made, await prompts.get('pmpt_1', null))
      const second = await prompts.addVersion(version('pmpt_1', 'two'), MANY)
      assert.deepEqual(second, {
        id: 'pmpt_1',
        name: 'greeting',
        createdAt: START_SECONDS,
        version: 2,
        defaultVersion: 2,
        latestVersion: 2,
        template: { instructions: 'two' },
      })
      assert.deepEqual(await prompts.get('pmpt_1', null), second)
      assert.deepEqual((await prompts.get('pmpt_1', 1))?.template, { instructions: 'one' })
      assert.equal(await prompts.get('pmpt_1', 3), null)
      assert.equal(await prompts.get('pmpt_2', null), null)
      assert.equal(await prompts.addVersion(version('pmpt_2', 'x'), MANY), 'unknown')
    },
  )

  law('an old version can be made the one that counts, one that never was cannot', async ({ project }) => {
    const { prompts } = project
    await prompts.create(version('pmpt_1', 'one'), MANY)
    await prompts.addVersion(version('pmpt_1', 'two', 'renamed'), MANY)
    assert.equal((await prompts.setDefault('pmpt_1', 1))?.defaultVersion, 1)
    assert.deepEqual((await prompts.get('pmpt_1', null))?.template, { instructions: 'one' })
    for (const wrong of [0, 3, -1]) assert.equal(await prompts.setDefault('pmpt_1', wrong), null)
    assert.equal(await prompts.setDefault('pmpt_2', 1), null)
    const third = await prompts.addVersion(version('pmpt_1', 'three'), MANY)
    assert.ok(typeof third === 'object')
    assert.deepEqual([third.version, third.defaultVersion, third.name], [3, 3, 'renamed'])
  })

  law('versions asked for at the same moment get a number each', async ({ project }) => {
    await project.prompts.create(version('pmpt_1', 'one'), MANY)
    const texts = Array.from({ length: 10 }, (_, index) => `text ${index}`)
    await Promise.all(texts.map((text) => project.prompts.addVersion(version('pmpt_1', text), MANY)))
    const found = await Promise.all(texts.map((_, index) => project.prompts.get('pmpt_1', index + 2)))
    assert.deepEqual(found.map((prompt) => prompt?.template.instructions).sort(), texts)
  })

  law('prompts and versions are bounded, and a deleted prompt makes room', async ({ project }) => {
    const { prompts } = project
    assert.notEqual(await prompts.create(version('pmpt_1', 'one'), 1), 'full')
    assert.equal(await prompts.create(version('pmpt_2', 'one'), 1), 'full')
    assert.equal(await prompts.addVersion(version('pmpt_1', 'two'), 1), 'full')
    assert.equal(await prompts.delete('pmpt_1'), true)
    assert.equal(await prompts.delete('pmpt_1'), false)
    assert.equal(await prompts.get('pmpt_1', 1), null)
    assert.notEqual(await prompts.create(version('pmpt_2', 'one'), 1), 'full')
  })
}

function pages(law: Law): void {
  law(
    'prompts are listed in their order, a page after another, each in the version that counts',
    async ({ project }) => {
      const { prompts } = project
      for (const id of ['pmpt_b', 'pmpt_a', 'pmpt_c']) await prompts.create(version(id, `${id} one`), MANY)
      await prompts.addVersion(version('pmpt_a', 'a two'), MANY)
      const idsOf = async (page: Partial<Parameters<typeof prompts.list>[0]>) =>
        (await prompts.list({ ...PAGE, ...page })).map(({ id }) => id)
      assert.deepEqual(await idsOf({}), ['pmpt_b', 'pmpt_a', 'pmpt_c'])
      assert.deepEqual(await idsOf({ order: 'desc', limit: 2 }), ['pmpt_c', 'pmpt_a'])
      assert.deepEqual(await idsOf({ order: 'desc', after: 'pmpt_a' }), ['pmpt_b'])
      assert.deepEqual(await idsOf({ after: 'pmpt_a' }), ['pmpt_c'])
      assert.deepEqual(await idsOf({ after: 'pmpt_none' }), [])
      const [, listed] = await prompts.list(PAGE)
      assert.deepEqual(listed?.template, { instructions: 'a two' })
    },
  )
}

function scope(law: Law): void {
  law('to another project a prompt answers like one that never existed (req 75)', async ({ store, project, peer }) => {
    await project.prompts.create(version('pmpt_1', 'secret'), MANY)
    const { prompts } = store.forProject('proj_b')
    for (const id of ['pmpt_1', 'pmpt_never']) {
      assert.equal(await prompts.get(id, null), null)
      assert.equal(await prompts.get(id, 1), null)
      assert.equal(await prompts.addVersion(version(id, 'x'), MANY), 'unknown')
      assert.equal(await prompts.setDefault(id, 1), null)
      assert.equal(await prompts.delete(id), false)
    }
    assert.deepEqual(await prompts.list(PAGE), [])
    assert.notEqual(await prompts.create(version('pmpt_1', 'mine'), MANY), 'full')
    assert.deepEqual((await peer.forProject('proj_a').prompts.get('pmpt_1', null))?.template, {
      instructions: 'secret',
    })
  })
}
