/**
 * Options of a thread that runs a file of the package. A thread inherits the flag `--input-type` of a program that was
 * passed as text, and Node would then refuse to run a file.
 */
export function threadArguments(): { execArgv?: string[] } {
  return process.execArgv.some((word) => word.startsWith('--input-type')) ? { execArgv: [] } : {};
}
