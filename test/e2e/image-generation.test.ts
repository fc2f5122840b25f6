/** Drawing on every model: a real server, an images endpoint on loopback, real SDK. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import OpenAI from 'openai'
import type { Response, ResponseStreamEvent, Tool } from 'openai/resources/responses/responses'
import { decodePng } from '../../src/lib/png.ts'
import { applyEvent } from '../../src/protocol/apply-event.ts'
import type { ResponseEvent } from '../../src/protocol/events.ts'
import type { ResponseObject } from '../../src/protocol/response.ts'
import type { ChatUpstreamRequest, ScriptedReply } from '../fakes/chat-script.ts'
import { type ChatUpstream, startChatUpstream } from '../fakes/chat-upstream.ts'
import { type ImagesMode, type ImagesUpstream, KEY, plainPng, startImagesUpstream } from '../fakes/images-upstream.ts'
import { startServer, type TestServer, UPSTREAM_MODEL } from '../support/server.ts'

const DRAW: Tool.ImageGeneration = { type: 'image_generation' }
type Body = Partial<OpenAI.Responses.ResponseCreateParamsNonStreaming>

const connect = (server: TestServer) => new OpenAI({ baseURL: server.baseUrl, apiKey: server.apiKey, maxRetries: 0 })

/** Streams, and holds the stream against its own end. */
async function readStream(client: OpenAI, body: Body): Promise<{ events: ResponseStreamEvent[]; response: Response }> {
  const events: ResponseStreamEvent[] = []
  const run = await client.responses.create({ tools: [DRAW], ...body, stream: true })
  for await (const event of run) events.push(event)
  let folded: ResponseObject | null = null
  for (const event of events.slice(0, -1)) folded = applyEvent(folded, event as unknown as ResponseEvent)
  const last = events.at(-1)
  assert.ok(last?.type === 'response.completed', JSON.stringify(last).slice(0, 2000))
  assert.deepEqual(folded?.output, last.response.output)
  return { events, response: last.response }
}

function picture(response: Response) {
  const item = response.output.find(({ type }) => type === 'image_generation_call')
  assert.ok(item?.type === 'image_generation_call', JSON.stringify(response.output).slice(0, 2000))
  return item
}
const pixels = (base64: string | null) => {
  const decoded = decodePng(Buffer.from(base64 ?? '', 'base64'), 4_000_000)
  assert.ok(decoded, 'a whole PNG')
  const at = (x: number, y: number) => [...decoded.data.subarray((y * decoded.width + x) * 4).subarray(0, 4)]
  return { ...decoded, at, middle: at(decoded.width >> 1, decoded.height >> 1) }
}
const typesOf = (events: readonly ResponseStreamEvent[]) =>
  events
    .map(({ type }) => type.replace('response.image_generation_call.', ''))
    .filter((type) => !/created|text|part\.|response\./.test(type))
const refuses = (promise: Promise<unknown>, param: string, message: RegExp) =>
  assert.rejects(promise, (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError, String(error))
    assert.equal(error.param, param)
    assert.match(error.message, message)
    return true
  })

const RED = [214, 40, 40, 255]
const BLUE = [40, 90, 210, 255]

