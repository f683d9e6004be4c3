/**
 * Options of a thread that runs a file of the package. In a program that came as text with `--input-type`, Node would
 * refuse to run the file: a thread inherits that flag.
 */
export function threadArguments(): { execArgv?: string[] } {
  return process.execArgv.some((word) => word.startsWith('--input-type')) ? { execArgv: [] } : {};
}
