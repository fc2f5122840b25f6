/** The section `tools` of the configuration: what the server itself runs for models. */
import { IMAGE_ENGINES, mcpServers, PROGRAM_SANDBOXES, SANDBOXES, SEARCHERS, searchEngines } from './entities.ts'
import { choice, duration, flag, secret, size, text, url } from './kinds.ts'
import { bytes, ms, setting } from './setting.ts'

export const TOOL_SETTINGS = {
  'tools.web_search.engine': setting(
    choice(SEARCHERS),
    null,
    'Who searches for the tool `web_search`; see `docs/web-search.md`. Unset: only providers whose `hosted_tools` say so.',
  ),
  'tools.web_search.url': setting(url(), null, 'Address of that engine. Needed for `searxng`; others have their own.'),
  'tools.web_search.api_key': setting(secret(), null, 'Key of that engine.'),
  'tools.web_search.engines': setting(
    searchEngines(),
    [],
    'Several of them instead, asked in this order: the next one where one fails or finds nothing.',
  ),
  'tools.file_search.embedding_model': setting(
    text('a model name', /^[\x21-\x7e]{1,256}$/),
    null,
    'Model of embeddings for vector stores, one of those that `POST /v1/embeddings` takes; see `docs/file-search.md`. Unset: they are searched by words alone.',
  ),
  'tools.file_search.vector_memory': setting(
    size('1MB', '1000GB'),
    bytes('256MB'),
    'What is kept in memory of the vectors of stores, in its own thread; what is over it is read from disk for each search.',
  ),
  'tools.file_search.reranker.url': setting(
    url(),
    null,
    'Address of a reranker, as `https://api.jina.ai/v1/rerank`, that orders what searches of vector stores find; see `docs/file-search.md`. Unset: the order of the search.',
  ),
  'tools.file_search.reranker.api_key': setting(secret(), null, 'Key of that reranker.'),
  'tools.file_search.reranker.model': setting(
    text('a model name', /^[\x21-\x7e]{1,256}$/),
    null,
    'Its model. Unset: none is named.',
  ),
  'tools.file_search.reranker.timeout': setting(
    duration('100ms', '60s'),
    ms('3s'),
    'How long it may take; then the order of the search stays.',
  ),
  'tools.web_search.robots': setting(flag(), true, 'Whether pages that robots.txt keeps from programs stay unread.'),

  'tools.code_interpreter.sandbox': setting(
    choice(SANDBOXES),
    'auto',
    'Where Python of models runs; see `docs/code-interpreter.md`. `auto`: at `url` if there is one, else in bubblewrap; and where a provider runs it itself, there.',
  ),
  'tools.code_interpreter.python': setting(
    text('a path below /usr, or `pyodide`', /^(?:\/usr\/[\x20-\x7e]{1,4000}|pyodide)$/),
    null,
    'The Python that runs in bubblewrap: a path below /usr, or `pyodide` for the one of WebAssembly that is shipped. Unset: `/usr/bin/python3`, and `pyodide` where that is not there.',
  ),
  'tools.code_interpreter.url': setting(
    url(),
    null,
    'Where `antiphon sandbox serve` listens, as `https://sandbox.example.com`. Needed for `remote`.',
  ),
  'tools.code_interpreter.token': setting(
    secret(),
    null,
    'The secret that a server and its `antiphon sandbox serve` share.',
  ),

  'tools.programmatic_tool_calling.sandbox': setting(
    choice(PROGRAM_SANDBOXES),
    'bubblewrap',
    'Where programs run that models write to call tools; see `docs/programs.md`. Within `limits.code_*`, on this machine.',
  ),

  'tools.image_generation.engine': setting(
    choice(IMAGE_ENGINES),
    null,
    'Who draws for the tool `image_generation`; see `docs/image-generation.md`. Unset: the demo model has its own, others only what `hosted_tools` of their provider say.',
  ),
  'tools.image_generation.url': setting(
    url(),
    null,
    'Address of that engine up to and including `/v1`. Unset: that of OpenAI for `openai`; `chat` needs one.',
  ),
  'tools.image_generation.api_key': setting(secret(), null, 'Key of that engine.'),
  'tools.image_generation.model': setting(
    text('a model name', /^[\x21-\x7e]{1,256}$/),
    null,
    'The model that draws. Unset for `openai`: what the request says, else `gpt-image-1`; `chat` needs one.',
  ),

  'tools.mcp.enabled': setting(flag(), true, 'Whether this server calls MCP servers for models.'),
  'tools.mcp.servers': setting(
    mcpServers(),
    null,
    'MCP servers that requests name as `connector_id`, by name. See `docs/mcp.md`.',
  ),
} as const
