import { hash } from 'node:crypto'

/**
 * A number that finds an item by its id in its project: 52 bits of a digest. In the index it stands for two texts of
 * about 50 bytes each, of which a chain stores at least two per turn. Clients may choose item ids, so the project is
 * part of the digest: nobody can crowd the ids of somebody else.
 */
export function itemKey(projectId: string, itemId: string): number {
  return Number.parseInt(hash('sha256', `${projectId}\u0000${itemId}`, 'hex').slice(0, 13), 16)
}
