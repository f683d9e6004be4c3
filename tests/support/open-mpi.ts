import { spawnSync } from 'node:child_process';

/** Open MPI's launcher here, by whatever name. */
const FOUND = ['mpirun', 'mpirun.openmpi'].find((command) =>
  /Open MPI|OpenRTE/.test(spawnSync(command, ['--version'], { encoding: 'utf8' }).stdout ?? ''),
);

/** Why tests of several processes cannot run; undefined where they can. */
export const NO_OPEN_MPI = FOUND ? undefined : 'no Open MPI here';

/** What starts a program in so many processes, whatever the number of cores. */
export function mpirun(processes: number): string[] {
  return [FOUND as string, '--oversubscribe', '--bind-to', 'none', '-n', String(processes)];
}

/** Lets root start them, as in a container. */
export const MPI_ENVIRONMENT = {
  OMPI_ALLOW_RUN_AS_ROOT: '1',
  OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1',
};
