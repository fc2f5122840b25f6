/** URLs that must lead nowhere: every way to name this machine and the networks beside it, and ways to be sent there. */
import type { LookupAddress } from 'node:dns'
import type { Resolve } from '../../src/lib/outbound-guard.ts'

/** Literals and names of this machine, of private networks and of special-purpose addresses. */
const HOSTS = [
  ...['127.0.0.1', '127.1', '127.0.1', '2130706433', '0x7f000001', '0x7f.0x0.0x0.0x1', '0177.0.0.1', '017700000001'],
  ...['127.0.0.1.', '127.%30.0.1', '１２７.0.0.1', '127。0。0。1', '0', '0.0.0.0', '0x0', '127.127.127.127'],
  // IPv6, and what wraps IPv4 in it: mapped, compatible, translated (SIIT), NAT64, 6to4, Teredo.
  ...['[::1]', '[::]', '[0:0:0:0:0:0:0:1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::127.0.0.1]', '[::7f00:1]'],
  ...['[::ffff:0:127.0.0.1]', '[::ffff:0:7f00:1]', '[64:ff9b::127.0.0.1]', '[64:ff9b::7f00:1]', '[64:ff9b:1::7f00:1]'],
  ...['[2002:7f00:1::]', '[2002:a00:1::]', '[2002:a9fe:a9fe::1]', '[2001::1]', '[2001:0:7f00:1::80ff:fffe]'],
  ...['[fe80::1]', '[fe80::5efe:7f00:1]', '[fc00::1]', '[fd00::1]', '[fd00:ec2::254]', '[ff02::1]', '[fec0::1]'],
  ...['[100::1]', '[2001:db8::1]', '[3fff::1]', '[5f00::1]', '[::ffff:169.254.169.254]', '[::ffff:10.0.0.1]'],
  ...['10.0.0.1', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.0.1', '169.254.169.254', '169.254.0.1'],
  ...['100.64.0.1', '100.127.255.255', '198.18.0.1', '198.19.255.255', '192.0.0.1', '192.0.2.1', '198.51.100.1'],
  ...['203.0.113.1', '192.88.99.1', '224.0.0.1', '239.255.255.250', '240.0.0.1', '255.255.255.255', '0.1.2.3'],
  ...['0xa9fea9fe', '2852039166', '0251.0376.0251.0376', '169.254.43518'],
  ...['localhost', 'LOCALHOST', 'localhost.', 'a.localhost', 'printer.local', 'metadata.google.internal', 'router'],
  ...['intranet', 'x.home.arpa', 'x.onion', 'x.alt', 'ⓛocalhost', 'loc%61lhost', 'kubernetes.default.svc.internal'],
]

/** Other schemes, user names, ports, and what two parsers may read in two ways. */
const ODD = [
  ...[
    'http://user@example.com/',
    'http://user:pw@example.com/',
    'http://a@127.0.0.1/',
    'http://example.com@127.0.0.1/',
  ],
  ...['http://example.com:22/', 'https://example.com:8443/', 'http://127.0.0.1:6379/', 'http://[::1]:5432/'],
  ...['http:\\\\127.0.0.1\\', 'http:///127.0.0.1', 'http://\t127.0.0.1/', 'http://127.0.0.1#@example.com/'],
  ...['http://127.0.0.1?@example.com/', 'https://127.0.0.1:443/x', 'http://127.0.0.1:80:80/', 'http://[::1', 'http://'],
  ...['http://127.0.0.1\\@example.com/', 'http://example.com\\@127.0.0.1/', 'http://127.0.0.1%2f@example.com:25/'],
  ...['http://example.com:0/', 'http://example.com:65536/', 'dict://127.0.0.1/', 'javascript:alert(1)'],
  ...[
    'file:///etc/passwd',
    'gopher://127.0.0.1/',
    'ftp://127.0.0.1/',
    'ws://127.0.0.1/',
    'unix:/tmp/x',
    '//127.0.0.1/',
  ],
]

/** What the name server of the test says; each answer would lead inside. */
export const NAMES: Readonly<Record<string, readonly LookupAddress[]>> = {
  'private.example': [{ address: '127.0.0.1', family: 4 }],
  'six.example': [{ address: '::1', family: 6 }],
  'wide.example': [{ address: '10.0.0.1', family: 4 }],
  'metadata.example': [{ address: '169.254.169.254', family: 4 }],
  'mapped.example': [{ address: '::ffff:127.0.0.1', family: 6 }],
  'nat64.example': [{ address: '64:ff9b::7f00:1', family: 6 }],
  'mixed.example': [
    { address: '93.184.215.14', family: 4 },
    { address: '127.0.0.1', family: 4 },
  ],
  'mixed-six.example': [
    { address: '2606:2800:21f:cb07:6820:80da:af6b:8b2c', family: 6 },
    { address: '::1', family: 6 },
  ],
  'empty.example': [],
}
/** Private when it is asked, public when it is asked again: only whoever looks it up twice is led on. */
const FLIPPING = 'flipping.example'
const LOOPBACK: LookupAddress = { address: '127.0.0.1', family: 4 }

export type NameServer = {
  readonly resolve: Resolve
  /** The next question for the name that flips is the first again. */
  beginCell(): void
  /** How often it was asked again. */
  readonly askedAgain: number
}

export function createNameServer(): NameServer {
  let asked = 0
  let askedAgain = 0
  return {
    beginCell() {
      asked = 0
    },
    get askedAgain() {
      return askedAgain
    },
    resolve(name, _options, done) {
      if (name === FLIPPING && ++asked > 1) {
        askedAgain += 1
        // Its public answer; nothing of a test goes there.
        return done(Object.assign(new Error('not found'), { code: 'ENOTFOUND' }), [])
      }
      done(null, [...(NAMES[name] ?? [LOOPBACK])])
    },
  }
}

const REDIRECTS = [301, 302, 303, 307, 308]

/** `site`: a host that may be reached, whose `/to` sends on and whose `/far` sends on by another step. */
export function hostileUrls(site: string): readonly string[] {
  const inside = ['http://127.0.0.1/', 'http://[::1]/', 'http://private.example/', 'file:///etc/passwd']
  const to = (status: number, target: string) => `http://${site}/to?status=${status}&at=${encodeURIComponent(target)}`
  return [
    ...HOSTS.map((host) => `http://${host}/`),
    ...ODD,
    ...Object.keys(NAMES).map((name) => `https://${name}/`),
    `http://${FLIPPING}/`,
    ...['127.0.0.1', '[::1]', '169.254.169.254', 'localhost'].map((host) => `https://${host}/`),
    ...REDIRECTS.map((status) => to(status, 'http://2130706433/')),
    ...REDIRECTS.map((status, index) => to(status, inside[index % inside.length] ?? '')),
    to(302, to(307, 'http://127.0.0.1/')),
    to(302, to(302, to(302, 'http://169.254.169.254/latest/meta-data/'))),
    to(302, `http://named-site.example:${site.split(':').at(-1)}/`),
  ]
}
