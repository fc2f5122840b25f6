/** The little the demo model knows: capitals and the calendar. Everything else it has from the conversation. */
import type { Answer } from './style.ts'

const CAPITALS = new Map(
  Object.entries({
    argentina: 'Buenos Aires',
    australia: 'Canberra',
    austria: 'Vienna',
    belgium: 'Brussels',
    brazil: 'Brasília',
    canada: 'Ottawa',
    chile: 'Santiago',
    china: 'Beijing',
    denmark: 'Copenhagen',
    egypt: 'Cairo',
    england: 'London',
    finland: 'Helsinki',
    france: 'Paris',
    germany: 'Berlin',
    greece: 'Athens',
    hungary: 'Budapest',
    iceland: 'Reykjavík',
    india: 'New Delhi',
    ireland: 'Dublin',
    italy: 'Rome',
    japan: 'Tokyo',
    kenya: 'Nairobi',
    mexico: 'Mexico City',
    morocco: 'Rabat',
    netherlands: 'Amsterdam',
    'new zealand': 'Wellington',
    norway: 'Oslo',
    peru: 'Lima',
    poland: 'Warsaw',
    portugal: 'Lisbon',
    'south korea': 'Seoul',
    spain: 'Madrid',
    sweden: 'Stockholm',
    switzerland: 'Bern',
    turkey: 'Ankara',
    ukraine: 'Kyiv',
    'united kingdom': 'London',
    'united states': 'Washington, D.C.',
    vietnam: 'Hanoi',
  }),
)
const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']
const MONTHS = 'January February March April May June July August September October November December'.split(' ')
const UNITS = new Map([
  ['days week', 7],
  ['hours day', 24],
  ['minutes hour', 60],
  ['seconds minute', 60],
  ['months year', 12],
])

export function lookUp(text: string): Answer | null {
  return capital(text) ?? successor(text) ?? unit(text)
}

function capital(text: string): Answer | null {
  const name =
    /\bcapital(?: city)? of (?:the )?([\p{L}]+(?: [\p{L}]+)?)/iu.exec(text)?.[1] ??
    /\b([\p{L}]+)['’]s capital\b/iu.exec(text)?.[1]
  if (!name) return null
  const words = name.split(' ')
  for (const country of [name, words[0] ?? '']) {
    const city = CAPITALS.get(country.toLowerCase())
    if (city) return { brief: city, full: `The capital of ${country} is ${city}.` }
  }
  return null
}

function successor(text: string): Answer | null {
  const match = /\b(?:day|month) (after|before) (\p{L}+)/iu.exec(text)
  if (!match) return null
  const step = match[1]?.toLowerCase() === 'after' ? 1 : -1
  for (const cycle of [DAYS, MONTHS]) {
    const at = cycle.findIndex((name) => name.toLowerCase() === match[2]?.toLowerCase())
    const next = cycle[(at + step + cycle.length) % cycle.length]
    if (at >= 0 && next)
      return { brief: next, full: `${cycle[at]} is ${step > 0 ? 'followed' : 'preceded'} by ${next}.` }
  }
  return null
}

function unit(text: string): Answer | null {
  const match = /\bhow many (\w+) (?:are (?:there )?in|does|has|in) (?:an?|one|the) (\w+)/i.exec(text)
  const count = UNITS.get(`${match?.[1]?.toLowerCase()} ${match?.[2]?.toLowerCase()}`)
  return count === undefined
    ? null
    : { brief: String(count), full: `There are ${count} ${match?.[1]} in one ${match?.[2]}.` }
}
