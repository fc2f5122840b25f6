/**
 * The one table of the configuration: every setting with its kind, default and documentation. The file's sections,
 * the environment's names, the types and `docs/configuration.md` all follow from it.
 */
import { list } from './compound-kinds.ts'
import {
  aliases,
  hostAndPort,
  IMAGE_ENGINES,
  keys,
  mcpServers,
  models,
  projects,
  providers,
  SANDBOXES,
  SEARCHERS,
  searchEngines,
  webhooks,
} from './entities.ts'
import {
  choice,
  duration,
  flag,
  folderOrBucket,
  integer,
  type Kind,
  path,
  secret,
  secretUrl,
  size,
  text,
  url,
} from './kinds.ts'
import { parseDuration, parseSize } from './units.ts'

/**
 * `fallback`: null means not set, and `doc` says what that is. `shortEnv`: a shorter variable that other tools set too;
 * `ANTIPHON_SECTION__KEY` wins over it.
 */
const setting = <K extends Kind<unknown>, D>(kind: K, fallback: D, doc: string, shortEnv: string | null = null) => ({
  kind,
  fallback,
  doc,
  shortEnv,
})

/** Defaults as people read them. A default that does not parse would be 0; a test holds every default valid. */
const ms = (duration: string) => parseDuration(duration) ?? 0
const bytes = (size: string) => parseSize(size) ?? 0
const most = (max: number) => integer(1, max)

export const DEFAULT_HOST = '127.0.0.1'
export const DEFAULT_PORT = 8484

const host = () => text('a host name or an IP address', /^[\w.:[\]-]{1,255}$/)
const origin = () => text('an origin as https://app.example.com', /^https?:\/\/[\w.[\]:-]+$/)
const databaseUrl = () =>
  text('sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE', /^(sqlite:|postgres(ql)?:\/\/)[^\p{Cc}]+$/u)

