/** Passes on at most one report per second. Work that takes less than a second is not reported. */
export function everySecond(report: (share: number) => void): (share: number) => void {
  let last = performance.now();
  return (share) => {
    if (performance.now() - last < 1000) return;
    last = performance.now();
    report(share);
  };
}
