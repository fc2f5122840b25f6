/** Every value of a label is a series that Prometheus keeps for good, so the first values win and the rest is `other`. */
const MAX_VALUES = 200
export const OTHER = 'other'

export function createBoundedLabel(isAllowed: (value: string) => boolean = () => true): (value: string) => string {
  const seen = new Set<string>()
  return (value) => {
    if (seen.has(value)) return value
    if (seen.size >= MAX_VALUES || !isAllowed(value)) return OTHER
    seen.add(value)
    return value
  }
}