describe('drawing with nothing configured', () => {
  let server: TestServer
  let client: OpenAI
  before(async () => {
    server = await startServer({ checked: true })
    client = connect(server)
  })
  after(() => server?.close())
  const ask = (body: Body) => client.responses.create({ model: 'demo', tools: [DRAW], ...body })

  test('the demo model draws a real picture, the same in JSON and in the stream (req 144)', async () => {
    const asked = { model: 'demo', input: 'Draw a red circle on blue.' }
    const whole = await ask(asked)
    const { events, response } = await readStream(client, asked)
    for (const made of [whole, response]) {
      const { status, result, ...item } = picture(made)
      assert.equal(status, 'completed')
      assert.deepEqual(
        { ...item, id: '' },
        {
          ...{ id: '', type: 'image_generation_call', action: 'generate', background: 'opaque', output_format: 'png' },
          ...{ quality: 'medium', size: '256x256', revised_prompt: 'Draw a red circle on blue.' },
        },
      )
      const { width, height, middle, at } = pixels(result)
      assert.deepEqual([width, height, middle, at(0, 0)], [256, 256, RED, BLUE])
      assert.equal(made.output_text, 'Here is the image.')
    }
    assert.equal(picture(whole).result, picture(response).result)
    assert.deepEqual(typesOf(events), ['in_progress', 'generating', 'completed'])
  })

  test('size, quality, background and first sights are honoured (req 92)', async () => {
    const tool = { ...DRAW, size: '96x48', quality: 'high', background: 'transparent', partial_images: 3 } as const
    const { events, response } = await readStream(client, { model: 'demo', input: 'Draw a blue square', tools: [tool] })
    const item = picture(response)
    assert.deepEqual([item.size, item.quality, item.background], ['96x48', 'high', 'transparent'])
    const { width, height, middle, at } = pixels(item.result)
    assert.deepEqual([width, height, middle, at(0, 0)], [96, 48, BLUE, [0, 0, 0, 0]])
    const sights = events.flatMap((it) => (it.type === 'response.image_generation_call.partial_image' ? [it] : []))
    assert.deepEqual(
      sights.map(({ partial_image_index: index }) => index),
      [0, 1, 2],
    )
    assert.equal(new Set([...sights.map(({ partial_image_b64: b64 }) => b64), item.result]).size, 4)
    for (const { partial_image_b64: b64, item_id } of sights) {
      assert.equal(pixels(b64).width, 96)
      assert.equal(item_id, item.id)
    }
    assert.deepEqual(typesOf(events), ['in_progress', 'generating', ...Array(3).fill('partial_image'), 'completed'])
  })

  test('every setting is echoed with its default', async () => {
    const { tools } = await ask({ input: 'Hello' })
    assert.deepEqual(tools, [
      {
        ...{ type: 'image_generation', action: 'auto', size: 'auto', quality: 'auto', background: 'auto' },
        ...{
          output_format: 'png',
          output_compression: 100,
          moderation: 'auto',
          partial_images: 0,
          input_fidelity: null,
        },
      },
    ])
  })

  test('a later turn changes what was drawn: by the chain, by the item, and by its id alone', async () => {
    const first = await ask({ input: 'Draw a red circle on blue.' })
    const made = picture(first)
    const change = 'Change the image: a green square'
    const carried = [made, { role: 'user', content: change }] as OpenAI.Responses.ResponseInput
    const byId = [
      { type: 'image_generation_call', id: made.id },
      { role: 'user', content: change },
    ]
    for (const body of [
      { input: change, previous_response_id: first.id },
      { input: carried },
      { input: byId as OpenAI.Responses.ResponseInput },
    ]) {
      const edited = picture(await ask(body))
      assert.equal(edited.action, 'edit')
      const { middle, at } = pixels(edited.result)
      assert.deepEqual([middle, at(0, 0)], [[50, 160, 70, 255], BLUE])
    }
    const unknown = [
      { type: 'image_generation_call', id: 'ig_none' },
      { role: 'user', content: change },
    ]
    await assert.rejects(ask({ input: unknown as OpenAI.Responses.ResponseInput }), OpenAI.NotFoundError)
  })

  test('what the user sent is changed where the mask lets it be (req 144)', async () => {
    const sent = `data:image/png;base64,${(await plainPng([40, 90, 210], 64)).toString('base64')}`
    const masked = await plainPng([0, 0, 0], 64)
    const { data, ...sides } = decodePng(masked, 4096) ?? assert.fail()
    // Only the left half may change.
    for (let row = 0; row < 64; row += 1) for (let x = 0; x < 32; x += 1) data[(row * 64 + x) * 4 + 3] = 0
    const { encodePng } = await import('../../src/lib/png.ts')
    const mask = `data:image/png;base64,${(await encodePng({ ...sides, data })).toString('base64')}`
    const input: OpenAI.Responses.ResponseInput = [
      {
        role: 'user',
        content: [
          { type: 'input_image', image_url: sent, detail: 'auto' },
          { type: 'input_text', text: 'Change this picture: a red square' },
        ],
      },
    ]
    const response = await ask({ input, tools: [{ ...DRAW, action: 'edit', input_image_mask: { image_url: mask } }] })
    const { at, width } = pixels(picture(response).result)
    assert.deepEqual([width, at(24, 32), at(40, 32)], [64, RED, BLUE])
    assert.deepEqual(response.tools[0], { ...response.tools[0], action: 'edit', input_image_mask: {} })
  })

  test('pictures and masks may be files of the project, and of nobody else', async () => {
    const { data, ...sides } = decodePng(await plainPng([0, 0, 0], 64), 4096) ?? assert.fail()
    for (let row = 0; row < 64; row += 1) for (let x = 0; x < 32; x += 1) data[(row * 64 + x) * 4 + 3] = 0
    const { encodePng } = await import('../../src/lib/png.ts')
    const upload = async (bytes: Buffer, name: string) =>
      (await client.files.create({ purpose: 'vision', file: new File([new Uint8Array(bytes)], name) })).id
    const sent = await upload(await plainPng([40, 90, 210], 64), 'sent.png')
    const mask = await upload(await encodePng({ ...sides, data }), 'mask.png')
    const words = await upload(Buffer.from('no picture'), 'words.png')
    const edit = (file_id: string, masked: string) =>
      ask({
        input: [
          {
            role: 'user',
            content: [
              { type: 'input_image', file_id, detail: 'auto' },
              { type: 'input_text', text: 'Change this picture: a red square' },
            ],
          },
        ],
        tools: [{ ...DRAW, action: 'edit', input_image_mask: { file_id: masked } }],
      })
    const response = await edit(sent, mask)
    const { at, width } = pixels(picture(response).result)
    assert.deepEqual([width, at(24, 32), at(40, 32)], [64, RED, BLUE])
    assert.deepEqual(response.tools[0], { ...response.tools[0], input_image_mask: { file_id: mask } })
    assert.equal(picture(await edit(sent, words)).status, 'failed')
    await refuses(edit(sent, 'file_none'), 'tools[0].input_image_mask.file_id', /No such File object/)
  })

  test('an edit without an image fails, and the model is told why', async () => {
    const response = await ask({ input: 'Edit the image: add a hat' })
    assert.deepEqual([picture(response).status, picture(response).result], ['failed', null])
    assert.match(response.output_text, /no image in the conversation/)
  })

  test('it is chosen by name (req 126)', async () => {
    const chosen = await ask({ input: 'Tea?', tool_choice: { type: 'image_generation' } })
    assert.equal(picture(chosen).status, 'completed')
  })

  for (const [fields, param, message] of [
    [{ size: 'big' }, 'size', /'auto', or width and height/],
    [{ size: '8x8' }, 'size', /16 to 4096/],
    [{ size: '400x4000' }, 'size', /at most 3 times/],
    [{ size: '2048x2048' }, 'size', /more pixels/],
    [{ output_format: 'webp' }, 'output_format', /only be 'png'/],
    [{ output_format: 'jpeg', background: 'transparent' }, 'background', /JPEG knows no transparency/],
    [{ output_compression: 50 }, 'output_compression', /PNG loses nothing/],
    [{ output_compression: 101 }, 'output_compression', /100/],
    [{ partial_images: 4 }, 'partial_images', /3/],
    [{ quality: 'superb' }, 'quality', /superb/],
    [{ moderation: 'low' }, 'moderation', /moderates nothing/],
    [{ model: 'gpt-image-1' }, 'model', /no image engine is configured/],
    [
      { action: 'generate', input_image_mask: { image_url: 'data:image/png;base64,AA' } },
      'input_image_mask',
      /nothing to mask/,
    ],
    [{ input_image_mask: { file_id: 'file_1' } }, 'input_image_mask.file_id', /No such File object: file_1/],
    [
      { input_image_mask: { file_id: 'file_1', image_url: 'data:image/png;base64,AA' } },
      'input_image_mask',
      /not both/,
    ],
    [{ input_image_mask: { image_url: 'file:///etc/passwd' } }, 'input_image_mask', /URL or a data URL/],
    [{ n: 2 }, 'n', /one image/],
    [{ frame_count: 3 }, 'frame_count', /does not know it/],
  ] as const) {
    test(`${JSON.stringify(fields)} is refused by name`, async () => {
      await refuses(ask({ input: 'Draw', tools: [{ ...DRAW, ...fields } as Tool] }), `tools[0].${param}`, message)
    })
  }

  test('another model is refused with what to configure', async () => {
    await refuses(ask({ model: UPSTREAM_MODEL, input: 'Draw' }), 'tools[0].type', /tools\.image_generation/)
  })
})

