import { UserError } from '../../support/user-error.ts';

/** The MPI implementation of a launcher. PMIx works with both. */
export type MpiName = 'Open MPI' | 'MPICH';

/** The launcher's description of this process. */
export interface Launch {
  /** Undefined if the launcher works with both. */
  mpi: MpiName | undefined;
  /** The rank of this process among the processes that the launcher started. */
  rank: number;
  /** The number of processes; undefined if only MPI knows it. */
  size: number | undefined;
}

/** The environment variables of a process. */
type Environment = Record<string, string | undefined>;

/**
 * The environment variables of launchers, the most specific launcher first: Slurm sets its own variables in addition to
 * MPI's.
 */
const LAUNCHERS: { mpi: MpiName | undefined; mark: string; rank: string[]; size: string[] }[] = [
  {
    mpi: 'Open MPI',
    mark: 'OMPI_COMM_WORLD_SIZE',
    rank: ['OMPI_COMM_WORLD_RANK'],
    size: ['OMPI_COMM_WORLD_SIZE'],
  },
  // mpirun_rsh of MVAPICH. Its library has MPICH's ABI.
  {
    mpi: 'MPICH',
    mark: 'MV2_COMM_WORLD_RANK',
    rank: ['MV2_COMM_WORLD_RANK'],
    size: ['MV2_COMM_WORLD_SIZE'],
  },
  // Also set by Slurm's plugin pmi2.
  { mpi: 'MPICH', mark: 'PMI_RANK', rank: ['PMI_RANK'], size: ['PMI_SIZE', 'SLURM_STEP_NUM_TASKS'] },
  { mpi: undefined, mark: 'PMIX_RANK', rank: ['PMIX_RANK'], size: ['SLURM_STEP_NUM_TASKS', 'SLURM_NTASKS'] },
];

/**
 * Reads the environment that the launcher (mpirun, mpiexec or srun) has set. Returns undefined without a launcher.
 *
 * @throws UserError if srun started several processes without connecting them
 */
export function readLaunch(env: Readonly<Environment>): Launch | undefined {
  const launcher = LAUNCHERS.find(({ mark }) => env[mark] !== undefined);
  if (launcher) {
    const first = (names: readonly string[]) => Number(names.map((name) => env[name]).find(Boolean) ?? 0);
    const [rank, size] = [first(launcher.rank), first(launcher.size)];
    return { mpi: launcher.mpi, rank: rank || 0, size: size || undefined };
  }
  if (!isOfStep(env)) return undefined;
  throw new UserError({
    where: 'srun',
    fault: `started ${env.SLURM_STEP_NUM_TASKS} processes that cannot communicate`,
    hint: 'Start them with srun --mpi=pmix (MPICH: --mpi=pmi2), or start one with srun --ntasks=1.',
  });
}

/** The rank of this process if several were started together, connected or not; otherwise undefined. */
export function rankAmongSeveral(env: Readonly<Environment>): number | undefined {
  const isTold = LAUNCHERS.some(({ mark }) => env[mark] !== undefined);
  if (!isTold) return isOfStep(env) ? Number(env.SLURM_PROCID ?? 0) : undefined;
  const launch = readLaunch(env);
  return launch && launch.size !== 1 ? launch.rank : undefined;
}

/** Whether srun started other processes together with this one. */
function isOfStep(env: Readonly<Environment>): boolean {
  return Number(env.SLURM_STEP_NUM_TASKS ?? 1) > 1;
}

/** Returns an environment in which {@link readLaunch} finds no launcher. */
export function withoutLaunch(env: Readonly<Environment>): Environment {
  const marks = [...LAUNCHERS.map(({ mark }) => mark), 'SLURM_STEP_NUM_TASKS'];
  return Object.fromEntries(Object.entries(env).filter(([name]) => !marks.includes(name)));
}

/**
 * Prepares this process's environment for MPI's library, which reads it in C. Call it on the first thread, before the
 * library is loaded. UCX, the transport of MPICH and Open MPI, hooks the C library's memory functions, and Node's
 * threads crash or hang in these hooks (seen with MPICH 4.0.2). The setting turns the hooks off. Only networks that
 * register memory benefit from them, and UCX works without them.
 */
export function readyForMpi(env: Environment): void {
  if (readLaunch(env)) env.UCX_MEM_EVENTS ??= 'n';
}
