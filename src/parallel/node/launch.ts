import { UserError } from '../../support/user-error.ts';

/** Which MPI a launcher belongs to; PMIx serves either. */
export type MpiName = 'Open MPI' | 'MPICH';

/** What a launcher has said of this process. */
export interface Launch {
  /** Undefined where it serves either. */
  mpi: MpiName | undefined;
  /** This process's number among those that it has started. */
  rank: number;
  /** How many these are; undefined where MPI alone knows. */
  size: number | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Where launchers say it, the more telling before the others: Slurm's own variables stand beside those of MPI. */
const LAUNCHERS: { mpi: MpiName | undefined; mark: string; rank: string[]; size: string[] }[] = [
  {
    mpi: 'Open MPI',
    mark: 'OMPI_COMM_WORLD_SIZE',
    rank: ['OMPI_COMM_WORLD_RANK'],
    size: ['OMPI_COMM_WORLD_SIZE'],
  },
  // mpirun_rsh of MVAPICH, whose library has MPICH's ABI.
  {
    mpi: 'MPICH',
    mark: 'MV2_COMM_WORLD_RANK',
    rank: ['MV2_COMM_WORLD_RANK'],
    size: ['MV2_COMM_WORLD_SIZE'],
  },
  // Slurm's plugin pmi2, too.
  { mpi: 'MPICH', mark: 'PMI_RANK', rank: ['PMI_RANK'], size: ['PMI_SIZE', 'SLURM_STEP_NUM_TASKS'] },
  { mpi: undefined, mark: 'PMIX_RANK', rank: ['PMIX_RANK'], size: ['SLURM_STEP_NUM_TASKS', 'SLURM_NTASKS'] },
];

/**
 * What the launcher of this process, mpirun, mpiexec or srun, says in its environment; undefined where none has started it.
 *
 * @throws UserError for several processes that srun has started without telling them of each other
 */
export function launchOf(env: Environment): Launch | undefined {
  const launcher = LAUNCHERS.find(({ mark }) => env[mark] !== undefined);
  if (launcher) {
    const first = (names: readonly string[]) => Number(names.map((name) => env[name]).find(Boolean) ?? 0);
    const [rank, size] = [first(launcher.rank), first(launcher.size)];
    return { mpi: launcher.mpi, rank: rank || 0, size: size || undefined };
  }
  if (!isOfStep(env)) return undefined;
  throw new UserError({
    where: 'srun',
    expected: 'processes that it tells of each other',
    got: `${env.SLURM_STEP_NUM_TASKS} of which each is alone`,
    hint: 'Start them with srun --mpi=pmix (MPICH: --mpi=pmi2), or one alone with srun --ntasks=1.',
  });
}

/** This process's number among several that were started at once, told of each other or not; undefined for one alone. */
export function rankAmongSeveral(env: Environment): number | undefined {
  const isTold = LAUNCHERS.some(({ mark }) => env[mark] !== undefined);
  if (!isTold) return isOfStep(env) ? Number(env.SLURM_PROCID ?? 0) : undefined;
  const launch = launchOf(env);
  return launch && launch.size !== 1 ? launch.rank : undefined;
}

/** Whether srun has started others beside this one. */
function isOfStep(env: Environment): boolean {
  return Number(env.SLURM_STEP_NUM_TASKS ?? 1) > 1;
}

/** An environment in which {@link launchOf} finds no launcher. */
export function withoutLaunch(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const marks = [...LAUNCHERS.map(({ mark }) => mark), 'SLURM_STEP_NUM_TASKS'];
  return Object.fromEntries(Object.entries(env).filter(([name]) => !marks.includes(name)));
}

/**
 * Readies this process's environment for MPI's library, which reads it in C: so from the process's first thread, before the
 * library is loaded. UCX, by which MPICH and Open MPI send, puts hooks into the C library's memory functions; Node's threads
 * crash or hang in them (seen with MPICH 4.0.2). They serve networks that register memory, and UCX does without them.
 */
export function readyForMpi(env: NodeJS.ProcessEnv): void {
  if (launchOf(env)) env.UCX_MEM_EVENTS ??= 'n';
}