describe('drawing with an images endpoint', () => {
  let images: ImagesUpstream
  let upstream: ChatUpstream
  let server: TestServer
  let client: OpenAI
  let replies: ScriptedReply[] = []
  const faults: unknown[] = []
  before(async () => {
    images = await startImagesUpstream()
    upstream = await startChatUpstream({ script: () => replies.shift() })
    server = await startServer({
      checked: true,
      upstream,
      config: `tools: { image_generation: { engine: openai, url: "${images.url}", api_key: ${KEY} } }\nlimits: { image: 1MB, image_time: 1s, images: 2 }\n`,
      onFault: (fault) => faults.push(fault),
    })
    client = connect(server)
  })
  after(async () => {
    await server?.close()
    await upstream?.close()
    await images?.close()
  })
  beforeEach(() => {
    images.mode = 'usual'
    replies = []
    faults.length = 0
  })

  const calling = (...inputs: readonly object[]): ScriptedReply => ({
    answer: {
      text: '',
      calls: inputs.map((input) => ({ kind: 'function', name: 'image_generation', input: JSON.stringify(input) })),
    },
  })
  const told = (request: ChatUpstreamRequest | undefined) =>
    String((request?.body as { messages: { content: unknown }[] } | undefined)?.messages.at(-1)?.content)
  const draw = async (body: Body, ...inputs: readonly object[]) => {
    replies = [calling(...(inputs.length > 0 ? inputs : [{ prompt: 'A cat' }])), { answer: { text: 'Done.' } }]
    return await client.responses.create({ model: UPSTREAM_MODEL, input: 'A cat, please', tools: [DRAW], ...body })
  }
  const sent = () => images.requests.at(-1) ?? assert.fail('nothing was sent')

  test('any model draws by a function, and is told that it did (req 144)', async () => {
    const response = await draw({})
    const { status, result, size, quality } = picture(response)
    assert.deepEqual([status, size, quality], ['completed', '32x32', 'high'])
    assert.deepEqual(pixels(result).middle, [30, 60, 200, 255])
    assert.deepEqual(sent().fields, { model: 'gpt-image-1', prompt: 'A cat', n: '1' })
    assert.match(told(upstream.requests.at(-1)), /image 1 of the conversation/)
    assert.doesNotMatch(upstream.requests.at(-1)?.raw ?? '', new RegExp(result?.slice(0, 40) ?? 'none'))
  })

  test('first sights are passed on as they come, no more than were asked for (req 92)', async () => {
    const tool = { ...DRAW, partial_images: 2 }
    replies = [calling({ prompt: 'A cat' }), { answer: { text: 'Done.' } }]
    const { events, response } = await readStream(client, { model: UPSTREAM_MODEL, input: 'Cat', tools: [tool] })
    assert.deepEqual(typesOf(events), ['in_progress', 'generating', 'partial_image', 'partial_image', 'completed'])
    assert.deepEqual(pixels(picture(response).result).middle, [30, 60, 200, 255])
    images.mode = 'no-stream'
    const plain = await draw({ tools: [tool] })
    assert.equal(picture(plain).status, 'completed')
  })

  test('what the request says of the picture reaches the engine', async () => {
    const look = { quality: 'low', background: 'opaque', output_format: 'jpeg', moderation: 'low' } as const
    const said = { ...look, model: 'gpt-image-1.5', size: '1536x1024', output_compression: 60 }
    await draw({ tools: [{ ...DRAW, ...said }] })
    assert.deepEqual(sent().fields, { ...said, output_compression: '60', prompt: 'A cat', n: '1' })
    await draw({ tools: [{ ...DRAW, model: 'flux' }] })
    assert.deepEqual(sent().fields, { model: 'flux', prompt: 'A cat', n: '1', response_format: 'b64_json' })
  })

  test('an edit sends the images that the model means, and the mask, as files', async () => {
    const [red, green] = [await plainPng([214, 40, 40], 8), await plainPng([50, 160, 70], 8)]
    const url = (png: Buffer) => `data:image/png;base64,${png.toString('base64')}`
    const input: OpenAI.Responses.ResponseInput = [red, green].map((png) => ({
      role: 'user',
      content: [{ type: 'input_image', image_url: url(png), detail: 'auto' }],
    }))
    const tool = { ...DRAW, input_fidelity: 'high', input_image_mask: { image_url: url(red) } } as const
    await draw({ input, tools: [tool] }, { prompt: 'Both', action: 'edit', images: [2, 1] })
    assert.deepEqual(sent().path, '/v1/images/edits')
    assert.deepEqual(sent().fields, { model: 'gpt-image-1', prompt: 'Both', n: '1', input_fidelity: 'high' })
    assert.deepEqual(
      sent().files.map(({ name, bytes }) => [name, bytes.equals(red) ? 'red' : bytes.equals(green) ? 'green' : '?']),
      [
        ['image[]', 'green'],
        ['image[]', 'red'],
        ['mask', 'red'],
      ],
    )
    await draw({ input }, { prompt: 'The last', action: 'edit' })
    assert.deepEqual(
      sent().files.map(({ name }) => name),
      ['image'],
    )
    assert.ok(sent().files[0]?.bytes.equals(green))
    const missing = await draw({ input }, { prompt: 'None', images: [3] })
    assert.equal(picture(missing).status, 'failed')
    assert.match(told(upstream.requests.at(-1)), /there is no image 3; the conversation has 2/)
  })

  test('a picture made in this response can be changed in it, and there is a limit for one response', async () => {
    replies = [
      calling({ prompt: 'A cat' }),
      calling({ prompt: 'A hat on it', action: 'edit' }),
      calling({ prompt: 'One too many' }),
      { answer: { text: 'Done.' } },
    ]
    const response = await client.responses.create({ model: UPSTREAM_MODEL, input: 'Cat', tools: [DRAW] })
    const items = response.output.flatMap((it) => (it.type === 'image_generation_call' ? [it] : []))
    assert.deepEqual(
      items.map(({ status }) => status),
      ['completed', 'completed', 'failed'],
    )
    assert.equal(sent().files[0]?.bytes.toString('base64'), items[0]?.result)
    assert.match(told(upstream.requests.at(-1)), /at most 2 images/)
  })

  test('max_tool_calls stops further images, and the model is told (req 155)', async () => {
    const before = images.requests.length
    const response = await draw({ max_tool_calls: 1 }, { prompt: 'A cat' }, { prompt: 'Another' })
    assert.equal(response.output.filter(({ type }) => type === 'image_generation_call').length, 1)
    assert.equal(images.requests.length - before, 1)
    assert.match(told(upstream.requests.at(-1)), /limit of tool calls/)
  })

  test('an address that the engine answers with is fetched without its key, and only its own or a public one', async () => {
    images.mode = 'url'
    assert.deepEqual(pixels(picture(await draw({})).result).middle, [30, 60, 200, 255])
    images.mode = { address: 'http://169.254.169.254/latest' }
    assert.equal(picture(await draw({})).status, 'failed')
    assert.match(told(upstream.requests.at(-1)), /does not lead to the public internet/)
  })

  const FAILURES: readonly (readonly [ImagesMode, RegExp])[] = [
    [{ status: 401 }, /did not let us in \(401\)/],
    [{ status: 429 }, /takes no more calls now \(429\)/],
    [{ status: 500 }, /answered with status 500/],
    [{ status: 302 }, /answered with status 302/],
    ['moderated', /rejected by the safety system\. \(\[key\]\)/],
    ['cut-json', /could not be reached, or its reply was cut off/],
    ['garbage', /no PNG, JPEG, WebP or GIF/],
    ['no-json', /no JSON/],
    ['huge', /more than 1048576 bytes/],
    ['endless', /more than 1048576 bytes/],
    ['silent', /took too long/],
  ]
  for (const [mode, message] of FAILURES) {
    test(`an engine that fails as ${JSON.stringify(mode)} fails the item, and the response goes on`, async () => {
      images.mode = mode
      const before = images.requests.length
      const response = await draw({})
      assert.deepEqual([picture(response).status, picture(response).result], ['failed', null])
      assert.equal(response.output_text, 'Done.')
      assert.match(told(upstream.requests.at(-1)), message)
      assert.doesNotMatch(upstream.requests.at(-1)?.raw ?? '', new RegExp(KEY))
      assert.equal(images.requests.length - before, 1, 'it is asked once')
      assert.equal(faults.length, 1)
    })
  }
  for (const mode of ['cut-stream', 'error-event', 'huge-stream', { status: 503 }] as const) {
    test(`a stream that fails as ${JSON.stringify(mode)} ends without a completed`, async () => {
      images.mode = mode
      replies = [calling({ prompt: 'A cat' }), { answer: { text: 'Done.' } }]
      const tools = [{ ...DRAW, partial_images: 1 }]
      const { events, response } = await readStream(client, { model: UPSTREAM_MODEL, input: 'Cat', tools })
      assert.equal(picture(response).status, 'failed')
      assert.ok(!typesOf(events).includes('completed'))
      assert.equal(response.output_text, 'Done.')
    })
  }

  test('a reader that leaves ends the call of the engine', async () => {
    images.mode = 'silent'
    replies = [calling({ prompt: 'A cat' })]
    const leaving = new AbortController()
    const before = images.requests.length
    const run = client.responses.create(
      { model: UPSTREAM_MODEL, input: 'Cat', tools: [DRAW] },
      { signal: leaving.signal },
    )
    run.catch(() => {})
    while (images.requests.length === before) await new Promise((resolve) => setTimeout(resolve, 5))
    const open = await images.openConnections()
    leaving.abort()
    while ((await images.openConnections()) >= open) await new Promise((resolve) => setTimeout(resolve, 5))
  })
})

