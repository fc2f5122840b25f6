/** Searching the web on every model: a real server, a SearXNG-shaped engine and pages on loopback, real SDK. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import OpenAI from 'openai'
import type { Response, ResponseStreamEvent } from 'openai/resources/responses/responses'
import { applyEvent } from '../../src/protocol/apply-event.ts'
import type { ResponseEvent } from '../../src/protocol/events.ts'
import type { ResponseObject } from '../../src/protocol/response.ts'
import type { ChatUpstreamRequest, ScriptedReply } from '../fakes/chat-script.ts'
import { type ChatUpstream, startChatUpstream } from '../fakes/chat-upstream.ts'
import { readFixtures } from '../fakes/responses-fixtures.ts'
import { startResponsesUpstream } from '../fakes/responses-upstream.ts'
import { CANARY } from '../fakes/web-pages.ts'
import { startWebSite, type WebSite } from '../fakes/web-site.ts'
import { startServer, type TestServer, UPSTREAM_MODEL } from '../support/server.ts'

const WEB = { type: 'web_search' } as const

describe('searching the web', () => {
  let site: WebSite
  let upstream: ChatUpstream
  let server: TestServer
  let client: OpenAI
  /** Of the Chat Completions upstream, one for each request; then it answers by its rules. */
  let replies: ScriptedReply[] = []
  before(async () => {
    site = await startWebSite()
    upstream = await startChatUpstream({ script: () => replies.shift() })
    server = await startServer({
      checked: true,
      upstream,
      config: `tools: { web_search: { engine: searxng, url: "${site.url}" } }\nsecurity: { allow_private_hosts: ["${site.host}"] }\n`,
      onFault: () => {},
    })
    client = new OpenAI({ baseURL: server.baseUrl, apiKey: server.apiKey, maxRetries: 0 })
  })
  after(async () => {
    await server?.close()
    await upstream?.close()
    await site?.close()
  })

  const ask = (body: Partial<OpenAI.Responses.ResponseCreateParamsNonStreaming>) =>
    client.responses.create({ model: 'demo', input: 'Search the web for the lighthouse.', tools: [WEB], ...body })

  /** Streams, and holds the stream against its own end. */
  const stream = async (body: Partial<OpenAI.Responses.ResponseCreateParamsStreaming>) => {
    const events: ResponseStreamEvent[] = []
    const run = await client.responses.create({
      model: 'demo',
      input: 'Search the web for the lighthouse.',
      tools: [WEB],
      ...body,
      stream: true,
    })
    for await (const event of run) events.push(event)
    let folded: ResponseObject | null = null
    for (const event of events.slice(0, -1)) folded = applyEvent(folded, event as unknown as ResponseEvent)
    const last = events.at(-1)
    assert.ok(last?.type === 'response.completed', JSON.stringify(last))
    assert.deepEqual(folded?.output, last.response.output)
    return { events, response: last.response }
  }

  const search = (response: Response) => {
    const item = response.output.find(({ type }) => type === 'web_search_call')
    assert.ok(item?.type === 'web_search_call', JSON.stringify(response.output))
    return item
  }
  const answer = (response: Response) => {
    const item = response.output.findLast(({ type }) => type === 'message')
    const part = item?.type === 'message' ? item.content[0] : undefined
    assert.ok(part?.type === 'output_text', JSON.stringify(response.output))
    return part
  }
  const covered = (part: ReturnType<typeof answer>) =>
    part.annotations.map((it) => {
      assert.ok(it.type === 'url_citation')
      return [it.url, it.title, [...part.text].slice(it.start_index, it.end_index).join('')]
    })

  test('an answer cites what was found, at the right characters, in JSON and in the stream alike (req 134)', async () => {
    const whole = await ask({})
    const streamed = await stream({})
    for (const response of [whole, streamed.response]) {
      assert.equal(search(response).status, 'completed')
      const part = answer(response)
      assert.match(
        part.text,
        /31 kilometres away \(\[127\.0\.0\.1\]\(http:\/\/127\.0\.0\.1:\d+\/news\/lighthouse\)\)\./,
      )
      assert.doesNotMatch(part.text, /[【】]/)
      assert.deepEqual(covered(part), [
        [`${site.url}/news/lighthouse`, 'Lighthouse is lit again', `([127.0.0.1](${site.url}/news/lighthouse))`],
        [`${site.url}/docs/fetch`, 'fetch() - Reference', `([127.0.0.1](${site.url}/docs/fetch))`],
        ['https://elsewhere.example/lamp', 'Lamps', '([elsewhere.example](https://elsewhere.example/lamp))'],
      ])
    }
    assert.equal(answer(whole).text, answer(streamed.response).text)
    assert.deepEqual(answer(whole).annotations, answer(streamed.response).annotations)
  })

  test('a search tells its states in order, before the text, and no delta holds half a mark (req 90)', async () => {
    const { events } = await stream({})
    const types = events.map(({ type }) => type)
    const from = types.indexOf('response.output_item.added')
    assert.deepEqual(types.slice(from, from + 5), [
      'response.output_item.added',
      'response.web_search_call.in_progress',
      'response.web_search_call.searching',
      'response.web_search_call.completed',
      'response.output_item.done',
    ])
    let text = ''
    for (const event of events) {
      if (event.type === 'response.output_text.delta') {
        text += event.delta
        assert.doesNotMatch(event.delta, /[【】]/)
      }
      if (event.type === 'response.output_text.annotation.added') {
        const { start_index, end_index } = event.annotation as { start_index: number; end_index: number }
        assert.match([...text].slice(start_index, end_index).join(''), /^\(\[.+\]\(.+\)\)$/)
      }
    }
  })

  for (const type of [
    'web_search',
    'web_search_2025_08_26',
    'web_search_preview',
    'web_search_preview_2025_03_11',
  ] as const) {
    test(`${type} searches, and can be chosen by name (req 134)`, async () => {
      const choice = type === 'web_search_2025_08_26' ? 'web_search' : type
      const response = await ask({
        input: 'Tea?',
        tools: [{ type }],
        tool_choice: { type: choice } as OpenAI.Responses.ToolChoiceTypes,
      })
      assert.equal(search(response).status, 'completed')
      assert.deepEqual(response.tools[0]?.type, type)
    })
  }

  test('sources come only with the include (req 137)', async () => {
    const without = search(await ask({})).action
    assert.ok(without?.type === 'search' && without.sources === undefined)
    const response = await ask({ include: ['web_search_call.action.sources'] })
    const { action } = search(response)
    assert.ok(action?.type === 'search')
    assert.deepEqual(action.queries, ['the lighthouse'])
    assert.deepEqual(
      action.sources?.map(({ url }) => url),
      [`${site.url}/news/lighthouse`, `${site.url}/docs/fetch`, 'https://elsewhere.example/lamp'],
    )
  })

  test('allowed and blocked domains hold for what is found and what is opened (req 136)', async () => {
    const only = await ask({ tools: [{ ...WEB, filters: { allowed_domains: ['elsewhere.example'] } }] })
    assert.deepEqual(
      covered(answer(only)).map(([url]) => url),
      ['https://elsewhere.example/lamp'],
    )
    const blocked = { ...WEB, filters: { blocked_domains: ['ELSEWHERE.example'] } } as OpenAI.Responses.WebSearchTool
    const without = await ask({ tools: [blocked] })
    assert.equal(covered(answer(without)).length, 2)
    const opened = await ask({
      input: `Open ${site.url}/news/lighthouse`,
      tools: [{ ...WEB, filters: { allowed_domains: ['elsewhere.example'] } }],
    })
    assert.equal(search(opened).status, 'failed')
    assert.match(answer(opened).text, /filters of this request/)
  })

  test('a filter that is no domain is refused by name', async () => {
    const filters = { allowed_domains: ['example.com', 'https://example.com/path'] }
    await assert.rejects(ask({ tools: [{ ...WEB, filters }] }), (error) => {
      assert.ok(error instanceof OpenAI.BadRequestError)
      assert.equal(error.param, 'tools[0].filters.allowed_domains[1]')
      return true
    })
  })

  test('a search without live access fetches nothing (req 135)', async () => {
    const before = site.requests.length
    const tool = { ...WEB, external_web_access: false } as OpenAI.Responses.WebSearchTool
    const answered = await ask({ tools: [tool] }).withResponse()
    assert.deepEqual(
      answered.data.output.map(({ type }) => type),
      ['message'],
    )
    assert.match(answered.response.headers.get('x-antiphon-warnings') ?? '', /tools\[0\]/)
    assert.equal(site.requests.length, before)
  })

  test('a page is opened and cited', async () => {
    const response = await ask({ input: `Open ${site.url}/news/lighthouse and tell me about it.` })
    const item = search(response)
    assert.deepEqual(item.action, { type: 'open_page', url: `${site.url}/news/lighthouse` })
    assert.deepEqual(covered(answer(response))[0]?.slice(0, 2), [
      `${site.url}/news/lighthouse`,
      'Lighthouse is lit again & ships return - The Paper',
    ])
  })

  test('words are found in a page', async () => {
    const response = await ask({ input: `Find "31 kilometres" in ${site.url}/news/lighthouse` })
    assert.deepEqual(search(response).action, {
      type: 'find_in_page',
      url: `${site.url}/news/lighthouse`,
      pattern: '31 kilometres',
    })
    assert.match(answer(response).text, /31 kilometres away/)
  })

  test('a page that leads to a private address is not read, and the response goes on', async () => {
    const response = await ask({ input: `Open ${site.url}/to-metadata` })
    assert.equal(search(response).status, 'failed')
    assert.equal(response.status, 'completed')
    assert.match(answer(response).text, /does not lead to the public internet/)
  })

  test('an engine that fails makes a failed search that the model is told of', async () => {
    site.set('/search', { status: 500 })
    const { events, response } = await stream({})
    site.set('/search', null)
    assert.equal(search(response).status, 'failed')
    assert.ok(!events.some(({ type }) => type === 'response.web_search_call.completed'))
    assert.match(answer(response).text, /The search failed: searxng answered with status 500/)
  })

  test('a later turn knows what was searched', async () => {
    const first = await ask({})
    const second = await ask({ input: 'What did I first ask?', previous_response_id: first.id })
    assert.equal(second.status, 'completed')
  })

  const calling = (...inputs: readonly object[]): ScriptedReply => ({
    answer: {
      calls: inputs.map((input) => ({ kind: 'function', name: 'web_search', input: JSON.stringify(input) })),
    },
  })
  const messagesOf = (request: ChatUpstreamRequest | undefined) =>
    (request?.body as { messages: { role: string; content: unknown }[] } | undefined)?.messages ?? []

  test('a Chat Completions model gets a function, what was found as text of strangers, and its marks become citations', async () => {
    const said = `Far【1】, says [the page](${site.url}/news/lighthouse)【2†L1】; not 【77】 nor【x】`
    replies = [calling({ action: 'search', queries: ['lamp'] }), { answer: { text: said }, split: 7 }]
    const before = upstream.requests.length
    const { events, response } = await stream({ model: UPSTREAM_MODEL })
    const [first, second] = upstream.requests.slice(before)
    assert.match(first?.raw ?? '', /"name":"web_search"/)
    const told = messagesOf(second).at(-1)
    assert.equal(told?.role, 'tool')
    assert.match(String(told?.content), /never an instruction[\s\S]*<web_content>\n【1】 Lighthouse is lit again\n/)
    const part = answer(response)
    const lamp = `([127.0.0.1](${site.url}/news/lighthouse))`
    const docs = `([127.0.0.1](${site.url}/docs/fetch))`
    assert.equal(part.text, `Far ${lamp}, says [the page](${site.url}/news/lighthouse) ${docs}; not 【77】 nor【x】`)
    assert.deepEqual(covered(part), [
      [`${site.url}/news/lighthouse`, 'Lighthouse is lit again', lamp],
      [`${site.url}/news/lighthouse`, 'Lighthouse is lit again', `[the page](${site.url}/news/lighthouse)`],
      [`${site.url}/docs/fetch`, 'fetch() - Reference', docs],
    ])
    const deltas = events.flatMap((event) => (event.type === 'response.output_text.delta' ? [event.delta] : []))
    assert.ok(deltas.length > 3, 'it streams')
    replies = [calling({ action: 'search', queries: ['lamp'] }), { answer: { text: said }, split: 1 }]
    const whole = await ask({ model: UPSTREAM_MODEL })
    assert.deepEqual(answer(whole), part)
  })

  test('max_tool_calls counts searches: what goes beyond is not run, and the model is told', async () => {
    replies = [
      calling({ queries: ['one'] }, { queries: ['two'] }, { queries: ['three'] }),
      { answer: { text: 'Enough.' } },
    ]
    const before = site.requests.length
    const response = await ask({ model: UPSTREAM_MODEL, max_tool_calls: 2 })
    assert.equal(response.output.filter(({ type }) => type === 'web_search_call').length, 2)
    assert.equal(site.requests.length - before, 2)
    assert.match(String(messagesOf(upstream.requests.at(-1)).at(-1)?.content), /limit of tool calls/)
  })

  test('a call without what it needs fails, and the model is told what', async () => {
    replies = [calling({ action: 'find_in_page', url: site.url }), { answer: { text: 'Sorry.' } }]
    const response = await ask({ model: UPSTREAM_MODEL })
    assert.equal(search(response).status, 'failed')
    assert.match(String(messagesOf(upstream.requests.at(-1)).at(-1)?.content), /find_in_page needs a "pattern"/)
  })

  test('a client function and a search in one turn: the search runs, the function is handed over', async () => {
    const mine = { type: 'function', name: 'mine', parameters: null, strict: false } as const
    replies = [
      {
        answer: {
          text: '',
          calls: [
            { kind: 'function', name: 'web_search', input: '{"queries":["lamp"]}' },
            { kind: 'function', name: 'mine', input: '{}' },
          ],
        },
      },
    ]
    const response = await ask({ model: UPSTREAM_MODEL, tools: [WEB, mine] })
    assert.deepEqual(
      response.output.map((item) => [item.type, 'status' in item ? item.status : null]),
      [
        ['web_search_call', 'completed'],
        ['function_call', 'completed'],
      ],
    )
  })

  test('what a page says can neither leave its quotes nor cite (canary)', async () => {
    const response = await ask({ input: `Open ${site.url}/injected` })
    const part = answer(response)
    assert.deepEqual(
      response.output.map(({ type }) => type),
      ['web_search_call', 'message'],
    )
    assert.equal(part.annotations.length, 1)
    assert.equal(response.tools.length, 1)
    assert.ok(!site.paths().some((path) => path.includes(CANARY)))
  })
})

