/** One step of the schema. Its number and name never change after a release, and neither do its statements. */
export type Migration = {
  readonly version: number
  readonly name: string
  readonly sqlite: readonly string[]
  /** Absent: the tables of this step are not there on PostgreSQL yet, and what needs them is refused by name. */
  readonly postgres?: readonly string[]
}
