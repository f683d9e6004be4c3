import { accessSync, constants, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { hasEnded, placeKey } from '../../src/input/store/node/owner.ts';

const PARENT = '/dev/shm';
const NAME = /^adalora-tests-(\w+)-(\d+)-\w+$/;
/** Some times more than the tests take at their peak (592 MB, the packages of tests/pack). */
const NEEDED = 2 * 2 ** 30;

/**
 * Puts the tests' temporary files in memory, where Linux has a folder for it with enough room. The program writes its
 * files durably, and tests write thousands of them: on a virtual disk a third of the tests' time was waiting for it.
 */
export default function memoryFolder(): (() => void) | undefined {
  if (process.env.TMPDIR || !isUsable()) return undefined;
  for (const name of readdirSync(PARENT)) {
    // Tests that were killed leave their folder.
    const [, place, pid] = name.match(NAME) ?? [];
    if (place && hasEnded(place, { pid: Number(pid) })) remove(join(PARENT, name));
  }
  const folder = mkdtempSync(join(PARENT, `adalora-tests-${placeKey()}-${process.pid}-`));
  process.env.TMPDIR = folder;
  return () => remove(folder);
}

/** Tests also start programs from there, which `noexec` forbids. */
function isUsable(): boolean {
  try {
    accessSync(PARENT, constants.W_OK);
    const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
    const options = mounts.map((line) => line.split(' ')).findLast(([, place]) => place === PARENT)?.[3];
    if (!options || options.split(',').includes('noexec')) return false;
    const { bavail, bsize } = statfsSync(PARENT);
    return bavail * bsize >= NEEDED;
  } catch {
    return false;
  }
}

function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
