/** Larger than the processor's caches. */
const BYTES = 2 ** 28;

/**
 * The read speed of one core in GB/s: the best of a few passes that copy a large array into a small one, part
 * by part.
 */
export function readRate(): number {
  const large = new Uint8Array(BYTES).fill(1);
  const small = new Uint8Array(2 ** 16);
  let best = Infinity;
  for (let pass = 0; pass < 3; pass++) {
    const started = performance.now();
    for (let at = 0; at < BYTES; at += small.length) small.set(large.subarray(at, at + small.length));
    best = Math.min(best, performance.now() - started);
  }
  return BYTES / best / 1e6;
}
