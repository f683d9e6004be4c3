import { InvalidArgumentError } from 'commander';

const UNITS = { k: 1e3, M: 1e6, G: 1e9, T: 1e12 } as const;

/** Bytes per second, from `10Gb/s`, `100Gbit/s` or `1.2GB/s`. */
export function bandwidth(value: string): number {
  const [, number, unit, what] = /^(\d+(?:\.\d+)?)\s*([kMGT])(b|bit|B)(?:\/s|ps)?$/.exec(value) ?? [];
  const bytes = (Number(number) * UNITS[unit as keyof typeof UNITS]) / (what === 'B' ? 1 : 8);
  if (bytes > 0) return bytes;
  throw new InvalidArgumentError('Use a speed such as 10Gb/s or 1.2GB/s.');
}

const SECONDS = { s: 1, ms: 1e-3, us: 1e-6, µs: 1e-6, ns: 1e-9 } as const;

/** Seconds, from `20us` or `0.1ms`. */
export function latency(value: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*(s|ms|us|µs|ns)$/.exec(value) ?? [];
  if (unit) return Number(number) * SECONDS[unit as keyof typeof SECONDS];
  throw new InvalidArgumentError('Use a time such as 20us.');
}