describe('drawing with a chat model', () => {
  let images: ImagesUpstream
  let server: TestServer
  let client: OpenAI
  before(async () => {
    images = await startImagesUpstream()
    server = await startServer({
      checked: true,
      config: `tools: { image_generation: { engine: chat, url: "${images.url}", api_key: ${KEY}, model: painter } }\n`,
      onFault: () => {},
    })
    client = connect(server)
  })
  after(async () => {
    await server?.close()
    await images?.close()
  })
  const ask = (body: Body) => client.responses.create({ model: 'demo', tools: [DRAW], ...body })

  test('a picture is asked of it and read out of its answer; an edit shows it the picture', async () => {
    const first = await ask({ input: 'Draw a cat' })
    assert.deepEqual(pixels(picture(first).result).middle, [200, 30, 30, 255])
    assert.deepEqual(images.requests.at(-1)?.fields, {
      model: 'painter',
      modalities: '["image","text"]',
      messages: '[{"role":"user","content":"Draw a cat"}]',
    })
    images.mode = 'url'
    const second = picture(await ask({ input: 'Change the image: a hat', previous_response_id: first.id }))
    assert.deepEqual(pixels(second.result).middle, [30, 60, 200, 255])
    assert.ok(images.requests.at(-1)?.fields.messages?.includes(picture(first).result ?? '?'))
    images.mode = 'text-only'
    assert.match((await ask({ input: 'Draw a cat' })).output_text, /drew nothing, and said: I only talk\./)
  })

  test('what a chat model cannot be told is refused by name', async () => {
    for (const fields of [
      { size: '1024x1024' },
      { quality: 'high' },
      { partial_images: 1 },
      { output_format: 'webp' },
    ]) {
      const [name = ''] = Object.keys(fields)
      await refuses(
        ask({ input: 'Draw', tools: [{ ...DRAW, ...fields } as Tool] }),
        `tools[0].${name}`,
        /chat model draws/,
      )
    }
    await refuses(ask({ input: 'Draw', tools: [{ ...DRAW, model: 'other' }] }), 'tools[0].model', /only be 'painter'/)
  })
})
