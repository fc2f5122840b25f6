import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { StoredPart } from '../../protocol/content.ts'
import { ModelError } from '../model.ts'
import { type ContentDialect, encodePart } from './encode-content.ts'

const API: ContentDialect = { fileUrls: true, vertex: false }
const VERTEX: ContentDialect = { fileUrls: true, vertex: true }
const OLD: ContentDialect = { fileUrls: false, vertex: false }

const image = (image_url: string): StoredPart => ({ type: 'input_image', image_url, detail: 'auto' })
const file = (given: Omit<Extract<StoredPart, { type: 'input_file' }>, 'type'>): StoredPart => ({
  type: 'input_file',
  ...given,
})
const inline = (mimeType: string, data: string) => ({ inlineData: { mimeType, data } })
const byUrl = (fileUri: string, mimeType?: string) => ({ fileData: { ...(mimeType && { mimeType }), fileUri } })

const CASES: readonly (readonly [string, StoredPart, ContentDialect, object])[] = [
  ['an image as data', image('data:image/webp;base64,UklG'), API, inline('image/webp', 'UklG')],
  ['an image by URL', image('https://a.example/x.png?y=1'), API, byUrl('https://a.example/x.png?y=1', 'image/png')],
  ['an image by a URL that does not tell its type', image('https://a.example/x'), API, byUrl('https://a.example/x')],
  [
    'a PDF as data URL',
    file({ file_data: 'data:application/pdf;base64,JVBE' }),
    API,
    inline('application/pdf', 'JVBE'),
  ],
  [
    'a PDF as base64, by its name',
    file({ file_data: 'JVBE', filename: 'a.PDF' }),
    API,
    inline('application/pdf', 'JVBE'),
  ],
  ['sound by its name', file({ file_data: 'SUQz', filename: 'a.mp3' }), API, inline('audio/mp3', 'SUQz')],
  [
    'film by its type',
    file({ file_data: 'data:video/mp4;base64,AAAA', filename: 'a' }),
    API,
    inline('video/mp4', 'AAAA'),
  ],
  [
    'an untyped data URL, by its name',
    file({ file_data: 'data:application/octet-stream;base64,AAAA', filename: 'a.mov' }),
    API,
    inline('video/quicktime', 'AAAA'),
  ],
  [
    'a text file as text',
    file({ file_data: Buffer.from('a,b').toString('base64'), filename: 'a.csv' }),
    API,
    { text: "File 'a.csv':\na,b" },
  ],
  [
    'a file by URL',
    file({ file_url: 'https://a.example/b.pdf' }),
    API,
    byUrl('https://a.example/b.pdf', 'application/pdf'),
  ],
  [
    'a film of YouTube',
    file({ file_url: 'https://www.youtube.com/watch?v=abc' }),
    OLD,
    byUrl('https://www.youtube.com/watch?v=abc'),
  ],
  [
    'a film of YouTube at Vertex AI',
    file({ file_url: 'https://youtu.be/abc' }),
    VERTEX,
    byUrl('https://youtu.be/abc', 'video/mp4'),
  ],
  [
    'a URL whose type the name tells, at Vertex AI',
    file({ file_url: 'https://a.example/get', filename: 'a.pdf' }),
    VERTEX,
    byUrl('https://a.example/get', 'application/pdf'),
  ],
]

const REFUSED: readonly (readonly [string, StoredPart, ContentDialect, RegExp])[] = [
  ['an image by id', { type: 'input_image', file_id: 'file_1', detail: 'auto' }, API, /file_id/],
  ['a file by id', file({ file_id: 'file_1', filename: 'a.pdf' }), API, /'a\.pdf'.*by id/],
  ['an image that is none', image('data:text/html;base64,PGI+'), API, /'text\/html', which is not an image/],
  ['a plain http URL', image('http://a.example/x.png'), API, /'http:' URLs/],
  ['a URL for a model that fetches none', image('https://a.example/x.png'), OLD, /does not fetch files from the web/],
  ["Cloud Storage, read with the operator's rights", file({ file_url: 'gs://bucket/a.pdf' }), VERTEX, /'gs:' URLs/],
  [
    "files of the operator's account",
    image('https://generativelanguage.googleapis.com/v1beta/files/abc'),
    API,
    /operator's account/,
  ],
  ['what is no URL', file({ file_url: 'a.pdf' }), API, /no URL/],
  ['a URL of unknown type at Vertex AI', file({ file_url: 'https://a.example/get' }), VERTEX, /type is unknown/],
  [
    'an office document',
    file({ file_data: 'data:application/msword;base64,0M8R', filename: 'a.doc' }),
    API,
    /'a\.doc' is application\/msword/,
  ],
  ['bytes of no known type', file({ file_data: 'AAAA', filename: 'blob' }), API, /'blob' is of an unknown type/],
]

describe('content parts for Gemini', () => {
  for (const [title, part, dialect, expected] of CASES) {
    it(`sends ${title}`, () => assert.deepEqual(encodePart(part, dialect), expected))
  }
  for (const [title, part, dialect, message] of REFUSED) {
    it(`refuses ${title} by name`, () =>
      assert.throws(
        () => encodePart(part, dialect),
        (error: unknown) => {
          assert.ok(error instanceof ModelError && error.kind === 'invalid_request' && error.param === 'input')
          assert.match(error.message, message)
          return true
        },
      ))
  }
})
