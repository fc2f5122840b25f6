import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readRobotsRules } from './robots-rules.ts'

const CASES: readonly [string, string, string, boolean][] = [
  ['no rules', '', '/x', true],
  ['a path and all below', 'User-agent: *\nDisallow: /a', '/ab', false],
  ['an empty rule is none', 'User-agent: *\nDisallow:', '/a', true],
  ['the longest rule counts', 'User-agent: *\nDisallow: /a\nAllow: /a/b', '/a/b/c', true],
  ['of two equal ones the kinder', 'User-agent: *\nDisallow: /a\nAllow: /a', '/a', true],
  ['rules for another robot', 'User-agent: other\nDisallow: /', '/a', true],
  [
    'the named group instead of the one for all',
    'User-agent: *\nDisallow: /\nUser-agent: Antiphon/1.0\nDisallow: /b',
    '/a',
    true,
  ],
  ['several names in one group', 'User-agent: other\nUser-agent: antiphon\nDisallow: /', '/a', false],
  [
    'groups of one name are one',
    'User-agent: antiphon\nDisallow: /a\n\nUser-agent: antiphon\nDisallow: /b',
    '/b',
    false,
  ],
  ['a star in the middle', 'User-agent: *\nDisallow: /*.php', '/x/y.php?z', false],
  ['the end', 'User-agent: *\nDisallow: /*.php$', '/x/y.php?z', true],
  ['the end, met', 'User-agent: *\nDisallow: /*.php$', '/x/y.php', false],
  ['the end without a star', 'User-agent: *\nDisallow: /a$', '/ab', true],
  ['escapes in either spelling', 'User-agent: *\nDisallow: /%c3%a4', '/%C3%A4', false],
  ['letters as they are', 'User-agent: *\nDisallow: /ä', '/%C3%A4', false],
  ['comments, spaces and CRLF', '\uFEFFUSER-AGENT : * # all\r\n DISALLOW : /a # no\r\n', '/a', false],
  ['lines of other kinds', 'Sitemap: https://x/\nUser-agent: *\nCrawl-delay: 5\nDisallow: /a', '/a', false],
  ['rules before any group', 'Disallow: /', '/a', true],
]

for (const [name, text, path, isAllowed] of CASES) {
  test(`robots.txt: ${name}`, () => assert.equal(readRobotsRules(text, 'antiphon').allows(path), isAllowed))
}

test('a hostile file is read in time that grows with its length', () => {
  const stars = `User-agent: *\n${`Disallow: /${'*a'.repeat(900)}b$\n`.repeat(250)}`
  assert.equal(readRobotsRules(stars, 'antiphon').allows(`/${'a'.repeat(2000)}`), true)
})
