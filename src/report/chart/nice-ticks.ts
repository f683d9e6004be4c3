/** About `about` round values inside [low, high]. Their distance is 1, 2 or 5 times a power of ten. */
export function niceTicks(low: number, high: number, about = 4): number[] {
  if (!(high > low)) return [low];
  const step = niceStep((high - low) / about);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => cleared((first + i) * step));
}

/** A domain that contains all values and ends at round values. It is never empty. */
export function niceDomain(values: readonly number[], about = 4): [low: number, high: number] {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return [0, 1];
  let [low, high] = [Math.min(...finite), Math.max(...finite)];
  if (low === high) {
    const room = Math.abs(low) / 10 || 1;
    [low, high] = [low - room, high + room];
  }
  const step = niceStep((high - low) / about);
  return [cleared(Math.floor(low / step + 1e-9) * step), cleared(Math.ceil(high / step - 1e-9) * step)];
}

function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5].find((factor) => factor * power >= least * (1 - 1e-9)) ?? 10);
}

/** Removes the last digits, which come from binary fractions. */
function cleared(value: number): number {
  return Number(value.toPrecision(12)) + 0;
}
