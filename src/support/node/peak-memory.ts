import { readFileSync } from 'node:fs';

/**
 * The peak resident memory of this process, in MB. On Linux it is read from the kernel, because getrusage starts there
 * from the parent's size.
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
    return undefined; // Some sandboxes have no /proc.
  }
}
