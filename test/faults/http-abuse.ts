/** Requests that break HTTP or stretch it, with what may come back: always exactly one reply. */

const HOST = 'Host: localhost\r\n'
const AUTH = 'Authorization: Bearer sk-test-of-the-fault-kit\r\n'
const POST = `POST /v1/responses HTTP/1.1\r\n${HOST}${AUTH}Content-Type: application/json\r\n`
const SMUGGLED = `GET /smuggled HTTP/1.1\r\n${HOST}\r\n`
const get = (lines: string, target = '/health', version = 'HTTP/1.1') =>
  `GET ${target} ${version}\r\n${lines}Connection: close\r\n\r\n`

/** `statuses`: of the one reply. */
export const HTTP_ABUSE: Readonly<Record<string, readonly [bytes: string, ...statuses: number[]]>> = {
  'length and chunks': [`${POST}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`, 400],
  'chunks and length': [`${POST}Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n${SMUGGLED}`, 400],
  'two lengths': [`${POST}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}${SMUGGLED}`, 400],
  'a list of lengths': [`${POST}Content-Length: 2, 2\r\n\r\n{}${SMUGGLED}`, 400],
  'a signed length': [`${POST}Content-Length: +2\r\n\r\n{}${SMUGGLED}`, 400],
  'a hexadecimal length': [`${POST}Content-Length: 0x2\r\n\r\n{}${SMUGGLED}`, 400],
  'a negative length': [`${POST}Content-Length: -2\r\n\r\n{}${SMUGGLED}`, 400],
  'a space before the colon': [`${POST}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`, 400],
  'an unknown transfer encoding': [`${POST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${SMUGGLED}`, 400],
  'chunked, but not last': [`${POST}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${SMUGGLED}`, 400],
  'chunked twice': [`${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`, 400],
  'a chunk size that is none': [`${POST}Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n${SMUGGLED}`, 400],
  'a chunk size that overflows': [`${POST}Transfer-Encoding: chunked\r\n\r\n${'f'.repeat(17)}\r\n{}\r\n0\r\n\r\n`, 400],
  'huge chunk extensions': [
    `${POST}Transfer-Encoding: chunked\r\n\r\n2;${'x'.repeat(100_000)}\r\n{}\r\n0\r\n\r\n`,
    413,
    400,
  ],
  'bare line feeds': [`GET /health HTTP/1.1\nHost: localhost\nConnection: close\n\n`, 400],
  'a bare carriage return': [get(`${HOST}x: a\rb\r\n`), 400],
  'a folded header': [get(`${HOST}x: a\r\n b\r\n`), 400],
  'a NUL in a header': [get(`${HOST}x: a\0b\r\n`), 400],
  'a space in a header name': [get(`${HOST}x y: a\r\n`), 400],
  'a header without a name': [get(`${HOST}: a\r\n`), 400],
  'no Host': [get(''), 400],
  'two Hosts': [get(`${HOST}Host: evil.example\r\n`), 400],
  'another Host': [get('Host: evil.example\r\n'), 421],
  'a Host with a user': [get('Host: localhost@evil.example\r\n'), 400, 421],
  'absolute form': [get(HOST, 'http://evil.example/health'), 400],
  'a target without a slash': [get(HOST, 'health'), 400, 404],
  'a path that climbs': [get(HOST, '/v1/../../etc/passwd'), 400, 401, 404],
  'a path that climbs in escapes': [get(HOST, '/v1/%2e%2e/%2e%2e/etc/passwd'), 400, 401, 404],
  'bad escapes': [get(HOST, '/v1/responses/%ff%zz'), 400, 401],
  'a raw byte in the URL': [get(HOST, '/health?\xff'), 200, 400],
  'a URL of 100 KB': [get(HOST, `/${'x'.repeat(100_000)}`), 414, 431],
  'a header of 20 KB': [get(`${HOST}x: ${'x'.repeat(20_000)}\r\n`), 431],
  '2,500 headers': [get(HOST + Array.from({ length: 2_500 }, (_, i) => `x${i}: 1\r\n`).join('')), 431],
  CONNECT: [`CONNECT evil.example:443 HTTP/1.1\r\n${HOST}\r\n`, 405],
  TRACE: [`TRACE / HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`, 404, 405],
  'OPTIONS *': [`OPTIONS * HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`, 400, 404, 405],
  'a method in lower case': [`get /health HTTP/1.1\r\n${HOST}\r\n`, 400],
  'an unknown method': [`HACK /health HTTP/1.1\r\n${HOST}\r\n`, 400],
  'Expect nonsense': [`${POST}Expect: the-unexpected\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`, 417],
  'HTTP/0.9': ['GET /health\r\n\r\n', 400],
  // Node's parser reads it as HTTP/1.1 and the reply says so.
  'HTTP/2.0 by name': [get(HOST, '/health', 'HTTP/2.0'), 200, 400, 505],
  'HTTP/9.9': [get(HOST, '/health', 'HTTP/9.9'), 400, 505],
  'the HTTP/2 preface': ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  'an upgrade to h2c': [
    `GET /health HTTP/1.1\r\n${HOST}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n`,
    426,
  ],
  'TLS on a plain port': ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', 400],
  'two keys': [get(`${HOST}${AUTH}${AUTH}`, '/v1/models'), 400],
}
