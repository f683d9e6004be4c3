import { readFileSync } from 'node:fs';
import { lazy } from '../../../support/options.ts';

/**
 * Whether the engine adds products of an unsigned and a signed byte in 16 bits here: on x64 without VNNI. True if
 * the system does not tell, because products of unsigned bytes take longer, and are right everywhere.
 */
export const bytesSaturate = lazy(() => {
  if (process.arch !== 'x64') return false;
  try {
    return !/\b(avx512_?vnni|avx_?vnni|amx_int8)\b/.test(readFileSync('/proc/cpuinfo', 'utf8'));
  } catch {
    return true;
  }
});
