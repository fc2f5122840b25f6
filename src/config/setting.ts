/** What the tables of settings are written with. */
import { integer, type Kind } from './kinds.ts'
import { parseDuration, parseSize } from './units.ts'

/**
 * `fallback`: null means not set, and `doc` says what that is. `shortEnv`: a shorter variable that other tools set too;
 * `ANTIPHON_SECTION__KEY` wins over it.
 */
export const setting = <K extends Kind<unknown>, D>(
  kind: K,
  fallback: D,
  doc: string,
  shortEnv: string | null = null,
) => ({ kind, fallback, doc, shortEnv })

/** Defaults as people read them. A default that does not parse would be 0; a test holds every default valid. */
export const ms = (duration: string) => parseDuration(duration) ?? 0
export const bytes = (size: string) => parseSize(size) ?? 0
export const most = (max: number) => integer(1, max)
