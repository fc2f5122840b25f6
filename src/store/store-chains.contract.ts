/** Laws of chains: `previous_response_id` from a response to its root. */
import assert from 'node:assert/strict'
import type { Chain, ProjectStore } from './store.ts'
import { assistantMessage, type Law, record, running, userMessage } from './store-fixtures.contract.ts'

const LIMITS = { maxResponses: 100, maxBytes: 1_000_000 }

const linkIds = (chain: Chain | null) => (chain?.type === 'chain' ? chain.links.map((link) => link.id) : chain)

async function writeChain(project: ProjectStore, ids: readonly string[]): Promise<void> {
  for (const [index, id] of ids.entries()) {
    await project.finishResponse(record(id, { previous_response_id: ids[index - 1] ?? null }), [])
  }
}

export function chainContract(law: Law): void {
  shape(law)
  missingLinks(law)
  limits(law)
  carrying(law)
}

function shape(law: Law): void {
  law('a chain is read oldest first, each link with its own items in their order', async ({ project }) => {
    const ids = Array.from({ length: 12 }, (_, index) => `resp_${index}`)
    await writeChain(project, ids)
    const many = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k'].map((id) => userMessage(`in_${id}`, id))
    const output = [assistantMessage('out_b', 'b'), assistantMessage('out_a', 'a')]
    const tip = { ...record('resp_tip', { previous_response_id: 'resp_11', output }), input: many }
    await project.finishResponse(tip, [])
    const chain = await project.readChain('resp_tip', LIMITS)
    assert.equal(chain?.type, 'chain')
    assert.deepEqual(linkIds(chain), [...ids, 'resp_tip'])
    assert.deepEqual(chain.links.at(-1), { id: 'resp_tip', status: 'completed', input: many, output })
    assert.deepEqual(chain.links[3]?.input, record('resp_3').input)
    assert.deepEqual(chain.links[3]?.output, record('resp_3').response.output)
  })

  law('two children of one parent are two chains', async ({ project }) => {
    await writeChain(project, ['resp_root', 'resp_parent'])
    await project.finishResponse(record('resp_left', { previous_response_id: 'resp_parent' }), [])
    await project.finishResponse(record('resp_right', { previous_response_id: 'resp_parent' }), [])
    assert.deepEqual(linkIds(await project.readChain('resp_left', LIMITS)), ['resp_root', 'resp_parent', 'resp_left'])
    assert.deepEqual(linkIds(await project.readChain('resp_right', LIMITS)), ['resp_root', 'resp_parent', 'resp_right'])
  })

  law('a chain shows the status of each link, also of one that runs', async ({ project }) => {
    await project.startResponse(running('resp_1'))
    await project.finishResponse(record('resp_2', { previous_response_id: 'resp_1', status: 'failed' }), [])
    const chain = await project.readChain('resp_2', LIMITS)
    assert.equal(chain?.type, 'chain')
    assert.deepEqual(
      chain.links.map((link) => link.status),
      ['in_progress', 'failed'],
    )
  })

  law('a response without items is a link without items', async ({ project }) => {
    await project.finishResponse({ ...record('resp_1', { output: [] }), input: [] }, [])
    assert.deepEqual(await project.readChain('resp_1', LIMITS), {
      type: 'chain',
      carried: [],
      links: [{ id: 'resp_1', status: 'completed', input: [], output: [] }],
    })
  })
}

function missingLinks(law: Law): void {
  law('a chain whose end, middle or root is missing is null', async ({ project }) => {
    assert.equal(await project.readChain('resp_never', LIMITS), null)
    for (const lost of ['resp_0', 'resp_1', 'resp_2']) {
      await writeChain(project, ['resp_0', 'resp_1', 'resp_2'])
      assert.equal(await project.deleteResponse(lost), true)
      assert.equal(await project.readChain('resp_2', LIMITS), null)
      for (const id of ['resp_0', 'resp_1', 'resp_2']) await project.deleteResponse(id)
    }
  })

  law('a response that names a previous one that never existed has no chain', async ({ project }) => {
    await project.finishResponse(record('resp_1', { previous_response_id: 'resp_never' }), [])
    assert.equal(await project.readChain('resp_1', LIMITS), null)
    assert.equal((await project.getResponse('resp_1'))?.previous_response_id, 'resp_never')
  })
}

