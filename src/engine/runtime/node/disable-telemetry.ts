/**
 * Turns off the engine's telemetry. Since version 1.30, the engine keeps a machine id and events in the user's cache on
 * Linux and macOS, and sends them to Microsoft. Its native library reads the environment of the process, which a worker
 * cannot change. So call this before you start a worker that computes. A value that is already set stays.
 */
export function disableTelemetry(): void {
  process.env.ORT_DISABLE_TELEMETRY ??= '1';
}
