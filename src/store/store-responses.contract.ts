/** Laws of writing and reading single responses, their items, and the ledger. */
import assert from 'node:assert/strict'
import type { ProjectStore, UsageRow } from './store.ts'
import {
  assistantMessage,
  type Law,
  record,
  response,
  running,
  usageRow,
  userMessage,
} from './store-fixtures.contract.ts'

const LIMITS = { maxResponses: 10, maxBytes: 1_000_000 }
/** A row no store may take; in `finishResponse` it comes after the response and all its items. */
const BROKEN_USAGE: UsageRow = { ...usageRow('use_broken', 'resp_1'), responseId: JSON.parse('null') }

async function itemsOf(project: ProjectStore, id: string) {
  const chain = await project.readChain(id, LIMITS)
  assert.equal(chain?.type, 'chain')
  const link = chain.links.at(-1)
  return { input: link?.input.map((item) => item.id), output: link?.output.map((item) => item.id) }
}

export function responseContract(law: Law): void {
  readingBack(law)
  ending(law)
  atomicity(law)
  scope(law)
  itemLookup(law)
}

function readingBack(law: Law): void {
  law('a response is read back as it was written, whatever its fields hold', async ({ project }) => {
    const unusual = response('resp_1', {
      background: true,
      completed_at: null,
      error: { code: 'server_error', message: 'down' },
      instructions: 'Be brief. ünïcödé 🙂 \u2028 "quotes" \\',
      metadata: { a: '1', temperature: 'null' },
      model: 'a/b',
      output: [assistantMessage('msg_1', 'one'), assistantMessage('msg_2', 'two')],
      parallel_tool_calls: false,
      prompt_cache_options: { mode: 'implicit', ttl: '30m' },
      service_tier: 'flex',
      status: 'incomplete',
      temperature: 0.1,
      tool_choice: { type: 'function', name: 'f' },
      usage: null,
    })
    await project.finishResponse({ response: unusual, input: [], expiresAt: null }, [])
    assert.deepEqual(await project.getResponse('resp_1'), unusual)
    const plain = response('resp_2')
    await project.finishResponse({ response: plain, input: [], expiresAt: null }, [])
    assert.deepEqual(await project.getResponse('resp_2'), plain)
    const otherText = response('resp_3', { output_text: 'not what the output says', output: [] })
    await project.finishResponse({ response: otherText, input: [], expiresAt: null }, [])
    assert.deepEqual(await project.getResponse('resp_3'), otherText)
  })

  law('numbers beyond the exact integers come back as they were written', async ({ project }) => {
    const parameters = { type: 'object', maximum: 2 ** 53 + 2, minimum: -(2 ** 60), big: 1e300, tiny: 5e-324 }
    const tool = { type: 'function', name: 'f', description: null, parameters, strict: false } as const
    const huge = response('resp_1', { tools: [tool] })
    await project.finishResponse({ response: huge, input: [], expiresAt: null }, [])
    assert.deepEqual(await project.getResponse('resp_1'), huge)
  })

  law('a write that resolved is seen through another connection', async ({ project, peer }) => {
    await project.startResponse(running('resp_1'))
    assert.equal((await peer.forProject('proj_a').getResponse('resp_1'))?.status, 'in_progress')
    await project.finishResponse(record('resp_1'), [])
    assert.deepEqual(await peer.forProject('proj_a').getResponse('resp_1'), record('resp_1').response)
    await project.deleteResponse('resp_1')
    assert.equal(await peer.forProject('proj_a').getResponse('resp_1'), null)
  })

  law('a store that is up answers a ping', async ({ store }) => {
    await store.ping()
  })
}

