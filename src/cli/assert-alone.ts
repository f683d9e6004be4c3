import type { Command } from 'commander';
import { markAgreed } from '../parallel/agreed.ts';
import { rankAmongSeveral } from '../parallel/node/launch.ts';
import { PROGRAM } from '../support/program.ts';
import { UserError } from '../support/user-error.ts';

/** Commands whose work several processes divide. */
const DIVIDED = ['train', 'eval', 'predict', 'generate'];

/**
 * Rejects a command that runs in several processes but does not divide its work. Each process would do all of
 * the work, and overwrite the files of the others.
 *
 * @throws UserError, in all processes
 */
export function assertAlone(command: Command): void {
  if (DIVIDED.includes(command.name()) || rankAmongSeveral(process.env) === undefined) return;
  const isSharded = command.options.some(({ long }) => long === '--shard');
  const shards = ' --shard i/n splits its runs over jobs (docs/slurm.md).';
  throw markAgreed(
    new UserError({
      where: `${PROGRAM} ${command.name()}`,
      fault: 'runs in one process, but mpirun, mpiexec or srun started several',
      hint: `Start it without them.${isSharded ? shards : ''}`,
    }),
  );
}