function limits(law: Law): void {
  law('a chain of exactly the limit is read, one response more is too long', async ({ project }) => {
    await writeChain(project, ['resp_0', 'resp_1', 'resp_2', 'resp_3', 'resp_4'])
    assert.equal((await project.readChain('resp_2', { ...LIMITS, maxResponses: 3 }))?.type, 'chain')
    const tooLong = await project.readChain('resp_4', { ...LIMITS, maxResponses: 3 })
    assert.equal(tooLong?.type, 'too-long')
    assert.ok(tooLong.responses > 3)
  })

  law('a chain of exactly the byte limit is read, one byte more is too long', async ({ project }) => {
    await writeChain(project, ['resp_0', 'resp_1'])
    const items = ['resp_0', 'resp_1'].flatMap((id) => [...record(id).input, ...record(id).response.output])
    const bytes = items.reduce((sum, item) => sum + Buffer.byteLength(JSON.stringify(item)), 0)
    assert.equal((await project.readChain('resp_1', { ...LIMITS, maxBytes: bytes }))?.type, 'chain')
    const tooLong = await project.readChain('resp_1', { ...LIMITS, maxBytes: bytes - 1 })
    assert.deepEqual(tooLong, { type: 'too-long', responses: 2, bytes })
  })

  law('bytes are counted in UTF-8, not in characters', async ({ project }) => {
    const input = [userMessage('in_1', '語'.repeat(1000))]
    await project.finishResponse({ ...record('resp_1', { output: [] }), input }, [])
    assert.equal((await project.readChain('resp_1', { ...LIMITS, maxBytes: 2500 }))?.type, 'too-long')
    assert.equal((await project.readChain('resp_1', { ...LIMITS, maxBytes: 3500 }))?.type, 'chain')
  })
}

const CARRIED = [userMessage('msg_kept', 'what stays')]

/** `resp_0` to `resp_4`, of which `resp_3` carries what was before it. */
async function writeCarrying(project: ProjectStore): Promise<void> {
  await writeChain(project, ['resp_0', 'resp_1', 'resp_2'])
  const carrier = { ...record('resp_3', { previous_response_id: 'resp_2' }), carried: CARRIED }
  await project.startResponse({ ...running('resp_3'), response: { ...running('resp_3').response, ...PARENT } })
  await project.finishResponse(carrier, [])
  await project.finishResponse(record('resp_4', { previous_response_id: 'resp_3' }), [])
}
const PARENT = { previous_response_id: 'resp_2' }

function carrying(law: Law): void {
  law(
    'a chain is read from the newest response that carries what was before it, or as a whole',
    async ({ project }) => {
      await writeCarrying(project)
      const short = await project.readChain('resp_4', LIMITS)
      assert.deepEqual(linkIds(short), ['resp_3', 'resp_4'])
      assert.deepEqual(short?.type === 'chain' && short.carried, CARRIED)
      const whole = await project.readChain('resp_4', { ...LIMITS, whole: true })
      assert.deepEqual(linkIds(whole), ['resp_0', 'resp_1', 'resp_2', 'resp_3', 'resp_4'])
      assert.deepEqual(whole?.type === 'chain' && whole.carried, [])
    },
  )

  law('the limits of a chain count from the response that carries, with what it carries', async ({ project }) => {
    await writeCarrying(project)
    const two = { ...LIMITS, maxResponses: 2 }
    assert.equal((await project.readChain('resp_4', two))?.type, 'chain')
    assert.equal((await project.readChain('resp_2', two))?.type, 'too-long')
    assert.equal((await project.readChain('resp_4', { ...two, whole: true }))?.type, 'too-long')
    const bytes = Buffer.byteLength(JSON.stringify(CARRIED))
    const tooLong = await project.readChain('resp_3', { ...LIMITS, maxBytes: bytes })
    assert.equal(tooLong?.type === 'too-long' && tooLong.bytes > bytes, true)
  })

  law('a response that carries what was before it outlives what was before it', async ({ project }) => {
    await writeCarrying(project)
    await project.deleteResponse('resp_1')
    assert.equal(await project.readChain('resp_2', LIMITS), null)
    assert.equal(await project.readChain('resp_4', { ...LIMITS, whole: true }), null)
    assert.deepEqual(linkIds(await project.readChain('resp_4', LIMITS)), ['resp_3', 'resp_4'])
    await project.deleteResponse('resp_3')
    assert.equal(await project.readChain('resp_4', LIMITS), null)
  })

  law('a response that carries nothing is the beginning of its chain all the same', async ({ project }) => {
    await writeChain(project, ['resp_0'])
    await project.finishResponse({ ...record('resp_1', { previous_response_id: 'resp_0' }), carried: [] }, [])
    assert.deepEqual(linkIds(await project.readChain('resp_1', LIMITS)), ['resp_1'])
  })
}
