/** The page of fixed limits says what the code says. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { MAX_PAGES } from '../../src/documents/open-pdf.ts'
import { MAX_HTML_TAGS } from '../../src/documents/read-html.ts'
import { MAX_CHAPTERS } from '../../src/documents/read-office.ts'
import { MAX_BYTES, MAX_ENTRIES, MAX_PART_BYTES } from '../../src/documents/read-zip.ts'
import { DOCUMENT_LIMITS } from '../../src/documents/reader-processes.ts'
import { FILE_FETCH_LIMITS } from '../../src/engine/fit-files.ts'
import { MAX_LATE_WRITES } from '../../src/engine/late-writes.ts'
import { LEASE_MS } from '../../src/engine/lease.ts'
import { MAX_SHOWN_FILE_BYTES } from '../../src/engine/load-files.ts'
import { PROMPT_LIMITS } from '../../src/engine/prompts.ts'
import { PAGE_DETAILS, SHARE_OF_WINDOW } from '../../src/engine/show-document.ts'
import { MAX_FOUND, MAX_LISTED_CHARS } from '../../src/engine/tool-search.ts'
import { RERANKED } from '../../src/engine/vector-stores/rerank-hits.ts'
import { DEFAULT_HTTP_LIMITS } from '../../src/http/limits.ts'
import { FORM_LIMITS, MAX_FIELD_BYTES } from '../../src/http/read-form.ts'
import { INGEST_SIDE_BY_SIDE, MAX_INGEST_TRIES } from '../../src/jobs/ingest-files.ts'
import { DEFAULT_SSE_LIMITS } from '../../src/lib/sse-decode.ts'
import { MAX_FETCHED_URLS } from '../../src/models/inline-urls.ts'
import { CHECK_TIMEOUT_MS, MAX_WAITING_CHECKS } from '../../src/models/isolated-checks.ts'
import { LIST_TIMEOUT_MS, MAX_LIST_BYTES } from '../../src/models/provider-models.ts'
import { MAX_LISTED_MODELS } from '../../src/models/read-model-list.ts'
import { MIN_RETRIES, RETRY_RATIO } from '../../src/models/retry-budget.ts'
import { BACKOFF_MS, MAX_RATE_LIMIT_WAIT_MS, MAX_RETRY_AFTER_MS } from '../../src/models/retrying-model.ts'
import { MAX_SKILLS } from '../../src/protocol/client-tools.ts'
import { MAX_FILE_DATA_CHARS, MAX_IMAGE_URL_CHARS, MAX_TEXT_CHARS } from '../../src/protocol/content.ts'
import { MAX_ADDED_ITEMS } from '../../src/protocol/conversation.ts'
import { MAX_FILENAME_CHARS, MAX_UPLOAD_PARTS, UPLOAD_TTL_SECONDS } from '../../src/protocol/files.ts'
import { MAX_PARTIAL_IMAGES } from '../../src/protocol/hosted-tools.ts'
import { MAX_PROMPT_VARIABLES, MAX_TEMPLATE_BYTES } from '../../src/protocol/prompts.ts'
import { MAX_INPUT_ITEMS } from '../../src/protocol/request.ts'
import { METADATA_LIMITS } from '../../src/protocol/request-rules.ts'
import {
  MAX_ATTRIBUTE_KEY_CHARS,
  MAX_ATTRIBUTE_VALUE_CHARS,
  MAX_ATTRIBUTES,
  MAX_COMPARISONS,
  MAX_FILTER_DEPTH,
  MAX_LISTED_VALUES,
} from '../../src/protocol/search-filters.ts'
import { STRICT_LIMITS } from '../../src/protocol/strict-schema.ts'
import { MAX_TOOLS } from '../../src/protocol/tools.ts'
import { USER_SCHEMA_LIMITS } from '../../src/protocol/user-schema.ts'
import {
  CHUNK_TOKENS,
  MAX_BATCH_FILES,
  MAX_EXPIRY_DAYS,
  MAX_QUERY_CHARS,
  MAX_SEARCH_QUERIES,
  MAX_SEARCH_RESULTS,
  MAX_STORE_DESCRIPTION_CHARS,
  MAX_STORE_FILE_IDS,
  MAX_STORE_NAME_CHARS,
} from '../../src/protocol/vector-stores.ts'
import { MAX_IMAGE_BYTES, MAX_IMAGES, MAX_LISTED_FILES, SCRATCH_BYTES } from '../../src/sandbox/bubblewrap/arguments.ts'
import { MAX_TERM_CHARS } from '../../src/search-index/ranking/analyze-text.ts'
import { MAX_QUERY_TERMS, MAX_SEARCHED_TERMS } from '../../src/search-index/ranking/weigh-terms.ts'
import { MAX_WAITING as MAX_WAITING_SEARCHES } from '../../src/search-index/sqlite/index-threads.ts'
import { MAX_ATTEMPTS, MAX_WAITING } from '../../src/store/sql/postgres/database.ts'
import { REPLICA_LEASE_MS } from '../../src/store/sql/postgres/replica.ts'
import { MAX_BATCH, MAX_QUEUED } from '../../src/store/sql/sqlite/group-commit.ts'
import { MAX_CODE_CHARS } from '../../src/tools/code-interpreter/code-runner.ts'
import { MAX_STORES, MAX_QUERIES as MAX_TOOL_QUERIES } from '../../src/tools/file-search/file-search-tool.ts'
import { DEMO_MAX_PIXELS } from '../../src/tools/image-generation/engines/demo/demo-images.ts'
import { MAX_SIDE } from '../../src/tools/image-generation/image-settings.ts'
import { MAX_INPUT_IMAGES } from '../../src/tools/image-generation/read-drawing.ts'
import { MAX_SEEDED } from '../../src/tools/in-container/seed-files.ts'
import { MAX_DOMAINS } from '../../src/tools/web-search/domain-filter.ts'
import { MAX_WAITING_PAGES, PARSE_TIMEOUT_MS } from '../../src/tools/web-search/page-parser.ts'
import { MAX_PAGE_CHARS } from '../../src/tools/web-search/page-text.ts'
import { MAX_QUERIES } from '../../src/tools/web-search/read-action.ts'

const count = (value: number) => value.toLocaleString('en-US')
const size = (bytes: number) => (bytes >= 2 ** 20 ? `${bytes / 2 ** 20} MB` : `${bytes / 1024} KB`)
const time = (ms: number) => (ms >= 1000 ? `${ms / 1000} s` : `${ms} ms`)
const http = DEFAULT_HTTP_LIMITS

/** First column -> second column. */
const ROWS: Readonly<Record<string, string>> = {
  'items of `input`': count(MAX_INPUT_ITEMS),
  'a text': `${count(MAX_TEXT_CHARS)} characters`,
  '`image_url`': `${count(MAX_IMAGE_URL_CHARS)} characters`,
  '`file_data`': `${count(MAX_FILE_DATA_CHARS)} characters`,
  '`tools`': count(MAX_TOOLS),
  "a function's schema": `${count(USER_SCHEMA_LIMITS.functionChars)} characters`,
  'a schema of `text.format`': `${count(USER_SCHEMA_LIMITS.responseFormatChars)} characters`,
  'depth of either, as JSON': count(USER_SCHEMA_LIMITS.depth),
  'depth of a strict schema': `${STRICT_LIMITS.levels} objects`,
  'properties of a strict schema': count(STRICT_LIMITS.properties),
  '`metadata`': `${METADATA_LIMITS.pairs} pairs of ${METADATA_LIMITS.keyChars} and ${METADATA_LIMITS.valueChars} characters`,
  'items added to a conversation at once': count(MAX_ADDED_ITEMS),
  'variables of a prompt template': count(MAX_PROMPT_VARIABLES),
  'a prompt template': size(MAX_TEMPLATE_BYTES),
  'prompts of a project, versions of one': `${count(PROMPT_LIMITS.prompts)}, ${count(PROMPT_LIMITS.versions)}`,
  'head of a part, and what stands before the first': size(FORM_LIMITS.headBytes),
  'parts, one field': `${FORM_LIMITS.parts}, ${size(MAX_FIELD_BYTES)}`,
  "a file's name": `${MAX_FILENAME_CHARS} characters`,
  'parts of an upload': count(MAX_UPLOAD_PARTS),
  'an upload may stay pending': `${UPLOAD_TTL_SECONDS / 3600} h`,
  'a refused form is read on': time(http.lingerMs),
  'files of a request by id, together': size(MAX_SHOWN_FILE_BYTES),
  'a file by URL': `${size(FILE_FETCH_LIMITS.maxBytes)}, ${time(FILE_FETCH_LIMITS.timeoutMs)}, ${FILE_FETCH_LIMITS.maxRedirects} redirects`,
  'reading a document': `${time(DOCUMENT_LIMITS.timeMs)}, ${size(DOCUMENT_LIMITS.memoryBytes)} of memory`,
  'documents read at once, and waiting': `${DOCUMENT_LIMITS.running}, ${DOCUMENT_LIMITS.waiting}`,
  'text of a document': `${count(DOCUMENT_LIMITS.chars)} characters`,
  "pictures of a document's pages": size(DOCUMENT_LIMITS.imageBytes),
  'a side of such a picture': `${count(PAGE_DETAILS.high.side)} pixels`,
  "pictures of pages in a model's window": `${SHARE_OF_WINDOW * 100} %`,
  'pages of a PDF': count(MAX_PAGES),
  'a line of a stream': size(DEFAULT_SSE_LIMITS.lineChars),
  'a reply': size(DEFAULT_SSE_LIMITS.streamBytes),
  'events of a reply': count(DEFAULT_SSE_LIMITS.events),
  'first pause before a retry': time(BACKOFF_MS),
  'retries of all calls in a minute': `${RETRY_RATIO * 100} %, at least ${MIN_RETRIES}`,
  '`Retry-After` that is waited for': `${time(MAX_RETRY_AFTER_MS)}, of a 429 ${time(MAX_RATE_LIMIT_WAIT_MS)}`,
  'URLs that are fetched for a provider': count(MAX_FETCHED_URLS),
  'a list of models': `${time(LIST_TIMEOUT_MS)}, ${size(MAX_LIST_BYTES)}, ${count(MAX_LISTED_MODELS)} models`,
  'a check of a pattern or schema': `${time(CHECK_TIMEOUT_MS)}, ${MAX_WAITING_CHECKS} waiting`,
  'writes waiting, in one transaction': `${count(MAX_QUEUED)}, ${count(MAX_BATCH)}`,
  'on PostgreSQL: requests waiting for a connection': count(MAX_WAITING),
  'tries of a transaction that another one was in the way of': count(MAX_ATTEMPTS),
  'lease of a server among several': time(REPLICA_LEASE_MS),
  'ends of responses that wait for storage': count(MAX_LATE_WRITES),
  'lease of a conversation': time(LEASE_MS),
  'warnings in a header': size(http.warningBytes),
  'an unread body that is skimmed': size(http.skimBytes),
  'code of one call': `${count(MAX_CODE_CHARS)} characters`,
  'pictures of one run': `${MAX_IMAGES} of ${size(MAX_IMAGE_BYTES)}`,
  'files of a container that are listed': count(MAX_LISTED_FILES),
  'files of the input that are put there': count(MAX_SEEDED),
  'scratch space beside the files': `${size(SCRATCH_BYTES)} each`,
  'images changed by one call': count(MAX_INPUT_IMAGES),
  'a side of an image': `${count(MAX_SIDE)} pixels`,
  'partial images of one call': count(MAX_PARTIAL_IMAGES),
  'an image of the demo engine': `${count(DEMO_MAX_PIXELS)} pixels`,
  'tools found by one search': count(MAX_FOUND),
  'the list of what can be found': `${count(MAX_LISTED_CHARS)} characters`,
  'skills of a shell': count(MAX_SKILLS),
  'files a store is made with, files of a batch': `${count(MAX_STORE_FILE_IDS)}, ${count(MAX_BATCH_FILES)}`,
  'name and description of a store': `${MAX_STORE_NAME_CHARS}, ${count(MAX_STORE_DESCRIPTION_CHARS)} characters`,
  'days of `expires_after`': count(MAX_EXPIRY_DAYS),
  'a chunk': `${CHUNK_TOKENS.min} to ${count(CHUNK_TOKENS.max)} tokens`,
  'attributes of a file': `${MAX_ATTRIBUTES}, of ${MAX_ATTRIBUTE_KEY_CHARS} and ${MAX_ATTRIBUTE_VALUE_CHARS} characters`,
  'a filter on attributes': `${MAX_FILTER_DEPTH} deep, ${MAX_COMPARISONS} comparisons, ${count(MAX_LISTED_VALUES)} values`,
  'queries of one search, results of it': `${MAX_SEARCH_QUERIES}, ${MAX_SEARCH_RESULTS}`,
  'a query': `${count(MAX_QUERY_CHARS)} characters`,
  'terms of a query that are looked at, and looked for': `${MAX_QUERY_TERMS}, ${MAX_SEARCHED_TERMS}`,
  'a term': `${MAX_TERM_CHARS} characters`,
  'chunks of each query that a reranker gets, at least': `${RERANKED}`,
  'stores of a tool, queries of one of its calls': `${MAX_STORES}, ${MAX_TOOL_QUERIES}`,
  'files ingested at once, tries of each': `${INGEST_SIDE_BY_SIDE}, ${MAX_INGEST_TRIES}`,
  'searches, and writes, that wait for the index': count(MAX_WAITING_SEARCHES),
  'files in an office document, unpacked, one of them': `${count(MAX_ENTRIES)}, ${size(MAX_BYTES)}, ${size(MAX_PART_BYTES)}`,
  'chapters of a book': count(MAX_CHAPTERS),
  'tags of an HTML document': count(MAX_HTML_TAGS),
  'queries of one call': count(MAX_QUERIES),
  'domains in a filter': count(MAX_DOMAINS),
  'text of a page': `${count(MAX_PAGE_CHARS)} characters`,
  'reading the HTML of a page': `${time(PARSE_TIMEOUT_MS)}, ${MAX_WAITING_PAGES} waiting`,
  'after the drain, for last writes': time(http.shutdownGraceMs),
  'responses at once, lanes, messages waiting': `${http.webSocketRuns}, ${http.webSocketLanes}, ${http.webSocketQueue}`,
  'bytes of waiting messages': size(http.webSocketQueueBytes),
  'unstored responses to continue from': `${http.webSocketMemory}, ${size(http.webSocketMemoryBytes)}`,
  'between pings': time(http.webSocketPingMs),
}

test('every fixed limit on its page is the one of the code, and none is missing', () => {
  const page = readFileSync(new URL('../../docs/limits.md', import.meta.url), 'utf8')
  const rows = [...page.matchAll(/^\| (.+?) \| (.+?) \|/gm)].map(([, name = '', value = '']) => [name, value])
  assert.deepEqual(Object.fromEntries(rows.filter(([name]) => name !== 'what')), ROWS)
})
