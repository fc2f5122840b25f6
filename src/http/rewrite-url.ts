/**
 * Forgives what people do to a base URL: `//`, a trailing slash, `/v1` left out or written twice. Only the path is
 * touched, and `/v1` is only put before resources that exist there, so an unknown path stays unknown.
 */
const RESOURCES = new Set(['responses', 'chat', 'embeddings', 'models'])

export function rewriteUrl(url: string): string {
  if (isPlain(url)) return url
  const queryAt = url.indexOf('?')
  const path = queryAt === -1 ? url : url.slice(0, queryAt)
  return rewritePath(path) + (queryAt === -1 ? '' : url.slice(queryAt))
}

/** The common case, told without building anything. */
function isPlain(url: string): boolean {
  if (!url.startsWith('/v1/') || url.startsWith('/v1/v1') || url.includes('//')) return false
  return !url.endsWith('/') && !url.includes('/?')
}

function rewritePath(path: string): string {
  // Absolute-form and `*` are refused later, as they came.
  if (!path.startsWith('/')) return path
  const segments = path.split('/').filter((segment) => segment !== '')
  while (segments[0] === 'v1' && segments[1] === 'v1') segments.shift()
  if (RESOURCES.has(segments[0] ?? '')) segments.unshift('v1')
  return `/${segments.join('/')}`
}
