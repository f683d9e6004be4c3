import { readFileSync } from 'node:fs';

/**
 * The most memory this process has had resident, in MB. On Linux the kernel's own mark: what getrusage gives starts
 * from the parent's size there.
 */
export function peakMemoryMb(): number {
  const kilobytes = process.platform === 'linux' ? highWaterMark() : undefined;
  return Math.round((kilobytes ?? process.resourceUsage().maxRSS) / 1024);
}

function highWaterMark(): number | undefined {
  try {
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    return kilobytes === undefined ? undefined : Number(kilobytes);
  } catch {
    return undefined; // No /proc, as in some sandboxes.
  }
}
