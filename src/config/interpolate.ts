/** `${VAR}`, `${VAR:-default}`, `${VAR:?message}` in configuration texts; `$${` stands for a literal `${`. */

export type Interpolated =
  | { readonly type: 'text'; readonly text: string }
  /** A variable without a default is not set. */
  | { readonly type: 'unset'; readonly variable: string }
  /** A variable that must be set is not, or the text is malformed. */
  | { readonly type: 'fault'; readonly message: string }

const REFERENCE = /\$(\$\{)|\$\{([^}]*)\}|\$\{/g
const BODY = /^([A-Za-z_][A-Za-z0-9_]*)(?::([-?])([\s\S]*))?$/

/** An empty variable counts as not set, as in a shell's `:-` and `:?`. */
export function interpolate(text: string, env: Readonly<Record<string, string | undefined>>): Interpolated {
  let failure: Interpolated | null = null
  const result = text.replace(REFERENCE, (whole, escaped?: string, body?: string) => {
    if (escaped !== undefined) return escaped
    const reference = body === undefined ? null : BODY.exec(body)
    if (reference === null) {
      failure ??= { type: 'fault', message: `"${whole}" is not a reference; write \${NAME}, or $\${ for a literal \${` }
      return ''
    }
    const [, variable = '', operator, rest = ''] = reference
    const value = env[variable]
    if (value !== undefined && value !== '') return value
    if (operator === '-') return rest
    failure ??=
      operator === '?'
        ? { type: 'fault', message: `the environment variable ${variable} is not set: ${rest || 'it is required'}` }
        : { type: 'unset', variable }
    return ''
  })
  return failure ?? { type: 'text', text: result }
}