export const SETTINGS = {
  'server.host': setting(
    host(),
    DEFAULT_HOST,
    'Address to listen on. Anything but loopback needs keys.',
    'ANTIPHON_HOST',
  ),
  'server.port': setting(
    integer(0, 65_535),
    DEFAULT_PORT,
    'Port to listen on; 0 lets the system choose. When the default is busy the next free one is taken, a chosen one that is busy is an error.',
    'PORT',
  ),
  'server.public_url': setting(
    url(),
    null,
    'The address clients use when it is not host and port. Unset: http://host:port.',
  ),
  'server.drain_timeout': setting(
    duration('0s', '1h'),
    ms('30s'),
    'How long running responses may go on after SIGTERM. 0s ends them at once.',
  ),
  'server.allowed_hosts': setting(
    list(host()),
    [],
    'Further names clients may put into the Host header, besides loopback, `host` and the host of `public_url`. Others get 421.',
  ),
  'server.cors': setting(
    list(origin()),
    [],
    'Origins whose web pages may call the API. Empty: no CORS header is ever sent.',
  ),

  'storage.data_dir': setting(
    path(),
    null,
    'Folder of the database, the pepper, the sealing keys and the first key. Unset: `~/.antiphon`.',
    'ANTIPHON_DATA_DIR',
  ),
  'storage.database_url': setting(
    databaseUrl(),
    null,
    'Where responses are stored. Unset: `antiphon.db` in `data_dir`. PostgreSQL is for several servers on one database; see `docs/postgresql.md`.',
  ),
  'storage.postgres.max_connections': setting(
    most(1_000),
    20,
    'Connections of one server to PostgreSQL. All servers together stay below its `max_connections`.',
  ),
  'storage.postgres.connect_timeout': setting(
    duration('100ms', '60s'),
    ms('3s'),
    'How long a request waits for a connection to PostgreSQL; then it is answered with 503 `storage_unavailable`.',
  ),
  'storage.postgres.query_timeout': setting(
    duration('100ms', '5m'),
    ms('5s'),
    'How long one query of a request may take on PostgreSQL; then it is cancelled, and its connection closed.',
  ),
  'storage.cache': setting(
    secretUrl(['redis', 'rediss'], 'redis://host:6379'),
    null,
    'Redis or Valkey that several replicas share, as `redis://host:6379`: limits of requests then hold for all of them together. Unset: each counts for itself.',
  ),
  'storage.files': setting(
    folderOrBucket(),
    null,
    'Where uploaded files are: a folder, or a bucket as `s3://bucket/prefix`. Unset: the folder `files` in `data_dir`.',
  ),
  'storage.s3.endpoint': setting(
    url(),
    null,
    'Address of the S3 API, for storages that are not AWS. Unset: the one of AWS in the region.',
    'AWS_ENDPOINT_URL_S3',
  ),
  'storage.s3.region': setting(
    text('a region as eu-central-1', /^[a-z0-9-]{1,64}$/),
    'us-east-1',
    'Region that requests are signed for.',
    'AWS_REGION',
  ),
  'storage.s3.access_key_id': setting(secret(), null, 'Needed for a bucket.', 'AWS_ACCESS_KEY_ID'),
  'storage.s3.secret_access_key': setting(secret(), null, 'Needed for a bucket.', 'AWS_SECRET_ACCESS_KEY'),
  'storage.s3.session_token': setting(secret(), null, 'Of temporary credentials.', 'AWS_SESSION_TOKEN'),
  'storage.s3.path_style': setting(
    flag(),
    null,
    'Whether the bucket is a folder of the path instead of a part of the host name. Unset: where there is an `endpoint`.',
  ),

  'discovery.enabled': setting(
    flag(),
    true,
    'Look for provider keys in the environment and for local engines on their usual ports.',
  ),
  'discovery.timeout': setting(
    duration('10ms', '10s'),
    ms('300ms'),
    'How long a local engine may take to answer at start.',
  ),

  providers: setting(providers(), null, 'Connections by name. A known name needs no more than its `api_key`.'),
  models: setting(
    models(),
    null,
    'Public model names and the deployments behind them. Others are named `provider/model`.',
  ),
  aliases: setting(aliases(), null, 'Further names for models, so that unmodified apps keep theirs: `gpt-4o: smart`.'),

  'router.strategy': setting(
    choice(['weighted', 'least_busy', 'latency']),
    'weighted',
    'Which deployment of a model is asked first: by weight, the one with the fewest calls under way, or the quickest.',
  ),
  'router.num_retries': setting(
    integer(0, 10),
    2,
    'Further calls after a failed one, while nothing was sent to the client.',
  ),
  'router.allowed_fails': setting(most(1_000), 3, 'Failures in a row after which a deployment rests.'),
  'router.cooldown_time': setting(
    duration('0s', '1h'),
    ms('30s'),
    'How long it rests; then one call finds out. 0s: it rests only as long as its provider asks for.',
  ),
  'router.request_timeout': setting(
    duration('1s', '24h'),
    ms('1h'),
    'Longest time of one call to a provider, from its start to its last byte.',
  ),

  projects: setting(
    projects(),
    null,
    'Settings of single projects by name. A project begins with its first key; keys without one are of `default`.',
  ),
  keys: setting(keys(), null, 'Keys managed by this file; more are made with `antiphon keys create`.'),

  'defaults.model': setting(
    text('a model name', /^[\x21-\x7e]{1,256}$/),
    null,
    'The model shown at start. Unset: the first one found.',
  ),
  'defaults.store': setting(flag(), true, 'Whether a response is stored when the request does not say.'),
  'defaults.truncation': setting(choice(['disabled', 'auto']), 'disabled', 'When the request does not say.'),
  'defaults.max_output_tokens': setting(
    most(1_000_000_000),
    null,
    'When the request does not say. Unset: as the provider has it.',
  ),
  'defaults.max_tool_calls': setting(
    most(10_000),
    64,
    'Calls of tools that the server runs which one response may make, when the request does not say.',
  ),
  'defaults.unsupported_params': setting(
    choice(['auto', 'error', 'warn', 'drop']),
    'auto',
    'What happens to a parameter that a provider cannot take. `auto`: an error when it changes the meaning, a warning when it is a hint.',
  ),

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

  'security.allow_private_hosts': setting(
    list(hostAndPort()),
    [],
    'What URLs of clients, models and tools may reach besides the public internet: private hosts, and other ports than 80 and 443.',
  ),

  'tools.mcp.enabled': setting(flag(), true, 'Whether this server calls MCP servers for models.'),
  'tools.mcp.servers': setting(
    mcpServers(),
    null,
    'MCP servers that requests name as `connector_id`, by name. See `docs/mcp.md`.',
  ),

  webhooks: setting(
    webhooks(),
    null,
    'Endpoints that are told when a background response ends, by name; more are made through the API. See `docs/webhooks.md`.',
  ),

  'retention.responses': setting(
    duration('1m', '36500d'),
    ms('30d'),
    'How long stored responses are kept after they were made.',
  ),
  'retention.background_events': setting(
    duration('1m', '36500d'),
    ms('24h'),
    'How long the events of a background response can be streamed again after its end.',
  ),
  'retention.files': setting(
    duration('1h', '36500d'),
    null,
    'How long uploaded files are kept when their request does not say. Unset: until they are deleted; files for batches 30 days.',
  ),

  'observability.log.level': setting(
    choice(['debug', 'info', 'warn', 'error', 'silent']),
    'info',
    'Least level that is written.',
  ),
  'observability.log.format': setting(
    choice(['auto', 'json', 'pretty']),
    'auto',
    'Logs go to stderr. `auto`: readable on a terminal, JSON lines otherwise.',
  ),
  'observability.metrics.auth': setting(
    flag(),
    true,
    'Whether `GET /metrics` needs a key with the scope `admin`. Off: everyone who can connect may read it.',
  ),

  'limits.json_body': setting(size('1KB', '512MB'), bytes('32MB'), 'A JSON body, after decompression.'),
  'limits.json_depth': setting(most(1_000), 64, 'Nesting of a JSON body.'),
  'limits.json_nodes': setting(most(10_000_000), 100_000, 'Values in a JSON body.'),
  'limits.headers': setting(size('1KB', '1MB'), bytes('16KB'), 'All headers of a request.'),
  'limits.header_count': setting(most(1_000), 100, 'Headers of a request.'),
  'limits.url': setting(size('256B', '64KB'), bytes('8KB'), 'The URL of a request.'),
  'limits.header_time': setting(duration('1s', '10m'), ms('10s'), 'Until the headers of a request are read.'),
  'limits.body_time': setting(duration('1s', '1h'), ms('60s'), 'Until the body of a request is read.'),
  'limits.connections': setting(most(1_000_000), 20_000, 'Open connections.'),
  'limits.requests_per_connection': setting(most(1_000_000), 1_000, 'Requests on one connection; then it is closed.'),
  'limits.idle_connection': setting(duration('1s', '1h'), ms('65s'), 'How long an idle connection is kept.'),
  'limits.requests_per_minute': setting(
    integer(0, 100_000_000),
    10_000,
    'Requests of one key in a minute; then 429. 0 counts nothing.',
  ),
  'limits.chain_responses': setting(most(100_000), 1_000, 'Responses behind `previous_response_id`.'),
  'limits.chain': setting(size('1KB', '1GB'), bytes('32MB'), 'What those responses hold together.'),
  'limits.response_time': setting(
    duration('1s', '24h'),
    ms('1h'),
    'Longest time of one response, all its model calls together.',
  ),
  'limits.upstream_connect': setting(duration('10ms', '10m'), ms('10s'), 'Until a provider has taken the connection.'),
  'limits.upstream_first_byte': setting(duration('100ms', '1h'), ms('120s'), 'Until the first byte of its answer.'),
  'limits.upstream_idle': setting(duration('100ms', '1h'), ms('60s'), 'Between two chunks of its answer.'),
  'limits.tool_calls_at_once': setting(
    most(1_000),
    8,
    'Calls of tools that the server runs which one response may have running at the same time.',
  ),
  'limits.mcp_time': setting(
    duration('100ms', '1h'),
    ms('30s'),
    'Until an MCP server has answered one request; connecting is part of it.',
  ),
  'limits.mcp_reply': setting(size('1KB', '64MB'), bytes('4MB'), 'One reply of an MCP server.'),
  'limits.mcp_tools': setting(most(10_000), 500, 'Tools that an MCP server may list.'),
  'limits.streams_per_project': setting(most(1_000_000), 200, 'Responses running at once for one project.'),
  'limits.streams': setting(most(1_000_000), 5_000, 'Responses running at once.'),
  'limits.background_queued': setting(
    most(1_000_000),
    100,
    'Background responses of one project that wait to be run; more are refused with 429.',
  ),
  'limits.background_running': setting(
    most(1_000_000),
    20,
    'Background responses of one project that run at once; others wait.',
  ),
  'limits.background': setting(most(1_000_000), 200, 'Background responses that this server runs at once.'),
  'limits.stream_buffer': setting(size('1KB', '1GB'), bytes('1MB'), 'What may wait for a slow reader of a stream.'),
  'limits.stream_stall': setting(
    duration('100ms', '1h'),
    ms('30s'),
    'How long a reader may take nothing before it is cut off.',
  ),
  'limits.stream_keep_alive': setting(
    duration('100ms', '10m'),
    ms('15s'),
    'Silence after which a stream gets a comment.',
  ),
  'limits.websockets_per_project': setting(most(1_000_000), 50, 'Open WebSockets of one project; then 429.'),
  'limits.websocket_message': setting(size('1KB', '512MB'), bytes('16MB'), 'One message of a client on a WebSocket.'),
  'limits.websocket_time': setting(
    duration('1s', '24h'),
    ms('1h'),
    'How long a WebSocket may stay open; its client is then told so.',
  ),
  'limits.web_search_time': setting(duration('100ms', '10m'), ms('10s'), 'One call of a search engine.'),
  'limits.web_page': setting(size('1KB', '100MB'), bytes('10MB'), 'A web page that a tool opens.'),
  'limits.web_page_time': setting(duration('100ms', '10m'), ms('10s'), 'Until it is read, redirects included.'),
  'limits.web_pages': setting(most(1_000), 20, 'Web pages that one response may fetch.'),
  'limits.code_time': setting(duration('1s', '1h'), ms('60s'), 'One run of code in a container.'),
  'limits.code_cpu': setting(duration('1s', '10h'), ms('2m'), 'Processor time of one run, all processes together.'),
  'limits.code_memory': setting(
    size('128MB', '64GB'),
    bytes('1GB'),
    'Memory of a container, and the most that `memory_limit` may ask for.',
  ),
  'limits.code_disk': setting(size('1MB', '64GB'), bytes('256MB'), 'Files of a container. They lie in memory too.'),
  'limits.code_files': setting(most(1_000_000), 10_000, 'How many files that may be.'),
  'limits.code_output': setting(size('1KB', '64MB'), bytes('1MB'), 'What of the output of a run is kept.'),
  'limits.code_processes': setting(integer(8, 10_000), 64, 'Processes and threads of a container.'),
  'limits.code_runs': setting(most(1_000), 4, 'Runs going at once; others wait.'),
  'limits.container_idle': setting(duration('1s', '24h'), ms('20m'), 'Unused for so long, a container expires.'),
  'limits.containers_per_project': setting(most(10_000), 20, 'Containers of one project.'),
  'limits.containers': setting(most(10_000), 40, 'Containers at once. An idle one holds 20 to 150 MB.'),
  'limits.webhook_time': setting(duration('100ms', '50s'), ms('10s'), 'One attempt to deliver a webhook.'),
  'limits.image': setting(
    size('1KB', '64MB'),
    bytes('20MB'),
    'An image that a tool makes, or that is fetched by its URL.',
  ),
  'limits.url_files': setting(
    size('1KB', '512MB'),
    bytes('50MB'),
    'What is fetched by URL for one response, where its provider does not do so itself.',
  ),
  'limits.url_time': setting(
    duration('100ms', '10m'),
    ms('30s'),
    'Until an image or file by URL is read, redirects included.',
  ),
  'limits.image_time': setting(duration('100ms', '1h'), ms('5m'), 'Until an image engine has drawn one.'),
  'limits.images': setting(most(1_000), 10, 'Images that one response may have drawn.'),
  'limits.file': setting(size('1KB', '512GB'), bytes('512MB'), 'One uploaded file.'),
  'limits.upload': setting(size('1KB', '512GB'), bytes('8GB'), 'One file that is uploaded in parts.'),
  'limits.upload_part': setting(size('1KB', '1GB'), bytes('64MB'), 'One part of an upload.'),
  'limits.upload_time': setting(
    duration('1s', '24h'),
    ms('1h'),
    'Until a file or a part is read. A sender that stops for `stream_stall` is cut off before.',
  ),
  'limits.uploads_per_project': setting(most(1_000_000), 100, 'Pending uploads of one project; then 429.'),
  'limits.transfers_per_project': setting(
    most(100_000),
    16,
    'Files and parts that one project sends at once; then 429.',
  ),
  'limits.files_per_project': setting(most(10_000_000), 100_000, 'Files of one project.'),
  'limits.file_storage_per_project': setting(
    size('1KB', '1000000GB'),
    bytes('100GB'),
    'What the files and pending parts of one project take together.',
  ),
  'limits.vector_stores_per_project': setting(most(1_000_000), 10_000, 'Vector stores of one project.'),
  'limits.files_per_vector_store': setting(most(1_000_000), 100_000, 'Files of one vector store.'),
  'limits.searched_file': setting(
    size('1KB', '1GB'),
    bytes('100MB'),
    'A file that is ingested into a vector store; a larger one fails.',
  ),
  'limits.bad_keys_per_minute': setting(most(1_000_000), 20, 'Wrong keys from one address; then 429.'),
} as const

export type SettingPath = keyof typeof SETTINGS

/** `limits.json_body` is `ANTIPHON_LIMITS__JSON_BODY`. */
export const envNameOf = (path: string) => `ANTIPHON_${path.toUpperCase().replaceAll('.', '__')}`
