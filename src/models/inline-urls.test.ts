/** Real sockets; the model behind is a script that keeps what it was shown. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { collect, createScriptedModel, finish, openContext } from '../../test/support/decorated-models.ts'
import { functionOutput, inputMessage } from '../../test/support/turn-items.ts'
import { systemClock } from '../lib/clock.ts'
import { createOutboundGuard, type OutboundGuard } from '../lib/outbound-guard.ts'
import { encodePng } from '../lib/png.ts'
import type { StoredPart } from '../protocol/content.ts'
import { inlineUrls, MAX_FETCHED_URLS } from './inline-urls.ts'
import { type FieldTable, ModelError, type ModelTurn } from './model.ts'
import { PLAIN_TURN } from './plain-turn.ts'

const paths: string[] = []
const server = createServer((request, reply) => {
  paths.push(request.url ?? '')
  if (request.url === '/hang') return
  const type = request.url?.startsWith('/odd') ? 'application/octet-stream' : 'application/pdf'
  reply.writeHead(request.url === '/gone.pdf' ? 404 : 200, {
    'content-type': request.url?.endsWith('.png') ? 'text/html' : type,
  })
  reply.end(request.url?.endsWith('.png') ? png : request.url === '/big' ? Buffer.alloc(5_000, 1) : 'content')
})
let png: Buffer = Buffer.alloc(0)
let host = ''
let guard: OutboundGuard
before(async () => {
  png = await encodePng({ width: 1, height: 1, data: Buffer.from([1, 2, 3, 255]) })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  guard = createOutboundGuard({ allowPrivateHosts: [host] })
})
after(async () => {
  await guard.close()
  server.closeAllConnections()
  server.close()
})

const image = (path: string): StoredPart => ({ type: 'input_image', image_url: `http://${host}${path}`, detail: 'low' })
const file = (path: string): StoredPart => ({ type: 'input_file', file_url: `http://${host}${path}` })
const turnOf = (...parts: StoredPart[]): ModelTurn => ({ ...PLAIN_TURN, items: [inputMessage('user', ...parts)] })

function open(
  fields: FieldTable = { 'input.image_url': 'emulated', 'input.file_url': 'emulated' },
  timeoutMs = 30_000,
) {
  const inner = createScriptedModel([[[finish()]], [[finish()]]])
  const maxBytes = { image: 1_000, file: 2_000 }
  const model = inlineUrls({ ...inner, fields }, { guard, clock: systemClock, maxBytes, timeoutMs })
  return { model, turns: inner.calls }
}
const shown = (turn: ModelTurn | undefined) => JSON.stringify(turn?.items)
async function failsWith(turn: ModelTurn, message: RegExp, timeoutMs?: number) {
  const { model, turns } = open(undefined, timeoutMs)
  const { error } = await collect(model, turn)
  assert.ok(error instanceof ModelError && error.kind === 'invalid_request' && error.param === 'input', String(error))
  assert.match(error.message, message)
  assert.equal(turns.length, 0)
}

test('images and files come as data: an image by its own bytes, a file by what its server says, or its name', async () => {
  const { model, turns } = open()
  const output = functionOutput('call_1', [image('/b.png')])
  const asked = turnOf(image('/a.png'), file('/paper.pdf?x=1'), file('/odd/notes.md'))
  await collect(model, { ...asked, items: [...asked.items, output] })
  const picture = { type: 'input_image', image_url: `data:image/png;base64,${png.toString('base64')}`, detail: 'low' }
  const data = Buffer.from('content').toString('base64')
  assert.deepEqual(JSON.parse(shown(turns[0])), [
    inputMessage(
      'user',
      picture as StoredPart,
      { type: 'input_file', file_data: `data:application/pdf;base64,${data}`, filename: 'paper.pdf' },
      { type: 'input_file', file_data: `data:;base64,${data}`, filename: 'notes.md' },
    ),
    functionOutput('call_1', [picture as StoredPart]),
  ])
})

test('a URL is fetched once in a run, and again in the next', async () => {
  const { model } = open()
  const context = openContext()
  const count = () => paths.filter((path) => path === '/once.pdf').length
  await collect(model, turnOf(file('/once.pdf'), file('/once.pdf')), context)
  await collect(model, turnOf(file('/once.pdf')), context)
  assert.equal(count(), 1)
  await collect(open().model, turnOf(file('/once.pdf')))
  assert.equal(count(), 2)
})

test('what its provider fetches itself is left alone', async () => {
  const { model, turns } = open({ 'input.file_url': 'emulated', 'input.image_url': 'native' })
  await collect(model, turnOf(image('/mine.png')))
  assert.match(shown(turns[0]), /mine\.png/)
  assert.ok(!paths.includes('/mine.png'))
})

test('what cannot be fetched is refused with the reason, and nothing is asked of the model', async () => {
  await failsWith(turnOf(file('/gone.pdf')), /status 404/)
  await failsWith(turnOf(image('/paper.pdf')), /no PNG, JPEG, WebP or GIF/)
  await failsWith(turnOf(file('/big')), /larger than 2000 bytes/)
  await failsWith(turnOf(file('/hang')), /longer than 200 ms/, 200)
  await failsWith(
    turnOf({ type: 'input_file', file_url: 'http://localhost/x' }),
    /does not lead to the public internet/,
  )
})

test('planning and counting fetch nothing; too many URLs are refused', async () => {
  const before = paths.length
  const { model } = open()
  const many = Array.from({ length: MAX_FETCHED_URLS + 1 }, (_, index) => file(`/many/${index}`))
  assert.deepEqual(model.notCarried?.(turnOf(...many.slice(1))) ?? [], [])
  assert.throws(() => model.notCarried?.(turnOf(...many)), /More than 20 URLs/)
  await model.countInputTokens(turnOf(file('/a.pdf'), image('/a.png')), openContext())
  assert.equal(paths.length, before)
})
