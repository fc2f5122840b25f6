/**
 * Regex grammars are written in the syntax of Rust's `regex` crate. Most of them mean the same in JavaScript; the
 * others cannot be checked here, and it is better to say so than to refuse a good input.
 */

import { fromRustRegex } from '../lib/rust-regex.ts'

/** A grammar as a JavaScript expression that must match the whole input. */
export type PortableRegex = { readonly source: string; readonly flags: string }

/** Null when the definition cannot be expressed faithfully. */
export function toPortableRegex(definition: string): PortableRegex | null {
  const body = fromRustRegex(definition)
  if (body === null) return null
  const source = `^(?:${body})$`
  try {
    new RegExp(source, 'u')
    return { source, flags: 'u' }
  } catch {
    return null
  }
}
