/**
 * The numbers from 0 to `count` - 1 in van der Corput's order: those at a half, a quarter, three quarters, an
 * eighth, … of `count`. Every prefix is spread evenly.
 */
export function spread(count: number): number[] {
  const order = new Set<number>();
  for (let i = 1; order.size < count; i++) order.add(Math.floor(mirrored(i) * count));
  return [...order];
}

/** The van der Corput number of i: its binary digits, reversed behind the point. */
function mirrored(i: number): number {
  let value = 0;
  for (let place = 0.5; i > 0; i >>= 1, place /= 2) value += place * (i & 1);
  return value;
}
