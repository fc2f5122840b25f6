/** Texts, HTML and names that are bombs, or broken. */
import { type FileBomb, MB } from './file-bomb.ts'

const DEPTH = 1_000_000
const utf16be = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le').swap16()

export const TEXT_BOMBS: readonly FileBomb[] = [
  {
    name: 'HTML of a million elements in each other',
    filename: 'deep.html',
    make: () => Buffer.from(`${'<div>'.repeat(DEPTH)}deep`),
    ends: 'too-large',
  },
  {
    name: 'HTML with an attribute of 20 MB',
    filename: 'attribute.html',
    make: () => Buffer.from(`<p title="${'a'.repeat(20 * MB)}">The heron nests in March.</p>`),
    ends: 'text',
  },
  {
    name: 'HTML of three million tags that nothing closes',
    filename: 'open.html',
    make: () => Buffer.from(`<p>heron</p>${'<a '.repeat(3_000_000)}`),
    ends: 'too-large',
  },
  {
    name: 'HTML with a hundred thousand attributes',
    filename: 'attributes.html',
    make: () => Buffer.from(`<p ${Array.from({ length: 100_000 }, (_, at) => `a${at}=1`).join(' ')}>heron</p>`),
    ends: 'text',
    isLong: true,
  },
  {
    name: 'JSON of a million arrays in each other',
    filename: 'deep.json',
    make: () => Buffer.from(`${'['.repeat(DEPTH)}1${']'.repeat(DEPTH)}`),
    ends: 'text',
    isLong: true,
  },
  {
    name: 'a CSV with one field of 99 MB',
    filename: 'field.csv',
    make: () => Buffer.from(`a,"${'b '.repeat(49 * MB)}"\n`),
    ends: 'too-large',
  },
  { name: 'a line of 200 MB', filename: 'line.txt', make: () => Buffer.alloc(200 * MB, 'a'), ends: 'too-large' },
  { name: 'a word of 8 MB', filename: 'word.txt', make: () => Buffer.alloc(8 * MB, 'a'), ends: 'text', isLong: true },
  {
    name: 'a line of spaces of 8 MB',
    filename: 'spaces.txt',
    make: () => Buffer.concat([Buffer.from('x'), Buffer.alloc(8 * MB, ' '), Buffer.from('x')]),
    ends: 'text',
  },
  {
    name: 'a text that is no UTF-8',
    filename: 'latin.txt',
    make: () => Buffer.from('Der Reiher br\xfctet \xc3\x28 \xff', 'latin1'),
    ends: 'text',
  },
  {
    name: 'UTF-16 that says it is UTF-8',
    filename: 'mark.txt',
    make: () => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from('heron', 'utf16le')]),
    ends: 'malformed',
  },
  {
    name: 'UTF-16 with half a character and the mark of the other order',
    filename: 'half.txt',
    make: () => Buffer.concat([utf16be('heron'), Buffer.from([0xd8])]),
    ends: 'text',
  },
  {
    name: 'UTF-16 without a mark',
    filename: 'nomark.txt',
    make: () => Buffer.from('heron', 'utf16le'),
    ends: 'malformed',
  },
  { name: 'a text with NUL bytes', filename: 'nul.txt', make: () => Buffer.from('heron\0heron'), ends: 'malformed' },
  { name: 'an empty text', filename: 'empty.txt', make: () => Buffer.alloc(0), ends: 'text', isEmpty: true },
  { name: 'an empty PDF', filename: 'empty.pdf', make: () => Buffer.alloc(0), ends: 'malformed', drawn: 'malformed' },
  { name: 'an empty DOCX', filename: 'empty.docx', make: () => Buffer.alloc(0), ends: 'malformed' },
  { name: 'a program', filename: 'program.exe', make: () => Buffer.from('MZ\x90\0\x03'), ends: 'unsupported' },
  {
    name: 'HTML that was cut off in a tag',
    filename: 'cut.html',
    make: () => Buffer.from('<html><body><p>heron <a href="x'),
    ends: 'text',
  },
  { name: 'JSON that was cut off', filename: 'cut.json', make: () => Buffer.from('{"heron": [1, 2,'), ends: 'text' },
]
