import { expect, it } from 'vitest';
import { rankAmongSeveral, readLaunch, withoutLaunch } from './launch.ts';

const SLURM = { SLURM_JOB_ID: '7', SLURM_NTASKS: '8', SLURM_STEP_NUM_TASKS: '8', SLURM_PROCID: '3' };

it.each([
  ['nobody', {}, undefined],
  ['a batch script of Slurm', { SLURM_JOB_ID: '7', SLURM_NTASKS: '8' }, undefined],
  [
    "Open MPI's mpirun",
    { OMPI_COMM_WORLD_RANK: '1', OMPI_COMM_WORLD_SIZE: '4', PMIX_RANK: '1' },
    { mpi: 'Open MPI', rank: 1, size: 4 },
  ],
  ["MPICH's mpiexec", { PMI_RANK: '0', PMI_SIZE: '2', PMI_FD: '6' }, { mpi: 'MPICH', rank: 0, size: 2 }],
  [
    "MVAPICH's mpirun_rsh",
    { MV2_COMM_WORLD_RANK: '1', MV2_COMM_WORLD_SIZE: '4' },
    { mpi: 'MPICH', rank: 1, size: 4 },
  ],
  ['a launcher that tells no size', { PMIX_RANK: '1' }, { mpi: undefined, rank: 1, size: undefined }],
  ['srun --mpi=pmi2', { ...SLURM, PMI_RANK: '3', PMI_SIZE: '8' }, { mpi: 'MPICH', rank: 3, size: 8 }],
  ['srun --mpi=pmix', { ...SLURM, PMIX_RANK: '3' }, { mpi: undefined, rank: 3, size: 8 }],
])('detects that %s started it', (_, env, launch) => {
  expect(readLaunch(env)).toEqual(launch);
});

it('reports that srun started processes without connecting them', () => {
  expect(() => readLaunch(SLURM)).toThrow(
    'srun started 8 processes that cannot communicate. Start them with srun --mpi=pmix',
  );
});

it.each([
  [{}, undefined],
  [{ SLURM_JOB_ID: '7', SLURM_NTASKS: '8', SLURM_PROCID: '0' }, undefined],
  [{ OMPI_COMM_WORLD_RANK: '0', OMPI_COMM_WORLD_SIZE: '1' }, undefined],
  [{ OMPI_COMM_WORLD_RANK: '0', OMPI_COMM_WORLD_SIZE: '2' }, 0],
  [{ PMIX_RANK: '1' }, 1],
  [SLURM, 3],
])('knows its rank among several: %j', (env, rank) => {
  expect(rankAmongSeveral(env)).toBe(rank);
});

it('can be hidden', () => {
  expect(
    readLaunch(withoutLaunch({ ...SLURM, PMI_RANK: '3', PMI_SIZE: '8', PMIX_RANK: '3' })),
  ).toBeUndefined();
  expect(readLaunch(withoutLaunch({ MV2_COMM_WORLD_RANK: '1', MV2_COMM_WORLD_SIZE: '4' }))).toBeUndefined();
  expect(withoutLaunch({ HOME: '/h' })).toEqual({ HOME: '/h' });
});
