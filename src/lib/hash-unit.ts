/** A text as a number in (0, 1), evenly spread; the same in every process. Not for secrets. */
export function hashUnit(text: string): number {
  // FNV-1a over UTF-16 units, then the last steps of MurmurHash3, because FNV alone leaves neighbours together.
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32 + 2 ** -33
}
