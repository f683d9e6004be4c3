/** Process number of a parent that keeps this process's standard input open for as long as it runs. */
const VARIABLE = 'ADALORA_PARENT';

/** The environment of a child that is to end with this process: see {@link parentProcess}. */
export function withParent(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...env, [VARIABLE]: `${process.pid}` };
}

/** Number of the process that this one ends with; undefined for a process that was started by itself. */
export function parentProcess(env: NodeJS.ProcessEnv = process.env): number | undefined {
  const number = Number(env[VARIABLE]);
  return Number.isSafeInteger(number) && number > 0 ? number : undefined;
}
