/** Every way by which a URL of a client, a model, a tool or an engine makes a whole server fetch something. */
import type { ChatUpstreamRequest, ScriptedReply } from '../fakes/chat-script.ts'
import { type ChatUpstream, startChatUpstream } from '../fakes/chat-upstream.ts'
import { type ImagesUpstream, KEY, startImagesUpstream } from '../fakes/images-upstream.ts'
import { type FakeMcp, startFakeMcp } from '../fakes/mcp-server.ts'
import { send } from '../support/http.ts'
import { startServer, type TestServer } from '../support/server.ts'
import type { NameServer } from './hostile-urls.ts'

export type Outcome = {
  /** The reply of the server, and what its model was told. */
  readonly said: string
  readonly status: number
}
export type Door = {
  readonly name: string
  enter(url: string): Promise<Outcome>
  /** Where it may lead: a host of the operator's list. */
  readonly allowed: string
  /** What else is a refusal here. */
  readonly refusal?: RegExp
}

export type Doors = {
  readonly doors: readonly Door[]
  /** Requests of the protocol that came to an endpoint it announced. */
  announced(): number
  close(): Promise<void>
}

/** Secrets that each door holds; they belong to their own origins. */
export const SECRETS = {
  mcp: 'mcp-secret-token',
  header: 'mcp-secret-header',
  images: KEY,
  upstream: 'upstream-secret-key',
}

/** The client of the protocol tells no more of an address that it does not follow. */
const MCP_REFUSAL = /The connection to the MCP server failed|answered with HTTP 30\d/

const calling = (name: string, input: object): ScriptedReply => ({
  answer: { text: '', calls: [{ kind: 'function', name, input: JSON.stringify(input) }] },
})
const DONE: ScriptedReply = { answer: { text: 'Done.' } }
const EDIT = calling('image_generation', { prompt: 'x', action: 'edit' })
const shows = (part: object) => [{ role: 'user', content: [part, { type: 'input_text', text: 'x' }] }]
const draw = (more: object = {}) => ({ tools: [{ type: 'image_generation', ...more }] })

const configOf = (hosts: readonly string[], imagesUrl: string) => `tools:
  web_search: { engine: searxng, url: "http://127.0.0.1:9" }
  image_generation: { engine: openai, url: "${imagesUrl}", api_key: ${KEY} }
security: { allow_private_hosts: ${JSON.stringify(hosts)} }
limits: { mcp_time: 3s, web_page_time: 3s, url_time: 3s, webhook_time: 3s, images: 10 }
`

/** `hosts`: what the operator lets URLs reach. */
export async function openDoors(hosts: readonly string[], names: NameServer): Promise<Doors> {
  let replies: ScriptedReply[] = []
  const upstream: ChatUpstream = await startChatUpstream({ script: () => replies.shift() ?? DONE })
  const images: ImagesUpstream = await startImagesUpstream()
  const announcing: FakeMcp = await startFakeMcp()
  const server = await startServer({
    upstream,
    resolve: names.resolve,
    providers: [`engine: { type: ollama, api_base: "${upstream.url}", api_key: ${SECRETS.upstream} }`],
    config: configOf([...hosts, announcing.host], images.url),
    onFault: () => {},
  })
  const told = (request: ChatUpstreamRequest | undefined) => JSON.stringify(request?.body ?? null)
  const ask = async (body: object, ...script: ScriptedReply[]): Promise<Outcome> => {
    replies = script
    const { status, text } = await send(server, 'POST', '/v1/responses', { model: 'upstream/m', input: 'x', ...body })
    return { status, said: `${text}\n${told(upstream.requests.at(-1))}` }
  }
  const allowed = `http://${hosts[0]}/`
  const doors: readonly Door[] = [
    {
      name: 'a page that a model opens',
      allowed,
      enter: (url) =>
        ask({ tools: [{ type: 'web_search' }] }, calling('web_search', { action: 'open_page', url }), DONE),
    },
    {
      name: 'an image by URL, for a provider that fetches none',
      allowed,
      enter: (url) => ask({ model: 'engine/m', input: shows({ type: 'input_image', image_url: url }) }),
    },
    {
      name: 'a file by URL, for a provider that fetches none',
      allowed,
      enter: (url) => ask({ input: shows({ type: 'input_file', file_url: url }) }),
    },
    {
      name: 'an image that is to be changed',
      allowed,
      enter: (url) => ask({ input: shows({ type: 'input_image', image_url: url }), ...draw() }, EDIT, DONE),
    },
    {
      name: 'a mask',
      allowed,
      enter: (url) =>
        ask(
          {
            input: shows({ type: 'input_image', image_url: TINY, detail: 'auto' }),
            ...draw({ input_image_mask: { image_url: url } }),
          },
          EDIT,
          DONE,
        ),
    },
    {
      name: 'an address that an image engine answers with',
      allowed,
      enter(url) {
        images.mode = { address: url }
        return ask(draw(), calling('image_generation', { prompt: 'x', action: 'generate' }), DONE)
      },
    },
    {
      name: 'a receiver of webhooks',
      allowed,
      refusal: /must begin with https|"status_code":30\d/,
      enter: (url) => tellReceiver(server, url),
    },
    { name: 'an MCP server', allowed, refusal: MCP_REFUSAL, enter: (url) => ask(mcp(url)) },
    {
      name: 'an endpoint that an MCP server announces',
      allowed: announcing.url,
      refusal: MCP_REFUSAL,
      async enter(url) {
        announceEndpoint(announcing, url)
        return await ask(mcp(announcing.url))
      },
    },
  ]
  return {
    doors,
    announced: () => announcing.requests.length,
    async close() {
      await server.close()
      await Promise.all([upstream.close(), images.close(), announcing.close()])
    },
  }
}

const mcp = (server_url: string) => ({
  tools: [
    {
      ...{ type: 'mcp', server_label: 'far', server_url, require_approval: 'never' },
      ...{ authorization: SECRETS.mcp, headers: { 'x-key': SECRETS.header } },
    },
  ],
})

/** A receiver of webhooks is made, tried at once, and deleted: a project may have few of them. */
async function tellReceiver(server: TestServer, url: string): Promise<Outcome> {
  const endpoints = '/v1/webhook_endpoints'
  const made = await send(server, 'POST', endpoints, { name: 'x', url, event_types: ['response.completed'] })
  if (made.status !== 200) return { status: made.status, said: made.text }
  const path = `${endpoints}/${made.json.id}`
  const { status, text } = await send(server, 'POST', `${path}/test`, { event_type: 'response.completed' })
  await send(server, 'DELETE', path)
  return { status, said: text }
}

const TINY =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=='

/** As the older transport does: its POST is refused, and its stream says where to post. */
function announceEndpoint(mcp: FakeMcp, url: string): void {
  mcp.answers = {
    initialize(_request, reply) {
      reply.writeHead(404).end()
      return null
    },
  }
  mcp.stream = (reply) => {
    reply.writeHead(200, { 'content-type': 'text/event-stream' })
    reply.write(`event: endpoint\ndata: ${url.replace(/[\r\n]/g, '')}\n\n`)
  }
}
