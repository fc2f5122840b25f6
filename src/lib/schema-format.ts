/** The `format` values of JSON Schema: a valid example of each, and a check. The expressions cannot backtrack badly. */

type Format = { readonly examples: readonly string[]; readonly matches: (text: string) => boolean }

const MAX_FORMAT_CHARS = 2048
const by =
  (expression: RegExp) =>
  (text: string): boolean =>
    text.length <= MAX_FORMAT_CHARS && expression.test(text)

const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const
function isDate(text: string): boolean {
  const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text)
  if (!match) return false
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])]
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  return day >= 1 && day <= (month === 2 && !isLeap ? 28 : (DAYS[month - 1] ?? 0))
}
const isTime = by(/^([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(z|[+-]([01]\d|2[0-3]):?[0-5]\d)$/i)
function isDateTime(text: string): boolean {
  return /^.{10}[tT ]/.test(text) && isDate(text.slice(0, 10)) && isTime(text.slice(11))
}
const isIpv4 = by(/^((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(?!$)|$)){4}$/)
function isIpv6(text: string): boolean {
  return text.includes(':') && /^[0-9a-fA-F:.]{2,45}$/.test(text) && URL.canParse(`http://[${text}]`)
}
const LABEL = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?'
const isHostname = by(new RegExp(`^(?=.{1,253}$)${LABEL}(\\.${LABEL})*$`, 'i'))
const isEmail = by(
  new RegExp(`^[a-z0-9!#$%&'*+/=?^_\`{|}~-]+(\\.[a-z0-9!#$%&'*+/=?^_\`{|}~-]+)*@(${LABEL}\\.)+${LABEL}$`, 'i'),
)
const isUri = by(/^[a-z][a-z0-9+.-]*:(?:\/\/[^\s/?#"<>\\^`{|}]+)?[^\s"<>\\^`{|}]*$/i)
const isPlain = by(/^[^\s"<>\\^`{|}]*$/)

const format = (examples: readonly string[], matches: Format['matches']): Format => ({ examples, matches })
const FORMATS: ReadonlyMap<string, Format> = new Map([
  ['date', format(['2025-01-15', '2024-06-30', '2023-12-01'], isDate)],
  ['time', format(['12:00:00Z', '09:30:00Z', '18:45:00Z'], isTime)],
  ['date-time', format(['2025-01-15T12:00:00Z', '2024-06-30T09:30:00Z', '2023-12-01T18:45:00Z'], isDateTime)],
  [
    'duration',
    format(['P1D', 'PT1H', 'P2W'], by(/^P(?!$)((\d+Y)?(\d+M)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+S)?)?|(\d+W)?)$/)),
  ],
  ['email', format(['ada@example.com', 'grace@example.com', 'a@b.co'], isEmail)],
  ['idn-email', format(['ada@example.com', 'grace@example.com', 'a@b.co'], isEmail)],
  ['hostname', format(['example.com', 'www.example.org', 'a.co'], isHostname)],
  ['idn-hostname', format(['example.com', 'www.example.org', 'a.co'], isHostname)],
  ['ipv4', format(['192.0.2.1', '192.0.2.2', '198.51.100.7'], isIpv4)],
  ['ipv6', format(['2001:db8::1', '2001:db8::2', '::1'], isIpv6)],
  ['uri', format(['https://example.com/', 'https://example.org/page', 'a:b'], isUri)],
  ['url', format(['https://example.com/', 'https://example.org/page', 'https://a.co'], isUri)],
  ['uri-reference', format(['/example', '/example/2', 'a'], isPlain)],
  ['iri', format(['https://example.com/', 'https://example.org/page', 'a:b'], isUri)],
  ['iri-reference', format(['/example', '/example/2', 'a'], isPlain)],
  ['uri-template', format(['/example/{id}', '/example', 'a'], by(/^([^\s{}"<>\\^`|]|\{[a-z0-9_,.*]+\})*$/i))],
  [
    'uuid',
    format(
      [
        '123e4567-e89b-42d3-a456-426614174000',
        '123e4567-e89b-42d3-a456-426614174001',
        '00000000-0000-4000-8000-000000000000',
      ],
      by(/^(urn:uuid:)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i),
    ),
  ],
  ['json-pointer', format(['/example', '/example/0', ''], by(/^(\/([^~/]|~0|~1)*)*$/))],
  ['relative-json-pointer', format(['0/example', '1', '0'], by(/^(0|[1-9]\d*)(#|(\/([^~/]|~0|~1)*)*)$/))],
  ['regex', format(['^example$', 'a+', 'a'], by(/^[\w\s^$.+-]*$/))],
])

/** Valid texts of a format, longest useful ones first; none for a name nobody knows. */
export const formatExamples = (name: string): readonly string[] => FORMATS.get(name)?.examples ?? []

/** A format nobody knows is satisfied by everything, as the specification wants it. */
export const matchesFormat = (name: string, text: string): boolean => FORMATS.get(name)?.matches(text) ?? true
