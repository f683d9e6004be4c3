import { describeFailure, type Failure, fileError, revived } from '../../support/user-error.ts';
import { type Communicator, gatherJson, markAgreed, processName } from './communicator.ts';

/**
 * Runs work that may fail in some processes only, and waits for all processes.
 *
 * @throws in every process, the error of the first process that failed
 */
export async function together<T>(communicator: Communicator, work: () => T | Promise<T>): Promise<T> {
  if (communicator.size === 1) return work();
  const outcome = await attempt(work);
  const failures = gatherJson(communicator, 'error' in outcome ? describeFailure(outcome.error) : null);
  const first = failures.findIndex((failure) => failure !== null);
  if ('value' in outcome && first < 0) return outcome.value;
  const failure = failures[first] as Failure;
  const error = 'error' in outcome && first === communicator.rank ? outcome.error : revived(failure);
  // An error in process 0 usually concerns all processes. So its message does not name the process.
  if (first > 0) {
    const name = processName(communicator, first);
    Object.assign(error, { message: `${name}: ${error.message}`, stack: `${name}: ${error.stack}` });
  }
  throw markAgreed(error);
}

async function attempt<T>(work: () => T | Promise<T>): Promise<{ value: T } | { error: Error }> {
  try {
    return { value: await work() };
  } catch (error) {
    return { error: fileError(error) ?? (error as Error) };
  }
}

/**
 * Runs work that creates files for all processes of a host. One process of each host runs it first, then the others.
 */
export async function oncePerHost<T>(communicator: Communicator, work: () => T | Promise<T>): Promise<T> {
  const { hosts, rank } = communicator;
  const leads = hosts.indexOf(hosts[rank]!) === rank;
  const done = await together(communicator, async () => (leads ? { value: await work() } : undefined));
  return together(communicator, async () => (done ? done.value : work()));
}

/**
 * Runs `find` in process 0 and returns its result in every process, because only process 0 may have the files. If
 * `find` throws, all processes throw its error.
 */
export async function fromFirst<T>(communicator: Communicator, find: () => T | Promise<T>): Promise<T> {
  if (communicator.size === 1) return find();
  const found = await together(communicator, async () => (communicator.rank === 0 ? find() : undefined));
  return communicator.broadcast(found) as T;
}
