/** Vectors of length 1: the product of two is the cosine of their angle. */
export function toUnit(vector: readonly number[]): Float32Array {
  const unit = new Float32Array(vector)
  const size = Math.hypot(...vector)
  if (size > 0) for (let at = 0; at < unit.length; at++) unit[at] = (unit[at] ?? 0) / size
  return unit
}
