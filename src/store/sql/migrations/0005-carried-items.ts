import type { Migration } from './migration.ts'

export const carriedItems: Migration = {
  version: 5,
  name: 'carried-items',
  sqlite: ['ALTER TABLE responses ADD COLUMN carried TEXT'],
  postgres: ['ALTER TABLE responses ADD COLUMN carried text'],
}
