import type { Processes } from '../../program/parallel/communicator.ts';

/**
 * Runs a command's work in all processes started by mpirun, mpiexec or srun. The processes share the
 * computation; only the first prints and writes.
 */
export async function inAllProcesses(work: (processes: Processes) => Promise<void>): Promise<void> {
  const { launchOf, readyForMpi } = await import('../../program/parallel/node/launch.ts');
  const { joinProcesses } = await import('../../program/parallel/node/join-processes.ts');
  readyForMpi(process.env);
  const rank = launchOf(process.env)?.rank ?? 0;
  const { log, error: complain } = console;
  if (rank > 0) console.log = console.error = () => {};
  try {
    const processes = await joinProcesses();
    await work(processes);
    processes.leave();
  } catch (error) {
    if (rank === 0) throw error;
    const { failQuietly } = await import('./fail-quietly.ts');
    await failQuietly(error, rank);
  } finally {
    Object.assign(console, { log, error: complain });
  }
}
