/**
 * Which IP addresses are the public internet. Everything else (this machine, the networks beside it, what only leads
 * to them through a translation) is closed to URLs that came from a request, a model, a tool or a document.
 *
 * The list is RFC 6890's special-purpose registry and every form in which IPv6 wraps an IPv4 address: a translator on
 * the way may unwrap it, so the wrapped address would have to be public and reachable by itself, and then it is better
 * called by its own name.
 */
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

const CLOSED_V6 = [
  // IPv4-compatible, the unspecified address and loopback with them.
  '::/96',
  '::ffff:0:0/96',
  // IPv4-translated (SIIT).
  '::ffff:0:0:0/96',
  // NAT64.
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  // Discard-only.
  '100::/64',
  // Teredo, ORCHID, documentation.
  '2001::/23',
  '2001:db8::/32',
  '3fff::/20',
  // 6to4.
  '2002::/16',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
].map((range) => ipaddr.IPv6.parseCIDR(range))

const CLOSED_V4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
].map((range) => ipaddr.IPv4.parseCIDR(range))

/** What is global in IPv6; all else is unassigned or special. */
const GLOBAL_V6 = ipaddr.IPv6.parseCIDR('2000::/3')

/** `address`: as `inet_ntop` writes it, without brackets; a zone makes it private. False for what is no address. */
export function isPublicAddress(address: string): boolean {
  // The parser also takes short forms, as `127.1`, and zones.
  if (isIP(address) === 0 || address.includes('%')) return false
  const parsed = ipaddr.parse(address)
  if (parsed instanceof ipaddr.IPv4) return !CLOSED_V4.some((range) => parsed.match(range))
  return parsed instanceof ipaddr.IPv6 && parsed.match(GLOBAL_V6) && !CLOSED_V6.some((range) => parsed.match(range))
}
