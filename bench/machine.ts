import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';

/** Instructions on which products of small numbers depend, by the kernel's names. */
const INSTRUCTIONS = {
  avx2: 'AVX2',
  avx512f: 'AVX-512',
  avx512_vnni: 'VNNI',
  avx512_bf16: 'BF16',
  amx_tile: 'AMX',
};

/** Describes the machine of a measurement, such as "2 cores of an AMD EPYC (AVX2)". */
export function describeMachine(): string {
  const flags =
    readFileSync('/proc/cpuinfo', 'utf8')
      .match(/^flags.*$/m)?.[0]
      .split(/\s+/) ?? [];
  const known = Object.entries(INSTRUCTIONS).flatMap(([flag, name]) => (flags.includes(flag) ? [name] : []));
  return `${availableParallelism()} cores, ${cpus()[0]!.model} (${known.join(', ')})`;
}
