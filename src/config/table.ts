/**
 * The one table of the configuration: every setting with its kind, default and documentation. The file's sections,
 * the environment's names, the types and `docs/configuration.md` all follow from it.
 */
import { list } from './compound-kinds.ts'
import { aliases, hostAndPort, keys, models, projects, providers, webhooks } from './entities.ts'
import { choice, duration, flag, folderOrBucket, integer, path, secret, secretUrl, text, url } from './kinds.ts'
import { LIMIT_SETTINGS } from './limit-settings.ts'
import { most, ms, setting } from './setting.ts'
import { TOOL_SETTINGS } from './tool-settings.ts'

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

  ...TOOL_SETTINGS,

  'security.allow_private_hosts': setting(
    list(hostAndPort()),
    [],
    'What URLs of clients, models and tools may reach besides the public internet: private hosts, and other ports than 80 and 443.',
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

  ...LIMIT_SETTINGS,
} as const

export type SettingPath = keyof typeof SETTINGS

/** `limits.json_body` is `ANTIPHON_LIMITS__JSON_BODY`. */
export const envNameOf = (path: string) => `ANTIPHON_${path.toUpperCase().replaceAll('.', '__')}`