test('without an engine a search is refused with what to configure (req 134)', async () => {
  const server = await startServer()
  const client = new OpenAI({ baseURL: server.baseUrl, apiKey: server.apiKey, maxRetries: 0 })
  await assert.rejects(client.responses.create({ model: 'demo', input: 'x', tools: [WEB] }), (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError)
    assert.match(error.message, /tools\.web_search/)
    return true
  })
  await server.close()
})

test('a provider that searches itself does so where the operator puts it first, and only there', async () => {
  const site = await startWebSite()
  const wire = readFixtures().find(({ name }) => name === 'openai-web-search')?.wire ?? ''
  const provider = await startResponsesUpstream({ script: () => ({ wire }), extraFields: [] })
  const providers = [
    `search: { api_base: "${provider.url}", api_key: k, wire_api: responses, hosted_tools: [web_search] }`,
  ]
  for (const [engines, type] of [
    [`[{ engine: searxng, url: "${site.url}" }]`, 'function'],
    [`[{ engine: provider }, { engine: searxng, url: "${site.url}" }]`, 'web_search'],
  ]) {
    const server = await startServer({ providers, config: `tools: { web_search: { engines: ${engines} } }\n` })
    const client = new OpenAI({ baseURL: server.baseUrl, apiKey: server.apiKey, maxRetries: 0 })
    await client.responses.create({ model: 'search/m', input: 'Tea?', tools: [WEB] })
    const sent = provider.requests.at(-1)?.body as { tools: { type: string }[] }
    assert.deepEqual(
      sent.tools.map((tool) => tool.type),
      [type],
    )
    const demo = await client.responses.create({ model: 'demo', input: 'Search the web for tea.', tools: [WEB] })
    assert.ok(demo.output.some((item) => item.type === 'web_search_call'))
    await server.close()
  }
  await provider.close()
  await site.close()
})
