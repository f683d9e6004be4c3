import { InvalidArgumentError } from 'commander';

/** Reads a flag that names a TCP port; 0 is any that is free. */
export function portNumber(value: string): number {
  if (/^\d{1,5}$/.test(value) && Number(value) < 2 ** 16) return Number(value);
  throw new InvalidArgumentError('expected a port, 0 to 65535.');
}
