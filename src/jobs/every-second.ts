/** Passes on at most one report a second, and none of work that takes less than one. */
export function everySecond(report: (share: number) => void): (share: number) => void {
  let last = performance.now();
  return (share) => {
    if (performance.now() - last < 1000) return;
    last = performance.now();
    report(share);
  };
}
