/**
 * Two clients on one conversation. The long form, `ANTIPHON_FAULTS=full`, plays 200 rounds; the short one 30.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { isFull } from '../faults/seed.ts'
import { type Reply, send } from '../support/http.ts'
import { startServer, type TestServer } from '../support/server.ts'

const ROUNDS = isFull ? 200 : 30

let server: TestServer
before(async () => {
  server = await startServer()
})
after(() => server.close())

type Item = { role: string; content: { text: string }[] }
const textOf = (item: Item) => item.content.map((part) => part.text).join('')

test('of two turns at once one wins, the other is refused, and no two ever interleave (req 55, 56)', async () => {
  const made = await send(server, 'POST', '/v1/conversations')
  const conversation = String(made.json.id)
  const say = (input: string, stream: boolean) =>
    send(server, 'POST', '/v1/responses', { model: 'demo', conversation, input: `[slow:1] ${input}`, stream })
  const winners: string[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const inputs = [`round ${round} of the first client`, `round ${round} of the second client`]
    const replies = await Promise.all(inputs.map((input, client) => say(input, (round + client) % 3 === 0)))
    const won = replies.map(({ status }) => status === 200)
    assert.equal(won.filter(Boolean).length, 1, `round ${round}: ${replies.map(({ text }) => text).join('\n')}`)
    const loser: Reply | undefined = replies[won.indexOf(false)]
    assert.equal(loser?.status, 400)
    const { code, param } = loser.json.error as { code: string; param: string }
    assert.deepEqual([code, param], ['conversation_locked', 'conversation'])
    winners.push(`[slow:1] ${inputs[won.indexOf(true)]}`)
  }
  const items: Item[] = []
  for (let after = ''; ; ) {
    const query = `limit=100&order=asc${after && `&after=${after}`}`
    const { json } = await send(server, 'GET', `/v1/conversations/${conversation}/items?${query}`)
    items.push(...(json.data as Item[]))
    if (json.has_more !== true) break
    after = String(json.last_id)
  }
  assert.deepEqual(
    items.map(({ role }) => role),
    winners.flatMap(() => ['user', 'assistant']),
    'each question is followed by its answer',
  )
  assert.deepEqual(
    items.filter(({ role }) => role === 'user').map(textOf),
    winners,
    'the conversation is the winners of all rounds, in order',
  )
})
