/** Passes on what comes a second after the last, and nothing of what is done within one. */
export function everySecond(report: (share: number) => void): (share: number) => void {
  let last = performance.now();
  return (share) => {
    if (performance.now() - last < 1000) return;
    last = performance.now();
    report(share);
  };
}
