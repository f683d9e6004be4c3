import { spawnSync } from 'node:child_process';

/** The command of Open MPI's launcher on this machine. */
const FOUND = ['mpirun', 'mpirun.openmpi'].find((command) =>
  /Open MPI|OpenRTE/.test(spawnSync(command, ['--version'], { encoding: 'utf8' }).stdout ?? ''),
);

/** Why tests of several processes cannot run here. Undefined if they can. */
export const NO_OPEN_MPI = FOUND ? undefined : 'no Open MPI here';

/** The launcher's arguments for a number of processes. The number may exceed the number of cores. */
export function mpirun(processes: number): string[] {
  return [FOUND as string, '--oversubscribe', '--bind-to', 'none', '-n', String(processes)];
}

/** Lets root start processes, as in a container. */
export const MPI_ENVIRONMENT = {
  OMPI_ALLOW_RUN_AS_ROOT: '1',
  OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1',
};