function ending(law: Law): void {
  law('a response that was started ends with its last items and without the ones it lost', async ({ project }) => {
    const started = { ...running('resp_1'), input: [userMessage('in_1', 'a'), userMessage('in_2', 'b')] }
    await project.startResponse(started)
    assert.deepEqual(await itemsOf(project, 'resp_1'), { input: ['in_1', 'in_2'], output: [] })
    await project.finishResponse({ ...record('resp_1'), input: [userMessage('in_1', 'changed')] }, [])
    assert.deepEqual(await itemsOf(project, 'resp_1'), { input: ['in_1'], output: ['msg_out_resp_1'] })
    assert.deepEqual((await project.getItems(['in_1', 'in_2'])).get('in_1'), userMessage('in_1', 'changed'))
  })

  for (const status of ['completed', 'failed', 'cancelled', 'incomplete'] as const) {
    law(`a response that is ${status} never changes again`, async ({ project }) => {
      await project.startResponse(running('resp_1'))
      const first = record('resp_1', { status })
      await project.finishResponse(first, [])
      const late = status === 'completed' ? 'failed' : 'completed'
      await project.finishResponse(record('resp_1', { status: late, output: [] }), [])
      assert.deepEqual(await project.getResponse('resp_1'), first.response)
      assert.deepEqual(await itemsOf(project, 'resp_1'), { input: ['msg_in_resp_1'], output: ['msg_out_resp_1'] })
    })
  }

  law('of many ends asked for at once the first one stays', async ({ project }) => {
    await project.startResponse(running('resp_1'))
    const models = Array.from({ length: 20 }, (_, index) => `model-${index}`)
    await Promise.all(models.map((model) => project.finishResponse(record('resp_1', { model }), [])))
    const winner = await project.getResponse('resp_1')
    assert.ok(winner && models.includes(winner.model))
    await project.finishResponse(record('resp_1', { model: 'late' }), [])
    assert.deepEqual(await project.getResponse('resp_1'), winner)
  })

  law('starting a response that exists is refused and leaves it as it is', async ({ project }) => {
    await project.finishResponse(record('resp_1'), [])
    await assert.rejects(project.startResponse(running('resp_1')))
    assert.equal((await project.getResponse('resp_1'))?.status, 'completed')
  })

  law('usage is counted once per row, also of a response that had ended', async ({ project, usageIds }) => {
    await project.finishResponse(record('resp_1'), [usageRow('use_1', 'resp_1')])
    await project.finishResponse(record('resp_1'), [usageRow('use_1', 'resp_1'), usageRow('use_2', 'resp_1')])
    await project.recordUsage([usageRow('use_2', 'resp_1'), usageRow('use_3', 'resp_unstored')])
    await project.recordUsage([])
    assert.deepEqual(await usageIds('proj_a'), ['use_1', 'use_2', 'use_3'])
    assert.deepEqual(await usageIds('proj_b'), [])
  })

  law(
    'responses a dead process left behind end as failed, the others stay (req 166)',
    async ({ store, project, heir }) => {
      await project.startResponse(running('resp_queued', 'queued'))
      await store.forProject('proj_b').startResponse(running('resp_running'))
      await project.finishResponse(record('resp_done'), [])
      const error = { code: 'server_error', message: 'the server stopped' } as const
      assert.equal(await (await heir()).failOrphans(error), 2)
      const failed = await project.getResponse('resp_queued')
      assert.deepEqual(failed, { ...running('resp_queued').response, status: 'failed', error })
      assert.equal((await store.forProject('proj_b').getResponse('resp_running'))?.status, 'failed')
      assert.deepEqual(await project.getResponse('resp_done'), record('resp_done').response)
      assert.deepEqual(await itemsOf(project, 'resp_queued'), { input: ['msg_in_resp_queued'], output: [] })
      assert.equal(await (await heir()).failOrphans(error), 0)
    },
  )
}

