/** One step of the schema. Its number and name never change after a release, and neither do its statements. */
export type Migration = {
  readonly version: number
  readonly name: string
  readonly sqlite: readonly string[]
  /** Absent: a later step makes the tables of this one on PostgreSQL. */
  readonly postgres?: readonly string[]
}
