/**
 * Text that no store keeps exactly: half of a surrogate pair has no UTF-8 form, and PostgreSQL has no NUL. Refusing it
 * at the door is the only honest way: what cannot be given back unchanged must not be taken.
 */

const isUnstorable = (text: string) => text.includes('\0') || !text.isWellFormed()

/**
 * The path of the first text in a JSON value that cannot be stored, keys included, as `input[0].content`; null when
 * all of it can. A text at the root has the path ''. Iterative; paths are only built once something was found.
 */
export function findUnstorableText(value: unknown): string | null {
  return hasUnstorable(value) ? locate(value) : null
}

/** Runs on every request: indexed loops, because `Object.entries` costs more here than the checks themselves. */
function hasUnstorable(root: unknown): boolean {
  const pending: unknown[] = [root]
  while (pending.length > 0) {
    const value = pending.pop()
    if (typeof value === 'string') {
      if (isUnstorable(value)) return true
    } else if (Array.isArray(value)) {
      for (let index = 0; index < value.length; index++) pending.push(value[index])
    } else if (isRecord(value)) {
      for (const key in value) {
        if (isUnstorable(key)) return true
        pending.push(value[key])
      }
    }
  }
  return false
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

function locate(root: unknown): string | null {
  const pending: { path: string; value: unknown }[] = [{ path: '', value: root }]
  for (let place = pending.pop(); place; place = pending.pop()) {
    const { path, value } = place
    if (typeof value === 'string' && isUnstorable(value)) return path
    if (typeof value !== 'object' || value === null) continue
    const isList = Array.isArray(value)
    const entries = Object.entries(value)
    if (!isList && entries.some(([key]) => isUnstorable(key))) return path
    const children = entries.map(([key, item]) => ({
      path: isList ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`,
      value: item,
    }))
    pending.push(...children.reverse())
  }
  return null
}
