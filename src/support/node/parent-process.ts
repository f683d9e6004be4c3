/**
 * The variable with the process number of a parent. The parent keeps this process's standard input open while it runs.
 */
const VARIABLE = 'ADALORA_PARENT';

/** Returns the environment for a child that must end with this process. See {@link parentProcess}. */
export function withParent(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...env, [VARIABLE]: `${process.pid}` };
}

/** The process number of the parent with which this process must end; undefined for a process that the user started. */
export function parentProcess(env: NodeJS.ProcessEnv = process.env): number | undefined {
  const number = Number(env[VARIABLE]);
  return Number.isSafeInteger(number) && number > 0 ? number : undefined;
}
