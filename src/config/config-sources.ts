import type { ProviderCatalog } from './known-providers.ts'
import type { SettingPath } from './table.ts'

/** Everything a configuration is made of. */
export type ConfigSources = {
  /** Values given on the command line, by setting. */
  readonly flags: ReadonlyMap<SettingPath, { readonly flag: string; readonly value: string }>
  /** `--config`. */
  readonly file: string | null
  /** `--no-auth`. */
  readonly noAuth: boolean
  readonly env: Readonly<Record<string, string | undefined>>
  readonly providers: ProviderCatalog
  readonly cwd: string
  readonly home: string
}