function atomicity(law: Law): void {
  law('a response of which one row cannot be written leaves nothing behind', async ({ project, usageIds }) => {
    await assert.rejects(project.finishResponse(record('resp_1'), [usageRow('use_1', 'resp_1'), BROKEN_USAGE]))
    assert.equal(await project.getResponse('resp_1'), null)
    assert.equal((await project.getItems(['msg_in_resp_1', 'msg_out_resp_1'])).size, 0)
    assert.deepEqual(await usageIds('proj_a'), [])
  })

  law('an end that cannot be written leaves the started response as it was', async ({ project }) => {
    await project.startResponse(running('resp_1'))
    await assert.rejects(project.finishResponse(record('resp_1'), [BROKEN_USAGE]))
    assert.deepEqual(await project.getResponse('resp_1'), running('resp_1').response)
    assert.deepEqual(await itemsOf(project, 'resp_1'), { input: ['msg_in_resp_1'], output: [] })
  })

  law('a write that fails takes none of the writes beside it along', async ({ project, peer }) => {
    const results = await Promise.allSettled([
      project.finishResponse(record('resp_1'), []),
      project.finishResponse(record('resp_2'), [BROKEN_USAGE]),
      project.finishResponse(record('resp_3'), []),
    ])
    assert.deepEqual(
      results.map((result) => result.status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
    const elsewhere = peer.forProject('proj_a')
    const found = await Promise.all(['resp_1', 'resp_2', 'resp_3'].map((id) => elsewhere.getResponse(id)))
    assert.deepEqual(
      found.map((row) => row?.id),
      ['resp_1', undefined, 'resp_3'],
    )
  })
}

function scope(law: Law): void {
  law('to another project an id answers like one that never existed', async ({ store, project }) => {
    await project.finishResponse(record('resp_1'), [])
    const foreign = store.forProject('proj_b')
    for (const id of ['resp_1', 'resp_never']) {
      assert.equal(await foreign.getResponse(id), null)
      assert.equal(await foreign.readChain(id, LIMITS), null)
      assert.equal(await foreign.deleteResponse(id), false)
      assert.equal((await foreign.getItems([`msg_in_${id}`, `msg_out_${id}`])).size, 0)
    }
    assert.deepEqual(await project.getResponse('resp_1'), record('resp_1').response)
  })

  law('two projects may use the same ids and each keeps its own', async ({ store, project }) => {
    const other = store.forProject('proj_b')
    await project.startResponse(running('resp_1'))
    await other.finishResponse(record('resp_1', { model: 'theirs' }), [])
    assert.equal((await project.getResponse('resp_1'))?.status, 'in_progress')
    await other.finishResponse(record('resp_2', { previous_response_id: 'resp_1' }), [])
    assert.equal(await project.readChain('resp_2', LIMITS), null)
    assert.equal(await other.deleteResponse('resp_1'), true)
    assert.equal((await project.getResponse('resp_1'))?.status, 'in_progress')
  })

  law('a chain never crosses into another project', async ({ store, project }) => {
    await project.finishResponse(record('resp_1'), [])
    const foreign = store.forProject('proj_b')
    await foreign.finishResponse(record('resp_2', { previous_response_id: 'resp_1' }), [])
    assert.equal(await foreign.readChain('resp_2', LIMITS), null)
  })
}

function itemLookup(law: Law): void {
  law('items are found by id, the newest of an id wins, unknown ids are missing', async ({ project }) => {
    await project.finishResponse({ ...record('resp_1'), input: [userMessage('msg_x', 'old')] }, [])
    await project.finishResponse({ ...record('resp_2'), input: [userMessage('msg_x', 'new')] }, [])
    const items = await project.getItems(['msg_x', 'msg_out_resp_1', 'msg_none', 'msg_x'])
    assert.deepEqual([...items.keys()].sort(), ['msg_out_resp_1', 'msg_x'])
    assert.deepEqual(items.get('msg_x'), userMessage('msg_x', 'new'))
    await project.deleteResponse('resp_2')
    assert.deepEqual((await project.getItems(['msg_x'])).get('msg_x'), userMessage('msg_x', 'old'))
    assert.equal((await project.getItems([])).size, 0)
  })

  law('items of an expired response are not found', async ({ project, clock }) => {
    await project.finishResponse(record('resp_1', {}, Math.floor(clock.now() / 1000) + 10), [])
    assert.equal((await project.getItems(['msg_in_resp_1'])).size, 1)
    clock.advance(11)
    assert.equal((await project.getItems(['msg_in_resp_1'])).size, 0)
  })
}
